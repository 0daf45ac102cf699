package archive

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// unpacker writes what an archive holds.
type unpacker struct {
	ctx      context.Context //nolint:containedctx // it lives as long as one call
	root     *os.Root
	names    *names
	entries  []Entry
	written  int64
	max      int64 // bytes of all files
	maxSays  string
	buffer   []byte
	done     int64 // bytes of the archive
	size     int64
	progress func(done, total int64)
}

func newUnpacker(ctx context.Context, root *os.Root, size int64, o Options) *unpacker {
	u := &unpacker{ctx: ctx, root: root, names: newNames(), buffer: make([]byte, bufferSize), size: size, progress: o.Progress,
		max: o.MaxBytes, maxSays: "it unpacks to more bytes than --max-bytes allows"}
	if size < (math.MaxInt64-freeBytes)/maxRatio && freeBytes+size*maxRatio < u.max {
		u.max = freeBytes + size*maxRatio
		u.maxSays = fmt.Sprintf("it unpacks to more than %d times its size, in bytes, as no model does", maxRatio)
	}
	return u
}

// advance counts bytes of the archive that are done.
func (u *unpacker) advance(n int64) {
	u.done += n
	if u.progress != nil {
		u.progress(u.done, u.size)
	}
}

func (u *unpacker) tooLarge(entry string) error {
	return &LimitError{Entry: entry, What: u.maxSays, Limit: u.max}
}

// place makes room for a path: its directories, and what they need in the books.
func (u *unpacker) place(name string, k kind) error {
	dirs, err := u.names.add(name, k)
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		if err := u.root.Mkdir(dir, 0o755); err != nil {
			return err
		}
		u.entries = append(u.entries, Entry{Path: dir, Dir: true})
	}
	return nil
}

// dir makes a directory, if it is not there.
func (u *unpacker) dir(name string) error {
	if name == "." {
		return nil
	}
	return u.place(name, aDir)
}

// file writes a file of the given size, or of any if that is negative.
func (u *unpacker) file(name string, executable bool, size int64, content io.Reader) error {
	if name == "." {
		return &MalformedError{What: "a file has no name"}
	}
	if size > u.max-u.written {
		return u.tooLarge(name)
	}
	if err := u.place(name, aFile); err != nil {
		return err
	}
	mode := fs.FileMode(0o644)
	if executable {
		mode = 0o755
	}
	f, err := u.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	e := Entry{Path: name}
	if err := u.copy(&e, f, content); err != nil {
		f.Close()
		return err
	}
	u.entries = append(u.entries, e)
	return f.Close()
}

func (u *unpacker) copy(e *Entry, f *os.File, content io.Reader) error {
	hash := sha256.New()
	for {
		if u.ctx.Err() != nil {
			return context.Cause(u.ctx)
		}
		n, err := content.Read(u.buffer)
		if int64(n) > u.max-u.written {
			return u.tooLarge(e.Path)
		}
		if _, writeErr := f.Write(u.buffer[:n]); writeErr != nil {
			return writeErr
		}
		hash.Write(u.buffer[:n])
		e.Size += int64(n)
		u.written += int64(n)
		if errors.Is(err, io.EOF) {
			hash.Sum(e.Sum[:0])
			return nil
		}
		if err != nil {
			return u.unread(e.Path, err)
		}
	}
}

// unread is an error of reading the archive: its own, unless the disk is at fault.
func (u *unpacker) unread(entry string, err error) error {
	var system *fs.PathError
	var limit *LimitError
	if errors.As(err, &system) || errors.As(err, &limit) {
		return err
	}
	if entry == "" {
		return &MalformedError{What: "it is damaged", Err: err}
	}
	return &MalformedError{Entry: entry, What: "or what comes after it is damaged", Err: err}
}

// hardLink copies the file that the archive has under another name already: not every
// file system has such links, and no model has reason to be large by them.
func (u *unpacker) hardLink(name, target string) error {
	first, err := clean(target)
	if err != nil {
		return err
	}
	if u.names.kinds[first] != aFile {
		return &RefusedError{Entry: name, What: "is a link to what is no file in front of it in the archive, " + at(target)}
	}
	f, err := u.root.Open(first)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return u.file(name, info.Mode()&0o100 != 0, info.Size(), f)
}

// symlink notes a link, which is made when all files are there.
func (u *unpacker) symlink(name, target string) error {
	switch {
	case name == "." || target == "" || path.IsAbs(target):
		return &RefusedError{Entry: name, What: "is a link out of the archive, to " + at(target)}
	case len(target) > maxTarget:
		return &LimitError{Entry: name, What: "is a link to too long a path, in bytes", Limit: maxTarget}
	case !utf8.ValidString(target) || strings.ContainsFunc(target, unicode.IsControl) || strings.Contains(target, `\`):
		return &RefusedError{Entry: name, What: "is a link to a name with control characters, backslashes, or in another encoding than UTF-8"}
	}
	if err := u.place(name, aLink); err != nil {
		return err
	}
	u.entries = append(u.entries, Entry{Path: name, Link: target})
	return nil
}

// link makes the links, now that nothing will be written through them any more.
func (u *unpacker) link() error {
	for _, e := range u.entries {
		if e.Link != "" {
			if err := u.root.Symlink(e.Link, e.Path); err != nil {
				return err
			}
		}
	}
	return CheckLinks(u.root, u.entries)
}

// CheckLinks follows the links among what lies in a directory, and refuses those that
// lead out of it, or nowhere. [os.Root] resolves them as the system does, one after
// the other: what their text looks like says nothing where one leads through another.
func CheckLinks(root *os.Root, entries []Entry) error {
	for _, e := range entries {
		if e.Link == "" {
			continue
		}
		if _, err := root.Stat(e.Path); err != nil {
			return &RefusedError{Entry: e.Path, What: "is a link out of the archive, or to nothing in it, " + at(e.Link)}
		}
	}
	return nil
}
