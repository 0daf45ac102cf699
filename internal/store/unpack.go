package store

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"mizzen.dev/internal/archive"
)

// noteName is the file in an unpacked directory that says what is in it. It is written
// before the directory takes its place, so that one without it is not ours.
const noteName = ".mizzen.json"

// unpacked is what the file says.
type unpacked struct {
	Digest string `json:"digest"` // of the archive
	Bytes  int64  `json:"bytes"`  // of the archive
	Layout Layout `json:"layout"`
	Files  int    `json:"files"`
	// Contents is the digest of all names and contents, so that a directory in which
	// something was changed or lost is made anew.
	Contents string `json:"contents"`
}

// maxUnpackedNote bounds the file.
const maxUnpackedNote = 4 << 10

// beside is the path of something that lies beside the file or directory to make.
func (f *fetcher) beside(suffix string) string {
	dir, name := filepath.Split(f.Path)
	return filepath.Join(dir, "."+name+suffix)
}

// file is where the download goes: to its place, or to be unpacked from there.
func (f *fetcher) file() string {
	if f.Unpack == "" {
		return f.Path
	}
	return f.beside(".archive")
}

// thereUnpacked looks whether the directory holds what the archive with the digest does.
func (f *fetcher) thereUnpacked() (Result, bool) {
	note, err := readUnpacked(f.Path)
	return note.result(), err == nil && strings.EqualFold(note.Digest, f.Digest) && f.intact(note)
}

// intact reports whether the directory is as it was unpacked, in the layout asked for.
func (f *fetcher) intact(note unpacked) bool {
	if note.Layout != f.Unpack {
		return false
	}
	root, err := os.OpenRoot(f.Path)
	if err != nil {
		return false
	}
	defer root.Close()
	entries, err := list(root)
	if err != nil || contents(entries) != note.Contents {
		f.Log.Warn("the directory was changed; making it anew", "path", f.Path)
		return false
	}
	return true
}

func (n unpacked) result() Result { return Result{Digest: n.Digest, Bytes: n.Bytes, Files: n.Files} }

func readUnpacked(dir string) (unpacked, error) {
	var n unpacked
	text, err := readUpTo(filepath.Join(dir, noteName), maxUnpackedNote)
	if err != nil {
		return n, err
	}
	return n, json.Unmarshal(text, &n)
}

// list returns what lies in a directory, but for the note, as unpacking returns it.
func list(root *os.Root) ([]archive.Entry, error) {
	var entries []archive.Entry
	err := fs.WalkDir(root.FS(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == "." || path == noteName {
			return err
		}
		e := archive.Entry{Path: path, Dir: d.IsDir()}
		switch d.Type() {
		case fs.ModeDir:
		case fs.ModeSymlink:
			e.Link, err = root.Readlink(path)
		case 0:
			err = digestIn(root, &e)
		default:
			err = fmt.Errorf("%s is a %s", path, d.Type())
		}
		entries = append(entries, e)
		return err
	})
	slices.SortFunc(entries, func(a, b archive.Entry) int { return strings.Compare(a.Path, b.Path) })
	return entries, err
}

func digestIn(root *os.Root, e *archive.Entry) error {
	f, err := root.Open(e.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	hash := sha256.New()
	e.Size, err = io.Copy(hash, f)
	hash.Sum(e.Sum[:0])
	return err
}

// contents is the digest of entries that are sorted by their paths.
func contents(entries []archive.Entry) string {
	hash := sha256.New()
	for _, e := range entries {
		switch {
		case e.Dir:
			fmt.Fprintf(hash, "dir %q\n", e.Path)
		case e.Link != "":
			fmt.Fprintf(hash, "link %q %q\n", e.Path, e.Link)
		default:
			fmt.Fprintf(hash, "file %q %d %x\n", e.Path, e.Size, e.Sum)
		}
	}
	return digestText(hash.Sum(nil))
}

// ReplaceError says that something stands where the directory should, which was not
// unpacked there before.
type ReplaceError struct{ Path, What string }

func (e *ReplaceError) Error() string {
	return fmt.Sprintf("%s is %s: name a directory that is not there yet, or remove it", e.Path, e.What)
}

// replaceable sees that nothing of anybody's is lost when the directory takes its place.
func (f *fetcher) replaceable() error {
	info, err := os.Lstat(f.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return &VolumeError{Path: f.Path, Err: err}
	case !info.IsDir():
		return &ReplaceError{Path: f.Path, What: "no directory"}
	}
	if _, err := readUnpacked(f.Path); err == nil {
		return nil
	}
	entries, err := os.ReadDir(f.Path)
	if err != nil {
		return &VolumeError{Path: f.Path, Err: err}
	}
	if len(entries) > 0 {
		return &ReplaceError{Path: f.Path, What: "a directory with files that were not unpacked there"}
	}
	return nil
}

// unpack fetches the archive, verifies it, unpacks it beside its place and puts it
// there in one step.
func (f *fetcher) unpack(ctx context.Context) (Result, error) {
	result, ok := f.thereFile(f.file()) // one that ended before it had unpacked it
	if !ok {
		var err error
		if result, err = f.download(ctx); err != nil {
			return Result{}, err
		}
	}
	result, err := f.unpackFile(ctx, result)
	if ctx.Err() == nil || f.Digest == "" { // else who goes on later need not fetch it again
		os.Remove(f.file())
	}
	return result, err
}

func (f *fetcher) unpackFile(ctx context.Context, result Result) (Result, error) {
	if n, err := readUnpacked(f.Path); err == nil && f.Digest == "" && n.Digest == result.Digest && f.intact(n) {
		// Somebody may be serving it. Who waits for it sees that it was looked at.
		now := time.Now()
		_ = os.Chtimes(f.Path, now, now)
		return n.result(), nil
	}
	f.clear()
	work, err := os.MkdirTemp(filepath.Dir(f.beside("")), filepath.Base(f.beside(workSuffix))+"*")
	if err != nil {
		return Result{}, &VolumeError{Path: f.Path, Err: err}
	}
	defer os.RemoveAll(work)
	entries, err := f.unpackInto(ctx, filepath.Join(work, "archive"))
	if err != nil {
		return Result{}, err
	}
	made := filepath.Join(work, "made")
	entries, err = f.Unpack.arrange(filepath.Join(work, "archive"), made, filepath.Base(f.Path), entries)
	if err != nil {
		return Result{}, f.unpackError(err)
	}
	note := unpacked{Digest: result.Digest, Bytes: result.Bytes, Layout: f.Unpack, Contents: contents(entries)}
	for _, e := range entries {
		if !e.Dir {
			note.Files++
		}
	}
	if err := note.write(made); err != nil {
		return Result{}, f.unpackError(err)
	}
	if ctx.Err() != nil {
		return Result{}, context.Cause(ctx)
	}
	if err := f.replace(made, filepath.Join(work, "old")); err != nil {
		return Result{}, f.unpackError(err)
	}
	result = note.result()
	result.Fetched = true
	return result, nil
}

// workSuffix is of the directories in which archives are unpacked. Each has a name of
// its own: two that take themselves for the owner of the lock do not meet.
const workSuffix = ".unpacking-"

// clear removes what others have left that ended in their work.
func (f *fetcher) clear() {
	prefix := f.beside(workSuffix)
	entries, err := os.ReadDir(filepath.Dir(prefix))
	if err != nil {
		return // what comes next finds out
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), filepath.Base(prefix)) {
			os.RemoveAll(filepath.Join(filepath.Dir(prefix), e.Name()))
		}
	}
}

func (f *fetcher) unpackInto(ctx context.Context, dir string) ([]archive.Entry, error) {
	if err := os.Mkdir(dir, 0o755); err != nil { //nolint:gosec // models are no secret on the volume
		return nil, &VolumeError{Path: f.Path, Err: err}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, &VolumeError{Path: f.Path, Err: err}
	}
	defer root.Close()
	file, err := os.Open(f.file())
	if err != nil {
		return nil, &VolumeError{Path: f.Path, Err: err}
	}
	defer file.Close()
	f.Log.Info("unpacking", "path", f.Path)
	entries, err := archive.Unpack(ctx, file, root, archive.Options{MaxBytes: f.MaxBytes, Progress: f.Unpacking})
	return entries, f.unpackError(err)
}

// unpackError tells what is wrong with an archive from what is with the volume.
func (f *fetcher) unpackError(err error) error {
	var system syscall.Errno
	if errors.As(err, &system) {
		return &VolumeError{Path: f.Path, Err: err}
	}
	return err
}

func (n unpacked) write(dir string) error {
	text, err := json.Marshal(n)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(filepath.Join(dir, noteName), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // it is no secret
	if errors.Is(err, fs.ErrExist) {
		return &archive.RefusedError{Entry: noteName, What: "has a name that mizzen writes itself"}
	}
	if err != nil {
		return err
	}
	_, err = file.Write(append(text, '\n'))
	return errors.Join(err, file.Close())
}

// replace puts the directory in its place; what is there goes aside.
func (f *fetcher) replace(made, old string) error {
	if err := f.replaceable(); err != nil {
		return err
	}
	err := os.Rename(f.Path, old)
	if errors.Is(err, syscall.EBUSY) {
		return &ReplaceError{Path: f.Path, What: "where a volume is mounted"}
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(made, f.Path); err != nil {
		_ = os.Rename(old, f.Path) // what was there is better than nothing
		return err
	}
	return nil
}
