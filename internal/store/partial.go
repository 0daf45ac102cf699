package store

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// partial is a file that has not come completely. It lies beside its place, as
// .NAME.part, with a note in .NAME.part.json of which version of what it is, so
// that another process goes on where this one ended.
//
// Two processes that both take themselves for the owner do no harm: bytes of one
// version are the same at the same offset, and another version is written to a
// new file.
type partial struct {
	target, path, note string
	key                string

	file    *os.File // nil: nothing is written yet
	hash    hash.Hash
	tag     string // version in the store; empty if it cannot be resumed
	written int64
	synced  int64
	resumed bool // its start was written by another process
}

// note is what is kept about a partial file.
type note struct {
	Key string `json:"key"` // of the address
	Tag string `json:"tag"`
	// Synced is how much of the file a crash of the machine leaves intact.
	Synced int64 `json:"synced"`
}

// syncEvery is how many bytes at most are fetched again after a crash.
const syncEvery = 64 << 20

// maxNote bounds the note.
const maxNote = 16 << 10

// openPartial finds what an earlier process has left of the same file, or nothing.
func openPartial(target, key string) *partial {
	dir, name := filepath.Split(target)
	p := &partial{target: target, path: filepath.Join(dir, "."+name+".part"), key: key, hash: sha256.New()}
	p.note = p.path + ".json"
	n, ok := p.read()
	if !ok {
		return p
	}
	f, err := os.OpenFile(p.path, os.O_RDWR, 0)
	if err != nil {
		return p // then there is nothing to resume
	}
	info, err := os.Lstat(p.path)
	opened, openedErr := f.Stat()
	if err != nil || openedErr != nil || !info.Mode().IsRegular() || !os.SameFile(info, opened) || !ours(info) || info.Size() < n.Synced {
		f.Close()
		return p // it may not be trusted
	}
	if _, err := io.CopyN(p.hash, f, n.Synced); err != nil {
		f.Close()
		p.hash.Reset()
		return p // it cannot be read; fetch it again
	}
	p.file, p.tag, p.written, p.synced, p.resumed = f, n.Tag, n.Synced, n.Synced, true
	return p
}

func (p *partial) read() (note, bool) {
	var n note
	text, err := readUpTo(p.note, maxNote)
	if err != nil || json.Unmarshal(text, &n) != nil {
		return n, false
	}
	return n, n.Key == p.key && n.Tag != "" && n.Synced > 0
}

// forget makes the next try start at the first byte.
func (p *partial) forget() { p.written, p.tag, p.resumed = 0, "", false }

// restart begins a new file for a version.
func (p *partial) restart(tag string) error {
	p.remove()
	// A new file, not the old one emptied: nobody else writes to it.
	f, err := os.OpenFile(p.path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // who serves it may be another user
	if err != nil {
		return &VolumeError{Path: p.target, Err: err}
	}
	p.file, p.tag, p.written, p.synced, p.resumed = f, tag, 0, 0, false
	p.hash.Reset()
	return nil
}

func (p *partial) write(b []byte) error {
	if _, err := p.file.WriteAt(b, p.written); err != nil {
		return &VolumeError{Path: p.target, Err: err}
	}
	p.hash.Write(b)
	p.written += int64(len(b))
	if p.written-p.synced >= syncEvery {
		return p.sync()
	}
	return nil
}

// sync makes what is written outlive a crash, and notes how much that is.
func (p *partial) sync() error {
	if err := p.file.Sync(); err != nil {
		return &VolumeError{Path: p.target, Err: err}
	}
	p.synced = p.written
	if p.tag == "" {
		return nil
	}
	text, err := json.Marshal(note{Key: p.key, Tag: p.tag, Synced: p.synced})
	if err != nil {
		return err
	}
	if err := os.WriteFile(p.note, text, 0o600); err != nil {
		return &VolumeError{Path: p.target, Err: err}
	}
	return nil
}

func (p *partial) digest() string { return digestText(p.hash.Sum(nil)) }

// commit puts the file in its place.
func (p *partial) commit() error {
	if err := p.file.Truncate(p.written); err != nil {
		return &VolumeError{Path: p.target, Err: err}
	}
	if err := p.file.Sync(); err != nil {
		return &VolumeError{Path: p.target, Err: err}
	}
	if err := p.file.Close(); err != nil {
		return &VolumeError{Path: p.target, Err: err}
	}
	p.file = nil
	if err := os.Rename(p.path, p.target); err != nil {
		return &VolumeError{Path: p.target, Err: err}
	}
	os.Remove(p.note)
	return nil
}

// close keeps what has come, if it can be resumed.
func (p *partial) close() {
	if p.file == nil {
		return
	}
	if p.tag == "" || p.written == 0 || p.sync() != nil {
		p.remove()
		return
	}
	p.file.Close()
	p.file = nil
}

// remove gives up what has come.
func (p *partial) remove() {
	if p.file != nil {
		p.file.Close()
		p.file = nil
	}
	for _, path := range []string{p.note, p.path} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return // whoever needs the place finds out
		}
	}
}
