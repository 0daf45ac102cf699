package archive

import (
	"archive/zip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// zip unpacks what the directory at the end of a .zip names.
func (u *unpacker) zip(file *os.File) error {
	if err := checkZipEnd(file, u.size); err != nil {
		return err
	}
	archive := &bounded{r: file, left: maxZipDirectory}
	r, err := zip.NewReader(archive, u.size)
	if err != nil {
		return u.unread("", err)
	}
	archive.data = u.advance // what follows is bounded by what is written
	for _, f := range r.File {
		if err := u.names.entry(); err != nil {
			return err
		}
		if err := u.zipEntry(f); err != nil {
			return err
		}
	}
	return nil
}

func (u *unpacker) zipEntry(f *zip.File) error {
	if u.ctx.Err() != nil {
		return context.Cause(u.ctx)
	}
	const encrypted = 0x1
	name, err := clean(f.Name)
	switch {
	case err != nil:
		return err
	case f.Flags&encrypted != 0:
		return &RefusedError{Entry: f.Name, What: "is encrypted"}
	case f.Method != zip.Store && f.Method != zip.Deflate:
		return &RefusedError{Entry: f.Name, What: fmt.Sprintf("is packed by method %d, which few programs know", f.Method)}
	case f.UncompressedSize64 > uint64(u.max-u.written):
		return u.tooLarge(f.Name)
	}
	switch f.Mode().Type() {
	case fs.ModeDir:
		return u.dir(name)
	case 0, fs.ModeSymlink:
	default:
		return &RefusedError{Entry: f.Name, What: "is no file, directory or link, but a device, a pipe or the like"}
	}
	content, err := f.Open()
	if err != nil {
		return u.unread(f.Name, err)
	}
	defer content.Close()
	if f.Mode().Type() == 0 {
		return u.file(name, f.Mode()&0o100 != 0, int64(f.UncompressedSize64), content)
	}
	target, err := io.ReadAll(io.LimitReader(content, maxTarget+1))
	if err != nil {
		return u.unread(f.Name, err)
	}
	return u.symlink(name, string(target))
}

// maxZipDirectory bounds the directory of a .zip, which is kept in memory.
const maxZipDirectory = 16 << 20

// bounded is a .zip of which no more than so much is read until its data are.
type bounded struct {
	r    io.ReaderAt
	left int64
	data func(n int64) // is told what is read of the data
}

// ReadAt implements [io.ReaderAt].
func (b *bounded) ReadAt(p []byte, off int64) (int, error) {
	if b.data != nil {
		n, err := b.r.ReadAt(p, off)
		b.data(int64(n))
		return n, err
	}
	if int64(len(p)) > b.left {
		return 0, &LimitError{What: "its directory is too large, in bytes", Limit: maxZipDirectory}
	}
	b.left -= int64(len(p))
	return b.r.ReadAt(p, off)
}

// The records at the end of a .zip, as APPNOTE.TXT has them (4.3.14 to 4.3.16).
const (
	zipEnd           = "PK\x05\x06"
	zipEndSize       = 22
	zipEndCount      = 10 // where the number of files stands
	zipEndComment    = 20
	zip64Locator     = "PK\x06\x07"
	zip64LocatorSize = 20
	zip64LocatorEnd  = 8 // where it says where the following one is
	zip64End         = "PK\x06\x06"
	zip64EndSize     = 56
	zip64EndCount    = 32
	maxZipComment    = 0xffff
)

// checkZipEnd sees that a .zip ends where its directory says, and that it names no more
// files than may be: the library would make room for as many as it says.
func checkZipEnd(file io.ReaderAt, size int64) error {
	cut := &MalformedError{What: "it is cut off, or there is something after its end: a .zip ends with its directory"}
	block := make([]byte, min(size, zipEndSize+maxZipComment))
	if _, err := file.ReadAt(block, size-int64(len(block))); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	at := -1
	for i := len(block) - zipEndSize; i >= 0; i-- {
		if string(block[i:i+4]) == zipEnd {
			at = i
			break
		}
	}
	if at < 0 || at+zipEndSize+int(binary.LittleEndian.Uint16(block[at+zipEndComment:])) != len(block) {
		return cut
	}
	count := uint64(binary.LittleEndian.Uint16(block[at+zipEndCount:]))
	large, err := zip64Count(file, size-int64(len(block)-at))
	if err != nil {
		return err
	}
	if max(count, large) > maxEntries {
		return &LimitError{What: "it has too many files", Limit: maxEntries}
	}
	return nil
}

// zip64Count is the number of files that the record for large files names; 0 without.
func zip64Count(file io.ReaderAt, end int64) (uint64, error) {
	var locator [zip64LocatorSize]byte
	if end < zip64LocatorSize {
		return 0, nil
	}
	if _, err := file.ReadAt(locator[:], end-zip64LocatorSize); err != nil {
		return 0, err
	}
	if string(locator[:4]) != zip64Locator {
		return 0, nil
	}
	at := binary.LittleEndian.Uint64(locator[zip64LocatorEnd:])
	if at > uint64(end-zip64LocatorSize) {
		return 0, &MalformedError{What: "its directory is damaged"}
	}
	var record [zip64EndSize]byte
	if _, err := file.ReadAt(record[:], int64(at)); err != nil {
		return 0, &MalformedError{What: "its directory is damaged", Err: err}
	}
	if string(record[:4]) != zip64End {
		return 0, &MalformedError{What: "its directory is damaged"}
	}
	return binary.LittleEndian.Uint64(record[zip64EndCount:]), nil
}
