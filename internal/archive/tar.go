package archive

import (
	"archive/tar"
	"context"
	"errors"
	"io"
	"math"
	"strings"
)

// tar unpacks what stands in a .tar.
func (u *unpacker) tar(r io.Reader) error {
	most := int64(math.MaxInt64)
	if u.max < most-maxEntries*maxHeaders {
		most = u.max + maxEntries*maxHeaders
	}
	tail := &tail{r: r, left: most, over: u.tooLarge("")}
	t := tar.NewReader(tail)
	for last := ""; ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return u.tarEnd(tail)
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) { // names are looked at here
			if last == "" && (errors.Is(err, tar.ErrHeader) || errors.Is(err, io.ErrUnexpectedEOF)) {
				return &MalformedError{What: "it is no .tar, .tar.gz or .zip, or it is cut off"}
			}
			return u.unread(last, err)
		}
		last = h.Name
		if err := u.tarEntry(h, t); err != nil {
			return err
		}
	}
}

func (u *unpacker) tarEntry(h *tar.Header, content io.Reader) error {
	if err := u.names.entry(); err != nil {
		return err
	}
	if u.ctx.Err() != nil {
		return context.Cause(u.ctx)
	}
	if h.Typeflag == tar.TypeXGlobalHeader { // git writes one; it is about no file
		return nil
	}
	name, err := clean(h.Name)
	if err != nil {
		return err
	}
	switch h.Typeflag {
	case tar.TypeReg:
		if isSparse(h) {
			return sparse(h.Name)
		}
		return u.file(name, h.Mode&0o100 != 0, h.Size, content)
	case tar.TypeDir:
		return u.dir(name)
	case tar.TypeLink:
		return u.hardLink(name, h.Linkname)
	case tar.TypeSymlink:
		return u.symlink(name, h.Linkname)
	case tar.TypeGNUSparse:
		return sparse(h.Name)
	}
	return &RefusedError{Entry: h.Name, What: "is no file, directory or link, but a device, a pipe or the like"}
}

// isSparse reports whether a file has holes, by the records that GNU tar writes for it.
func isSparse(h *tar.Header) bool {
	for record := range h.PAXRecords {
		if strings.HasPrefix(record, "GNU.sparse.") {
			return true
		}
	}
	return false
}

// sparse refuses a file with holes, which may be of any size and take no room.
func sparse(entry string) error {
	return &RefusedError{Entry: entry, What: "is a sparse file: leave --sparse away"}
}

// tail knows how many zeros it has read last: at least two blocks of them end a .tar.
type tail struct {
	r     io.Reader
	left  int64 // bytes that it may still have
	over  error // if it has more
	zeros int64
}

// endBytes are the zeros that end a .tar.
const endBytes = 1024

// Read implements [io.Reader].
func (t *tail) Read(p []byte) (int, error) {
	if t.left <= 0 {
		return 0, t.over
	}
	n, err := t.r.Read(p[:min(int64(len(p)), t.left)])
	t.left -= int64(n)
	if zeros := trailingZeros(p[:n]); zeros == n {
		t.zeros += int64(n)
	} else {
		t.zeros = int64(zeros)
	}
	return n, err
}

func trailingZeros(b []byte) int {
	n := len(b)
	for n > 0 && b[n-1] == 0 {
		n--
	}
	return len(b) - n
}

// tarEnd reads on to the end of the file, where nothing may be but zeros: so checksums
// are looked at, and no second archive is passed over that other programs may read.
func (u *unpacker) tarEnd(t *tail) error {
	if t.zeros < endBytes {
		return &MalformedError{What: "it is cut off: a .tar ends with zeros"}
	}
	block := make([]byte, 4<<10)
	for padding := 0; ; {
		n, err := t.Read(block)
		if trailingZeros(block[:n]) != n {
			return &MalformedError{What: "there is something after its end"}
		}
		if padding += n; padding > maxPadding {
			return &LimitError{What: "there are too many zeros after its end, in bytes", Limit: maxPadding}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return u.unread("", err)
		}
	}
}
