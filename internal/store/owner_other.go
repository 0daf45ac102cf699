//go:build !unix

package store

import "os"

// ours cannot be told here.
func ours(os.FileInfo) bool { return true }

// alive cannot be told here: a lock of a process that ended expires.
func alive(int) bool { return true }
