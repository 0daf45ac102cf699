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
}

// floor is what a small file may decompress to, and the items and memo entries
// it may have, whatever their ratio to its size.
const (
	floorBytes = 16 << 20
	floorItems = 2 << 20
	// bytesPerItem makes the ratio, which bounds the decompressed size, bound
	// items too: by default 8 for each byte of the file.
	bytesPerItem = 125
)

// Read reads the value in the file whose bytes are data. Arrays and bytes alias
// data if the file is not compressed. Info is as complete as the reader came,
// also when an error is returned.
func Read(data []byte, lim pickle.Limits) (any, Info, error) {
	lim = lim.WithDefaults()
	var info Info
	c := detect(data)
	if c == nil {
		value, inner, err := pickle.Read(data, lim)
		info.Info = inner
		info.Format = describe(info)
		return value, info, err
	}
	if int64(len(data)) > lim.Bytes {
		return nil, info, &pickle.LimitError{What: "bytes", Limit: lim.Bytes, Flag: "--max-bytes"}
	}
	info.Compression, info.Format = c.name, "joblib ("+c.name+")"
	size := decompressedLimit(data, lim)
	src, err := open(data, c, size)
	if err != nil {
		return nil, info, err
	}
	// What a small file can expand to has few bytes of its own for each value.
	scaled, items := lim, max(floorItems, ratio(lim, data)/bytesPerItem)
	scaled.Elements = min(lim.Elements, items)
	scaled.Memo = int(min(int64(lim.Memo), items))
	value, inner, err := pickle.ReadFrom(src, size, scaled)
	info.Info = inner
	var malformed *pickle.FormatError
	if !errors.As(err, &malformed) || malformed.Format == "pickle" { // else nobody knows what is in the stream
		info.Format = describe(info)
	}
	return value, info, blameRatio(err, lim, scaled)
}

// blameRatio names the flag that raises a limit which was lowered because the
// file is small.
func blameRatio(err error, lim, scaled pickle.Limits) error {
	var limit *pickle.LimitError
	if !errors.As(err, &limit) {
		return err
	}
	if limit.Flag == "--max-elements" && scaled.Elements < lim.Elements || limit.Flag == "--max-memo" && scaled.Memo < lim.Memo {
		return &pickle.LimitError{What: limit.What + ", too many for its size", Limit: limit.Limit, Flag: "--max-ratio"}
	}
	return err
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
