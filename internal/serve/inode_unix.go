//go:build unix

package serve

import (
	"io/fs"
	"syscall"
)

// inode returns the number of the file: a rename over it changes that even where
// size and time are the same.
func inode(info fs.FileInfo) uint64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(stat.Ino)
	}
	return 0
}
