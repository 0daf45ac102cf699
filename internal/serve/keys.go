package serve

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
)

// Keys are the API keys that open the server. Only their digests are kept, so
// that no log or dump can show one, and comparing takes the same time whatever
// the key.
type Keys struct {
	fixed   []keyDigest // from the environment or the configuration
	current atomic.Pointer[[]keyDigest]
	path    string
	print   fingerprint
}

type keyDigest [sha256.Size]byte

// maxKey bounds the length of a key, and of what is compared with the keys.
const maxKey = 1024

// NewKeys returns the keys given and those in a file, if path is set: one a
// line; empty lines and those that start with # do not count. It returns nil if
// there are none and no file.
func NewKeys(given []string, path string) (*Keys, error) {
	if len(given) == 0 && path == "" {
		return nil, nil
	}
	k := &Keys{path: path}
	for _, key := range given {
		if len(key) > maxKey {
			return nil, fmt.Errorf("an API key has %d bytes; at most %d are allowed", len(key), maxKey)
		}
		k.fixed = append(k.fixed, sha256.Sum256([]byte(key)))
	}
	k.current.Store(&k.fixed)
	if path == "" {
		return k, nil
	}
	if _, err := k.Refresh(); err != nil {
		return nil, err
	}
	return k, nil
}

// Refresh reads the file again if it has changed, and says whether it did. If
// that fails the keys stay what they were.
func (k *Keys) Refresh() (changed bool, err error) {
	if k.path == "" {
		return false, nil
	}
	print, err := fingerprintOf(k.path)
	if err != nil {
		return false, fmt.Errorf("reading the API keys: %w", err)
	}
	if print == k.print {
		return false, nil
	}
	data, err := os.ReadFile(k.path)
	if err != nil {
		return false, fmt.Errorf("reading the API keys: %w", err)
	}
	keys, err := parseKeys(data)
	if err != nil {
		return false, fmt.Errorf("reading the API keys in %s: %w", k.path, err)
	}
	k.print = print
	all := append(k.fixed[:len(k.fixed):len(k.fixed)], keys...)
	k.current.Store(&all)
	return true, nil
}

func parseKeys(data []byte) ([]keyDigest, error) {
	var keys []keyDigest
	lines := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; lines.Scan(); n++ {
		key := strings.TrimSpace(lines.Text())
		switch {
		case key == "" || strings.HasPrefix(key, "#"):
		case len(key) > maxKey:
			return nil, fmt.Errorf("line %d is longer than %d bytes", n, maxKey)
		case strings.ContainsAny(key, " \t"):
			return nil, fmt.Errorf("line %d holds white space; write one key a line", n)
		default:
			keys = append(keys, sha256.Sum256([]byte(key)))
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, errors.New("the file holds no key")
	}
	return keys, nil
}

// Valid reports whether key is one of the keys.
func (k *Keys) Valid(key string) bool {
	if key == "" || len(key) > maxKey {
		return false
	}
	var buf [maxKey]byte
	digest := keyDigest(sha256.Sum256(buf[:copy(buf[:], key)]))
	found := 0
	for _, known := range *k.current.Load() {
		found |= subtle.ConstantTimeCompare(digest[:], known[:])
	}
	return found == 1
}
