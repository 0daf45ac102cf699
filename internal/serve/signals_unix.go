//go:build unix

package serve

import (
	"os"
	"syscall"
)

// Signals are those that [Server.Run] understands.
func Signals() []os.Signal { return []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} }

// isReload reports whether a signal asks for a reload.
func isReload(s os.Signal) bool { return s == syscall.SIGHUP }
