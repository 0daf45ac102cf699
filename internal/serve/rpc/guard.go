package rpc

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"mizzen.dev/internal/config"
	"mizzen.dev/internal/serve"
	"mizzen.dev/internal/wire/inference"
)

// guard lets callers in or not, and ends streams when the server stops.
type guard struct {
	core     *serve.Core
	stopping <-chan struct{}
}

// group returns the group of paths to which a method belongs; false if the
// method asks for the caller's key itself.
func group(method string) (string, bool) {
	switch method {
	case inference.GRPCInferenceService_ModelInfer_FullMethodName, // serve.Core.Infer
		inference.GRPCInferenceService_RepositoryModelLoad_FullMethodName, // serve.Core.Load
		inference.GRPCInferenceService_RepositoryModelUnload_FullMethodName:
		return "", false
	case inference.GRPCInferenceService_ServerLive_FullMethodName, inference.GRPCInferenceService_ServerReady_FullMethodName,
		healthpb.Health_Check_FullMethodName, healthpb.Health_Watch_FullMethodName, healthpb.Health_List_FullMethodName:
		return config.GroupProbes, true
	case inference.GRPCInferenceService_ModelReady_FullMethodName,
		inference.GRPCInferenceService_ServerMetadata_FullMethodName, inference.GRPCInferenceService_ModelMetadata_FullMethodName,
		inference.GRPCInferenceService_RepositoryIndex_FullMethodName:
		return config.GroupMetadata, true
	case inference.GRPCInferenceService_ModelStreamInfer_FullMethodName:
		// serve.Core.Infer checks each message; this keeps strangers from
		// opening streams, and takes nothing from the caller's rate.
		return config.GroupMetadata, true
	}
	return config.GroupDocs, true // reflection
}

func (g *guard) authorize(ctx context.Context, method string) error {
	name, ok := group(method)
	if !ok {
		return nil
	}
	if err := g.core.Authorize(caller(ctx, g.core.Config), name); err != nil {
		return fail(ctx, g.core, err)
	}
	return nil
}

func (g *guard) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (answer any, err error) {
	if g.core.Config.AccessLog {
		defer func(start time.Time) { logCall(ctx, g.core, info.FullMethod, err, start) }(time.Now())
	}
	defer rescue(ctx, g.core, &err)
	if err := g.authorize(ctx, info.FullMethod); err != nil {
		return nil, err
	}
	return handler(ctx, req)
}

func (g *guard) stream(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
	if g.core.Config.AccessLog {
		defer func(start time.Time) { logCall(stream.Context(), g.core, info.FullMethod, err, start) }(time.Now())
	}
	defer rescue(stream.Context(), g.core, &err)
	if err := g.authorize(stream.Context(), info.FullMethod); err != nil {
		return err
	}
	return handler(srv, &stoppable{ServerStream: stream, stopping: g.stopping})
}

// logCall writes the access line of a call, or of a message of a stream.
func logCall(ctx context.Context, core *serve.Core, method string, err error, start time.Time) {
	code := status.Code(err)
	if code == codes.Unknown {
		code = codeOf(serve.StatusOf(err))
	}
	var remote string
	if p, ok := peer.FromContext(ctx); ok {
		remote = p.Addr.String()
	}
	core.Log.LogAttrs(context.WithoutCancel(ctx), slog.LevelInfo, "call", slog.String("method", strings.TrimPrefix(method, "/")),
		slog.String("code", code.String()), slog.Duration("duration", time.Since(start)), slog.String("remote", remote))
}

// errStopping ends streams that wait for their client when the server stops.
var errStopping = status.Error(codes.Unavailable, "the server is shutting down; open a new stream")

// stoppable is a stream that ends when the server stops, and not only when its
// client likes. A message that has arrived is still read.
type stoppable struct {
	grpc.ServerStream
	stopping <-chan struct{}
}

// RecvMsg reads the next message. After an error m must not be used: it may be
// filled yet.
func (s *stoppable) RecvMsg(m any) error {
	received := make(chan error, 1)
	go func() { received <- s.ServerStream.RecvMsg(m) }()
	select {
	case err := <-received:
		return err
	case <-s.stopping:
	}
	select {
	case err := <-received:
		return err
	default:
		return errStopping
	}
}

// caller returns what the caller says of itself: authorization: Bearer KEY or
// x-api-key: KEY in the metadata, and its address. What nobody asks for is left
// out.
func caller(ctx context.Context, cfg *config.Config) serve.Credentials {
	var who serve.Credentials
	if p, ok := peer.FromContext(ctx); ok && cfg.RateLimit > 0 {
		who.Remote = p.Addr.String()
	}
	if len(cfg.APIKeys) == 0 && cfg.APIKeyFile == "" {
		return who
	}
	for _, value := range metadata.ValueFromIncomingContext(ctx, "x-api-key") {
		who.Key = value
	}
	for _, value := range metadata.ValueFromIncomingContext(ctx, "authorization") {
		if who.Key == "" {
			who.Key = serve.BearerKey(value)
		}
	}
	return who
}
