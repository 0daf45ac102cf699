// Package rpc is the gRPC way into the server: the Open Inference Protocol with
// its streaming and repository extensions, the standard health service, and
// reflection. It turns calls into those of [serve.Core] and errors into statuses.
package rpc

import (
	"context"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/tap"

	"mizzen.dev/internal/config"
	"mizzen.dev/internal/serve"
	"mizzen.dev/internal/wire/inference"
)

// Server is a gRPC server of a core's models. It is a [serve.Transport].
type Server struct {
	*grpc.Server
	stopping chan struct{}
	stop     sync.Once
}

// New returns a server that is ready to serve listeners.
func New(core *serve.Core) *Server {
	s := &Server{stopping: make(chan struct{})}
	s.Server = grpc.NewServer(options(core, s.stopping)...)
	s.RegisterService(serviceDesc(), newService(core))
	healthpb.RegisterHealthServer(s, &health{core: core, services: s.GetServiceInfo, stopping: s.stopping})
	reflection.Register(s)
	return s
}

// GracefulStop tells clients to go elsewhere (GOAWAY), and returns when the calls
// at work are over. A stream ends after the request at hand.
func (s *Server) GracefulStop() {
	s.stop.Do(func() { close(s.stopping) })
	s.Server.GracefulStop()
}

// The interval of keepalive pings. A client that pings more often than minPing
// is sent away.
const (
	pingInterval = time.Minute
	pingTimeout  = 20 * time.Second
	minPing      = 5 * time.Second
)

func options(core *serve.Core, stopping <-chan struct{}) []grpc.ServerOption {
	cfg := core.Config
	guard := &guard{core: core, stopping: stopping}
	opts := []grpc.ServerOption{
		grpc.ForceServerCodecV2(codec{}),
		grpc.MaxRecvMsgSize(int(cfg.MaxBody)), // counted after decompression
		grpc.MaxConcurrentStreams(uint32(cfg.MaxStreams)),
		grpc.MaxHeaderListSize(uint32(cfg.MaxHeader)),
		grpc.ConnectionTimeout(cfg.HeaderTimeout),
		grpc.KeepaliveParams(keepalive.ServerParameters{
			MaxConnectionIdle: cfg.IdleTimeout,
			Time:              pingInterval,
			Timeout:           pingTimeout,
		}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: minPing, PermitWithoutStream: true}),
		grpc.InTapHandle(deadline(cfg)),
		grpc.UnaryInterceptor(guard.unary),
		grpc.StreamInterceptor(guard.stream),
	}
	if tls := core.TLS(); tls != nil {
		opts = append(opts, grpc.Creds(credentials.NewTLS(tls)))
	}
	return opts
}

// deadline ends a call whose client is too slow to send it, or that works too
// long. A stream may last. The gate may end the call earlier.
func deadline(cfg *config.Config) tap.ServerInHandle {
	limit := cfg.ReadTimeout + cfg.RequestTimeout
	return func(ctx context.Context, call *tap.Info) (context.Context, error) {
		switch call.FullMethodName {
		case inference.GRPCInferenceService_ModelStreamInfer_FullMethodName, healthpb.Health_Watch_FullMethodName:
			return ctx, nil
		}
		ctx, cancel := context.WithTimeout(ctx, limit) // the call's own context, which ends with it, ends this one
		return &callContext{Context: ctx, cancel: cancel}, nil
	}
}
