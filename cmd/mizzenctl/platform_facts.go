package main

import (
	"context"
	"io"

	"mizzen.dev/internal/platform"
)

// loadPlatform reads the platform file and asks the cluster, as the flags say.
func (o *renderOptions) loadPlatform(ctx context.Context, notes io.Writer) (*platform.Platform, error) {
	p := platform.Bare()
	if o.platform != "" {
		var err error
		if p, err = platform.Load(o.platform); err != nil {
			return nil, err
		}
	}
	if !o.cluster.fromCluster {
		return p, nil
	}
	found, err := o.cluster.discover(ctx, notes)
	if err != nil {
		return nil, err
	}
	found.Into(p)
	return p, nil
}
