package serve

import (
	"os"
	"path/filepath"
)

// fingerprint tells cheaply whether a file may have changed: where it really is
// (the symlink swap of Kubernetes volumes changes that and nothing else), how
// long it is, and when it was written.
type fingerprint struct {
	path     string
	size     int64
	modified int64  // in nanoseconds
	inode    uint64 // 0 where the system does not tell
}

func fingerprintOf(path string) (fingerprint, error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return fingerprint{}, err
	}
	info, err := os.Stat(real)
	if err != nil {
		return fingerprint{}, err
	}
	return fingerprint{path: real, size: info.Size(), modified: info.ModTime().UnixNano(), inode: inode(info)}, nil
}
