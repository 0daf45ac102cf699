package rpc

import (
	"compress/zlib"
	"io"

	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/gzip" // clients ask for it by name
)

// gRPC keeps its compressors in one table of the process, to be filled before
// anything else runs.
//
//nolint:gochecknoinits // see above: a later registration would be a data race
func init() { encoding.RegisterCompressor(deflate{}) }

// deflate is the compression of that name in gRPC and HTTP: a zlib stream.
// tritonclient offers it beside gzip.
type deflate struct{}

func (deflate) Name() string { return "deflate" }

func (deflate) Compress(w io.Writer) (io.WriteCloser, error) { return zlib.NewWriter(w), nil }

func (deflate) Decompress(r io.Reader) (io.Reader, error) { return zlib.NewReader(r) }
