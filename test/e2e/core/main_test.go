//go:build e2e

// Package core has Models on a cluster that has nothing else.
package core

import (
	"os"
	"testing"

	"mizzen.dev/test/e2e/bed"
)

var shared = bed.NewShared(nil)

func TestMain(m *testing.M) { os.Exit(shared.Run(m)) }
