package model

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"

	"mizzen.dev/internal/format/pickle"
)

// readFile returns the bytes of a file, and its digest when that is computed.
func readFile(file func() (fs.File, error), limit int64) (data []byte, digest <-chan string, err error) {
	f, err := file()
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	if info.IsDir() {
		return nil, nil, fmt.Errorf("%s is a directory, not a model file", info.Name())
	}
	tooLarge := &pickle.LimitError{What: "bytes", Limit: limit, Flag: "--max-bytes"}
	if info.Size() > limit {
		return nil, nil, tooLarge
	}
	if info.Mode().IsRegular() {
		data = make([]byte, info.Size())
		digest, err = readAndDigest(f, data)
	} else { // a pipe does not know its size
		if data, err = io.ReadAll(io.LimitReader(f, limit+1)); int64(len(data)) > limit {
			return nil, nil, tooLarge
		}
		parts, sum := startDigest(1)
		parts <- data
		close(parts)
		digest = sum
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading %s: %w", info.Name(), err)
	}
	return data, digest, nil
}

// digestPart is how much is read before its digest begins: the digest takes
// longer than all the rest of the work on a large file, so it starts early and
// goes on beside it.
const digestPart = 1 << 20

// readAndDigest fills data from f. It does not wait for the digest.
func readAndDigest(f io.Reader, data []byte) (<-chan string, error) {
	parts, digest := startDigest(len(data)/digestPart + 1) // reading never waits for it
	defer close(parts)
	for rest := data; len(rest) > 0; {
		part := rest[:min(digestPart, len(rest))]
		if _, err := io.ReadFull(f, part); err != nil {
			return nil, err
		}
		parts <- part
		rest = rest[len(part):]
	}
	return digest, nil
}

// startDigest returns where the parts of a file go, of which n may wait, and
// where their digest comes from when parts is closed.
func startDigest(n int) (parts chan<- []byte, digest <-chan string) {
	in, out := make(chan []byte, n), make(chan string, 1)
	go func() {
		h := sha256.New()
		for part := range in {
			h.Write(part)
		}
		out <- "sha256:" + hex.EncodeToString(h.Sum(nil))
	}()
	return in, out
}
