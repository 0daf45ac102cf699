// Package archive unpacks .tar, .tar.gz and .zip files that anybody may have made.
// Nothing of an archive lands outside of the directory that it is unpacked into, now
// or when somebody follows a link in it; what it takes of disk and memory is bounded.
package archive

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
)

// Bounds of an archive, whatever is in it. That of all its files together is given.
const (
	maxEntries = 1 << 16
	maxDepth   = 32       // directories above a file, and the file
	maxPath    = 1024     // bytes of a path
	maxName    = 255      // bytes of a file's name: more fits into no file system
	maxPaths   = 8 << 20  // bytes of all paths together; they are kept in memory
	maxTarget  = 1024     // bytes of where a link points
	maxPadding = 1 << 20  // bytes of zeros after the end of a .tar
	maxHeaders = 4 << 10  // bytes for each entry of a .tar besides its data, on average
	maxRatio   = 200      // bytes of files for each of the archive,
	freeBytes  = 64 << 20 // above these
)

const bufferSize = 256 << 10

// Options are the bounds that depend on who asks.
type Options struct {
	// MaxBytes bounds all files together.
	MaxBytes int64
	// Progress is told how much of the archive is done; it may be nil.
	Progress func(done, total int64)
}

// Entry is what was unpacked: a file, a link or a directory.
type Entry struct {
	// Path below the directory, with slashes.
	Path string
	Dir  bool
	// Link is where a link points, relative to its own directory; else empty.
	Link string
	// Size and Sum, a SHA-256, are a file's.
	Size int64
	Sum  [sha256.Size]byte
}

// Unpack unpacks an archive into root, an empty directory that nobody else writes to,
// and returns what is there now, by its path. On an error root may hold anything that
// is safe. What is wrong with the archive is a [MalformedError], a [RefusedError] or a
// [LimitError]; other errors are the system's, or the context's.
func Unpack(ctx context.Context, file *os.File, root *os.Root, o Options) ([]Entry, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	u := newUnpacker(ctx, root, info.Size(), o)
	if err := u.unpack(file); err != nil {
		return nil, err
	}
	if len(u.entries) == 0 {
		return nil, &MalformedError{What: "there is nothing in it"}
	}
	if err := u.link(); err != nil {
		return nil, err
	}
	slices.SortFunc(u.entries, func(a, b Entry) int { return strings.Compare(a.Path, b.Path) })
	return u.entries, nil
}

func (u *unpacker) unpack(file *os.File) error {
	start := make([]byte, 8)
	n, err := io.ReadFull(file, start)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	start = start[:n]
	switch {
	case n == 0:
		return nil
	case bytes.HasPrefix(start, []byte("PK\x03\x04")), bytes.HasPrefix(start, []byte("PK\x05\x06")):
		return u.zip(file)
	case bytes.HasPrefix(start, []byte("\x1f\x8b")):
		unpacked, err := gzip.NewReader(bufio.NewReaderSize(&counted{r: file, add: u.advance}, bufferSize))
		if err != nil {
			return &MalformedError{What: "it is damaged", Err: err}
		}
		return u.tar(unpacked)
	}
	for magic, name := range others() {
		if bytes.HasPrefix(start, []byte(magic)) {
			return &RefusedError{What: "it is packed by " + name}
		}
	}
	return u.tar(&counted{r: file, add: u.advance})
}

// others are what archives begin with that are not unpacked.
func others() map[string]string {
	return map[string]string{"\x28\xb5\x2f\xfd": "zstd", "\xfd7zXZ\x00": "xz", "BZh": "bzip2", "7z\xbc\xaf\x27\x1c": "7-Zip", "Rar!": "RAR"}
}

// counted says how much is read.
type counted struct {
	r   io.Reader
	add func(n int64)
}

// Read implements [io.Reader].
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.add(int64(n))
	return n, err
}
