//go:build linux

package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"time"

	"mizzen.dev/model"
)

// openings is how often the forest is opened.
const openings = 15

// open measures how long a forest of 18 MB takes to open, beside its digest
// alone. The forest is trained once and kept.
func open(ctx context.Context, python string) error {
	cache, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	path := filepath.Join(cache, "mizzen", "bench", "forest.joblib")
	if _, err := os.Stat(path); err != nil {
		fmt.Fprintln(os.Stderr, "training a forest of 18 MB")
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			return err
		}
		if out, err := exec.CommandContext(ctx, python, "test/bench/peers/forest.py", path).CombinedOutput(); err != nil {
			fmt.Printf("\nNot measured: opening a forest of 18 MB, which %s could not train: %s\n", python, out)
			return nil
		}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var opened, digested []float64
	for range openings {
		start := time.Now()
		sha256.Sum256(data)
		digested = append(digested, float64(time.Since(start))/1e6)
		debug.FreeOSMemory() // as for a new process
		start = time.Now()
		if _, err := model.Open(ctx, path, model.Options{}); err != nil {
			return err
		}
		opened = append(opened, float64(time.Since(start))/1e6)
	}
	fmt.Printf("\nA forest of %.1f MB opens in %.1f ms (median of %d); its digest alone takes %.1f ms.\n",
		float64(len(data))/1e6, median(opened), openings, median(digested))
	return nil
}
