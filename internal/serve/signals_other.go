//go:build !unix

package serve

import (
	"os"
	"syscall"
)

// Signals are those that [Server.Run] understands.
func Signals() []os.Signal { return []os.Signal{os.Interrupt, syscall.SIGTERM} }

// isReload reports whether a signal asks for a reload: there is none here.
func isReload(os.Signal) bool { return false }
