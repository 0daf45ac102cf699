package rpc

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"mizzen.dev/internal/config"
	"mizzen.dev/internal/serve"
)

// A fault in one call is that call's error, and its trace is in the log.
func TestFaultIsTheErrorOfOneCall(t *testing.T) {
	var log bytes.Buffer
	g := &guard{core: &serve.Core{Config: config.Default(), Log: slog.New(slog.NewTextHandler(&log, nil))}}
	_, err := g.unary(t.Context(), nil, &grpc.UnaryServerInfo{FullMethod: healthpb.Health_Check_FullMethodName},
		func(context.Context, any) (any, error) { panic("secret") })
	if status.Code(err) != codes.Internal || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v, want Internal, without what only the log may say", err)
	}
	if !strings.Contains(log.String(), "secret") || !strings.Contains(log.String(), "guard_test.go") {
		t.Errorf("the log does not say where: %s", log.String())
	}
}

func TestAccessLog(t *testing.T) {
	var log bytes.Buffer
	cfg := config.Default()
	cfg.AccessLog = true
	g := &guard{core: &serve.Core{Config: cfg, Log: slog.New(slog.NewTextHandler(&log, nil))}}
	_, err := g.unary(t.Context(), nil, &grpc.UnaryServerInfo{FullMethod: healthpb.Health_Check_FullMethodName},
		func(context.Context, any) (any, error) { return nil, status.Error(codes.NotFound, "no such service") })
	if status.Code(err) != codes.NotFound {
		t.Fatal(err)
	}
	if line := log.String(); !strings.Contains(line, "method=grpc.health.v1.Health/Check code=NotFound") || strings.Count(line, "\n") != 1 {
		t.Errorf("access log: %s", line)
	}
}

func TestCaller(t *testing.T) {
	keyed := config.Default()
	keyed.APIKeys = []string{"k"}
	for name, test := range map[string]struct {
		cfg  *config.Config
		md   metadata.MD
		want string
	}{
		"a bearer":               {keyed, metadata.Pairs("authorization", "Bearer k"), "k"},
		"a bearer, in any case":  {keyed, metadata.Pairs("authorization", "bearer k"), "k"},
		"an x-api-key":           {keyed, metadata.Pairs("x-api-key", "k"), "k"},
		"another scheme":         {keyed, metadata.Pairs("authorization", "Basic k"), ""},
		"none":                   {keyed, nil, ""},
		"a key that nobody asks": {config.Default(), metadata.Pairs("x-api-key", "k"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := caller(metadata.NewIncomingContext(t.Context(), test.md), test.cfg).Key; got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
