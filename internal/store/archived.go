package store

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/klauspost/compress/zstd"
)

// archived is a file in the layers of an image. It comes as a stream from its
// layer's start, so that it cannot be resumed.
type archived struct {
	ctx    context.Context //nolint:containedctx // the image reads by it
	image  v1.Image
	layers []v1.Descriptor
	file   string // without a slash in front
	titles string // what else there is
}

// Bounds of a layer: archives are scanned for the file, whatever is in them.
const (
	maxLayerBytes   = 256 << 30
	maxLayerEntries = 1_000_000
	maxZstdWindow   = 128 << 20
)

// errHidden says that an upper layer removes the file.
var errHidden = errors.New("removed by an upper layer")

func (a *archived) open(_ context.Context, _ position) (*content, error) {
	if a.file == "" {
		return nil, a.missing()
	}
	for i := len(a.layers) - 1; i >= 0; i-- { // the upper ones are stronger
		if !strings.Contains(string(a.layers[i].MediaType), "tar") {
			continue
		}
		c, err := a.openIn(a.layers[i].Digest)
		if errors.Is(err, errHidden) {
			break
		}
		if err != nil || c != nil {
			return c, err
		}
	}
	return nil, a.missing()
}

func (a *archived) missing() error {
	what := "there is no file " + a.file + " in it"
	if a.file == "" {
		what = "it holds several files; write oci://…#PATH"
	}
	if a.titles != "" {
		what += "; it has " + a.titles
	}
	return &NotFoundError{What: what}
}

// openIn looks for the file in a layer; nil if it is not there.
func (a *archived) openIn(digest v1.Hash) (*content, error) {
	layer, err := a.image.LayerByDigest(digest)
	if err != nil {
		return nil, err
	}
	packed, err := layer.Compressed() // it verifies the digest at its end
	if err != nil {
		return nil, err
	}
	unpacked, err := unpack(packed)
	if err != nil {
		packed.Close()
		return nil, fmt.Errorf("reading the layer %s: %w", digest, err)
	}
	body := &archivedBody{packed: packed, unpacked: unpacked, tar: tar.NewReader(io.LimitReader(unpacked, maxLayerBytes))}
	header, err := a.seek(body.tar)
	if err != nil || header == nil {
		return nil, errors.Join(err, body.Close())
	}
	return &content{body: body, size: header.Size}, nil
}

func (a *archived) seek(r *tar.Reader) (*tar.Header, error) {
	dir, base := path.Split("/" + a.file)
	var hidden error
	for range maxLayerEntries {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil, hidden
		}
		if err != nil {
			return nil, fmt.Errorf("reading a layer: %w", err)
		}
		switch path.Clean("/" + h.Name) {
		case "/" + a.file:
			if h.Typeflag != tar.TypeReg {
				return nil, &NotFoundError{What: a.file + " is no file, but a link or a directory"}
			}
			return h, nil
		case path.Join(dir, ".wh."+base), path.Join(dir, ".wh..wh..opq"):
			hidden = errHidden // but this layer may bring it back
		}
	}
	return nil, fmt.Errorf("a layer has more than %d files", maxLayerEntries)
}

// unpack reads gzip, zstd or a bare archive.
func unpack(packed io.Reader) (io.ReadCloser, error) {
	buffered := bufio.NewReader(packed)
	start, err := buffered.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch {
	case len(start) > 1 && start[0] == 0x1f && start[1] == 0x8b:
		return gzip.NewReader(buffered)
	case string(start) == "\x28\xb5\x2f\xfd":
		r, err := zstd.NewReader(buffered, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxZstdWindow))
		if err != nil {
			return nil, err
		}
		return r.IOReadCloser(), nil
	}
	return io.NopCloser(buffered), nil
}

// archivedBody is the file's bytes. At their end it reads the rest of the layer,
// whose digest tells whether all of it is what was asked for.
type archivedBody struct {
	packed, unpacked io.ReadCloser
	tar              *tar.Reader
}

// Read implements [io.Reader].
func (b *archivedBody) Read(p []byte) (int, error) {
	n, err := b.tar.Read(p)
	if err == io.EOF {
		if _, rest := io.Copy(io.Discard, b.packed); rest != nil {
			return n, rest
		}
	}
	return n, err
}

// Close implements [io.Closer].
func (b *archivedBody) Close() error {
	return errors.Join(b.unpacked.Close(), b.packed.Close())
}
