//go:build unix

package store

import (
	"errors"
	"os"
	"syscall"
)

// ours reports whether a file belongs to the user who runs this: what others put
// there is not what we fetched.
func ours(info os.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}

// alive reports whether there is such a process on this machine.
func alive(pid int) bool {
	return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
}
