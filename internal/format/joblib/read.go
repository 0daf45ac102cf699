// Package joblib reads files that joblib.dump or pickle.dump wrote: it finds
// out how they are compressed and hands the pickle in them, with the arrays
// that joblib interleaves, to package pickle.
package joblib

import (
	"errors"
	"fmt"

	"mizzen.dev/internal/format/pickle"
)

// Info tells how a file was written.
type Info struct {
	pickle.Info
	Compression string // zlib, gzip, bz2, xz, lzma, lz4, or "" for none
	Format      string // for people, e.g. joblib (zlib), pickle protocol 4
	Trailing    int64  // bytes behind the pickle, which Python ignores
}

// floor is what a small file may decompress to, and the items and memo entries
// it may have, whatever their ratio to its size.
const (
	floorBytes = 16 << 20
	floorItems = 2 << 20
	// Python's pickles have about one item in three bytes or more; the ratio
	// that bounds the decompressed size bounds items with this factor.
	bytesPerItem = 128
)

// Read reads the value in the file whose bytes are data. Arrays and bytes alias
// data if the file is not compressed. Info is as complete as the reader came,
// also when an error is returned.
func Read(data []byte, lim pickle.Limits) (any, Info, error) {
	lim = lim.WithDefaults()
	var info Info
	if int64(len(data)) > lim.Bytes {
		return nil, info, &pickle.LimitError{What: "bytes", Limit: lim.Bytes, Flag: "--max-bytes"}
	}
	stream := data
	scaled := lim
	if c := detect(data); c != nil {
		info.Compression = c.name
		var err error
		if stream, err = decompress(data, c, lim); err != nil {
			info.Format = "joblib (" + c.name + ")"
			return nil, info, err
		}
		items := max(floorItems, ratio(lim, data, bytesPerItem))
		scaled.Elements = min(lim.Elements, items)
		scaled.Memo = int(min(int64(lim.Memo), items))
	}
	value, inner, err := pickle.Read(stream, scaled)
	info.Info = inner
	info.Trailing = int64(len(stream)) - inner.Size
	info.Format = describe(info)
	var limit *pickle.LimitError
	if errors.As(err, &limit) && (limit.Limit == scaled.Elements && scaled.Elements < lim.Elements || limit.Limit == int64(scaled.Memo) && scaled.Memo < lim.Memo) {
		err = &pickle.LimitError{What: limit.What + " for its compressed size", Limit: limit.Limit, Flag: "--max-ratio"}
	}
	return value, info, err
}

func describe(info Info) string {
	protocol := fmt.Sprintf("pickle protocol %d", info.Protocol)
	switch {
	case info.Compression != "":
		return fmt.Sprintf("joblib (%s), %s", info.Compression, protocol)
	case info.Joblib:
		return "joblib, " + protocol
	}
	return protocol
}
