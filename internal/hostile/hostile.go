// Package hostile has the corpus of files that a safe loader must survive:
// calls of code, bombs, endless nesting, truncations, flipped bits, malformed
// trees and arrays. Tests run it through the reader of a format and through the
// whole way from file to model.
//
// The files are assembled byte by byte, the corpus is made by
//
//	python test/fixtures/cases/hostile.py OUT internal/hostile/testdata/corpus.tar.gz pkl joblib npy "zip of pkl"
//
// The command in those that would run one is echo.
package hostile

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"
)

//go:embed testdata/corpus.tar.gz
var corpus []byte

// Entry is one file of the corpus.
type Entry struct {
	Name   string `json:"name"`
	File   string `json:"file"`
	Format string `json:"format"` // pkl, joblib or npy
	Why    string `json:"why"`    // what is wrong with it
	// Expect is "refuse" if there must be an error and never a model, or
	// "load-or-refuse" if both will do.
	Expect   string  `json:"expect"`
	MemoryMB int64   `json:"memory_mb"` // that may be allocated beyond twice the file's size
	Seconds  float64 `json:"seconds"`   // that reading may take
	Data     []byte  `json:"-"`
}

// Refuse reports whether reading must end with an error.
func (e Entry) Refuse() bool { return e.Expect == "refuse" }

// Control reports whether the file is valid: made as its neighbours, with
// nothing wrong.
func (e Entry) Control() bool { return strings.HasSuffix(e.Name, "-00-control") }

// Entries returns the corpus; archives of many files are taken apart.
func Entries() ([]Entry, error) {
	unzipped, err := gzip.NewReader(bytes.NewReader(corpus))
	if err != nil {
		return nil, err
	}
	files := make(map[string][]byte)
	for archive := tar.NewReader(unzipped); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if files[header.Name], err = io.ReadAll(archive); err != nil {
			return nil, err
		}
	}
	var listed, entries []Entry
	if err := json.Unmarshal(files["hostile.json"], &listed); err != nil {
		return nil, fmt.Errorf("reading hostile.json: %w", err)
	}
	for _, e := range listed {
		e.Data = files[e.File]
		if !strings.HasPrefix(e.Format, "zip of ") {
			entries = append(entries, e)
			continue
		}
		members, err := e.members()
		if err != nil {
			return nil, err
		}
		entries = append(entries, members...)
	}
	return entries, nil
}

// members returns the files of an archive: those that are cut short are to be
// refused, those with a flipped bit may load.
func (e Entry) members() ([]Entry, error) {
	archive, err := zip.NewReader(bytes.NewReader(e.Data), int64(len(e.Data)))
	if err != nil {
		return nil, err
	}
	var out []Entry
	for _, f := range archive.File {
		r, err := f.Open()
		if err != nil {
			return nil, err
		}
		m := e
		m.Format = strings.TrimPrefix(e.Format, "zip of ")
		m.File, m.Name = f.Name, strings.TrimSuffix(f.Name, "."+m.Format)
		m.Why, m.Expect = "a tree with one bit flipped", "load-or-refuse"
		if strings.HasPrefix(m.Name, "cut-") {
			m.Why, m.Expect = "a tree cut short", "refuse"
		}
		if m.Data, err = io.ReadAll(r); err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

// Each runs read on every file of the corpus, a subtest each, and fails those
// that take more time or allocate more memory than they may, are read although
// they are to be refused, or are valid and refused. judge, if not nil, says
// whether what must be refused is for this reader to refuse.
func Each(t *testing.T, read func(Entry) error, judge func(Entry) bool) {
	t.Helper()
	entries, err := Entries()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		t.Run(e.File, func(t *testing.T) {
			elapsed, allocated, err := measure(e, read)
			if limit := time.Duration(e.Seconds * slowdown * float64(time.Second)); elapsed > limit {
				t.Errorf("%s: took %v, allowed are %v", e.Why, elapsed, limit)
			}
			if limit := uint64(e.MemoryMB<<20) + 2*uint64(len(e.Data)); allocated > limit {
				t.Errorf("%s: allocated %d bytes, allowed are %d", e.Why, allocated, limit)
			}
			if err == nil && e.Refuse() && (judge == nil || judge(e)) {
				t.Errorf("%s: was read, expected an error", e.Why)
			}
			if err != nil && e.Control() {
				t.Errorf("%s: %v", e.Why, err)
			}
		})
	}
}

// measure returns what reading took: all memory that was allocated, which is
// no less than what was in use at any moment.
func measure(e Entry, read func(Entry) error) (elapsed time.Duration, allocated uint64, err error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	err = read(e)
	elapsed = time.Since(start)
	runtime.ReadMemStats(&after)
	return elapsed, after.TotalAlloc - before.TotalAlloc, err
}
