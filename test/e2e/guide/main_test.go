//go:build e2e

// Package guide does what docs/guide.md says, command by command, on a real cluster that
// has all that the guide wants of one.
package guide

import (
	"context"
	"os"
	"testing"

	"mizzen.dev/test/cluster"
	"mizzen.dev/test/e2e/bed"
)

var (
	shared     = bed.NewBare(prepare)
	edge       *cluster.Edge
	acme       *cluster.ACME
	prometheus *cluster.Prometheus
	imageTools []string // folders of programs
)

func TestMain(m *testing.M) { os.Exit(shared.Run(m)) }

// prepare starts what the guide's first lines ask for.
func prepare(ctx context.Context, b *bed.Bed) (err error) {
	if edge, acme, err = b.StartEdge(ctx); err != nil {
		return err
	}
	if prometheus, err = b.StartScale(ctx); err != nil {
		return err
	}
	if err = b.StartKyverno(ctx); err != nil {
		return err
	}
	imageTools, err = b.ImageTools(ctx)
	return err
}
