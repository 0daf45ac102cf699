package rpc

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"mizzen.dev/internal/serve"
)

// health is the standard health service: the server as a whole, under the empty
// name, and each gRPC service serve when the server is ready. It stops before
// the listener does, so that balancers look elsewhere in time.
type health struct {
	healthpb.UnimplementedHealthServer
	core     *serve.Core
	services func() map[string]grpc.ServiceInfo
	stopping <-chan struct{}
}

func (h *health) Check(_ context.Context, req *healthpb.HealthCheckRequest) (*healthpb.HealthCheckResponse, error) {
	if !h.known(req.GetService()) {
		return nil, status.Errorf(codes.NotFound, "no service %q here", req.GetService())
	}
	return &healthpb.HealthCheckResponse{Status: h.status()}, nil
}

func (h *health) List(context.Context, *healthpb.HealthListRequest) (*healthpb.HealthListResponse, error) {
	now := &healthpb.HealthCheckResponse{Status: h.status()}
	statuses := map[string]*healthpb.HealthCheckResponse{"": now}
	for name := range h.services() {
		statuses[name] = now
	}
	return &healthpb.HealthListResponse{Statuses: statuses}, nil
}

// Watch sends the status, and again whenever it changes.
func (h *health) Watch(req *healthpb.HealthCheckRequest, stream healthpb.Health_WatchServer) error {
	last := healthpb.HealthCheckResponse_UNKNOWN
	for {
		changed := h.core.Changed()
		now := h.status()
		if !h.known(req.GetService()) {
			now = healthpb.HealthCheckResponse_SERVICE_UNKNOWN
		}
		if now != last {
			if err := stream.Send(&healthpb.HealthCheckResponse{Status: now}); err != nil {
				return err
			}
			last = now
		}
		select {
		case <-changed:
		case <-h.stopping:
			return errStopping
		case <-stream.Context().Done():
			return stream.Context().Err()
		}
	}
}

func (h *health) known(service string) bool {
	_, ok := h.services()[service]
	return ok || service == ""
}

func (h *health) status() healthpb.HealthCheckResponse_ServingStatus {
	if h.core.Ready() != nil {
		return healthpb.HealthCheckResponse_NOT_SERVING
	}
	return healthpb.HealthCheckResponse_SERVING
}
