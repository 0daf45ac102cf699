//go:build linux

package cluster

import "context"

// StartEdge starts all of the tier edge.
func (c *Cluster) StartEdge(ctx context.Context) (*Edge, *ACME, error) {
	edge, err := c.StartTraefik(ctx)
	if err != nil {
		return nil, nil, err
	}
	if err := c.StartCertManager(ctx); err != nil {
		return nil, nil, err
	}
	if !c.Own() {
		return edge, nil, nil
	}
	acme, err := c.StartACME(ctx, edge.Address)
	return edge, acme, err
}

// StartScale starts all of the tier scale.
func (c *Cluster) StartScale(ctx context.Context) (*Prometheus, error) {
	if err := c.StartMetricsServer(ctx); err != nil {
		return nil, err
	}
	prometheus, err := c.StartPrometheus(ctx)
	if err != nil {
		return nil, err
	}
	return prometheus, c.StartKEDA(ctx)
}
