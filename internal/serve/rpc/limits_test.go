package rpc_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"

	"mizzen.dev/internal/config"
	"mizzen.dev/internal/wire/inference"
)

// wantRetry fails the test unless the error says when to try again.
func wantRetry(t *testing.T, err error) {
	t.Helper()
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok && info.RetryDelay.AsDuration() > 0 {
			return
		}
	}
	t.Errorf("no RetryInfo in %v", err)
}

func TestKeys(t *testing.T) {
	s := start(t, func(c *config.Config) { c.APIKeys = []string{"old", "new"}; c.AllowLoad = true })
	infer := func(ctx context.Context) error {
		_, err := s.client.ModelInfer(ctx, setosa())
		return err
	}
	stream := func(ctx context.Context) error {
		stream, err := s.client.ModelStreamInfer(ctx)
		if err != nil {
			return err
		}
		if err := stream.CloseSend(); err != nil {
			return err
		}
		if _, err = stream.Recv(); status.Code(err) == codes.Unknown { // io.EOF: no request, no answer
			return nil
		}
		return err
	}
	index := func(ctx context.Context) error {
		_, err := s.client.RepositoryIndex(ctx, &inference.RepositoryIndexRequest{})
		return err
	}
	unload := func(ctx context.Context) error {
		_, err := s.client.RepositoryModelUnload(ctx, &inference.RepositoryModelUnloadRequest{ModelName: "irish"})
		return err
	}
	live := func(ctx context.Context) error {
		_, err := s.client.ServerReady(ctx, &inference.ServerReadyRequest{})
		return err
	}
	health := func(ctx context.Context) error {
		_, err := healthpb.NewHealthClient(s.conn).Check(ctx, &healthpb.HealthCheckRequest{})
		return err
	}
	for name, test := range map[string]struct {
		call   func(context.Context) error
		header []string
		want   codes.Code
	}{
		"infer without a key":         {infer, nil, codes.Unauthenticated},
		"infer with a wrong key":      {infer, []string{"x-api-key", "older"}, codes.Unauthenticated},
		"infer with a bearer":         {infer, []string{"authorization", "Bearer new"}, codes.OK},
		"infer with an x-api-key":     {infer, []string{"x-api-key", "old"}, codes.OK},
		"a stream without a key":      {stream, nil, codes.Unauthenticated},
		"a stream with a key":         {stream, []string{"x-api-key", "old"}, codes.OK},
		"the index without a key":     {index, nil, codes.Unauthenticated},
		"unloading without a key":     {unload, nil, codes.Unauthenticated},
		"unloading with a key":        {unload, []string{"x-api-key", "old"}, codes.NotFound},
		"readiness needs no key":      {live, nil, codes.OK},
		"the health check needs none": {health, nil, codes.OK},
	} {
		t.Run(name, func(t *testing.T) {
			err := test.call(metadata.AppendToOutgoingContext(testContext(t), test.header...))
			wantCode(t, err, test.want)
		})
	}
}

func TestRateLimit(t *testing.T) {
	s := start(t, func(c *config.Config) { c.RateLimit, c.RateBurst = 0.001, 1 })
	ctx := testContext(t)
	if _, err := s.client.ModelInfer(ctx, setosa()); err != nil {
		t.Fatal(err)
	}
	_, err := s.client.ModelInfer(ctx, setosa())
	wantCode(t, err, codes.ResourceExhausted)
	wantRetry(t, err)
	if _, err := s.client.ServerLive(ctx, &inference.ServerLiveRequest{}); err != nil {
		t.Errorf("a probe counts for the rate: %v", err)
	}
}

func TestOverload(t *testing.T) {
	s := start(t, func(c *config.Config) { c.InFlight, c.Queue = 1, 0 })
	ctx := testContext(t)
	if err := s.Core().Admission.Acquire(ctx); err != nil {
		t.Fatal(err)
	}
	var trailer metadata.MD
	_, err := s.client.ModelInfer(ctx, setosa(), grpc.Trailer(&trailer))
	wantCode(t, err, codes.Unavailable)
	wantRetry(t, err)
	if got := trailer.Get("grpc-retry-pushback-ms"); len(got) != 1 || got[0] != "1000" {
		t.Errorf("grpc-retry-pushback-ms is %q, want 1000", got)
	}
	s.Core().Admission.Release()
	if _, err := s.client.ModelInfer(ctx, setosa()); err != nil {
		t.Errorf("after the load: %v", err)
	}
}

func TestDeadlineOfTheCaller(t *testing.T) {
	s := start(t, func(c *config.Config) { c.InFlight = 1 })
	if err := s.Core().Admission.Acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer s.Core().Admission.Release()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := s.client.ModelInfer(ctx, setosa())
	wantCode(t, err, codes.DeadlineExceeded)
}

// A client that opens a call and sends nothing is sent away.
func TestSlowClient(t *testing.T) {
	s := start(t, func(c *config.Config) { c.ReadTimeout, c.RequestTimeout = 5*time.Millisecond, 5*time.Millisecond })
	stream, err := s.conn.NewStream(testContext(t), &grpc.StreamDesc{ClientStreams: true}, inference.GRPCInferenceService_ModelInfer_FullMethodName)
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, stream.RecvMsg(&inference.ModelInferResponse{}), codes.DeadlineExceeded)
}

// A client that opens calls and sends nothing does not keep others out.
func TestSlowClientGivesWay(t *testing.T) {
	s := start(t, func(c *config.Config) {
		c.APIKeys = []string{"slow", "quick"}
		c.MaxBodyMemory = 2 * c.MaxBody // two messages at a time
	})
	slow := metadata.AppendToOutgoingContext(testContext(t), "x-api-key", "slow")
	ended := make(chan error, 2)
	for range cap(ended) {
		stream, err := s.conn.NewStream(slow, &grpc.StreamDesc{ClientStreams: true}, inference.GRPCInferenceService_ModelInfer_FullMethodName)
		if err != nil {
			t.Fatal(err)
		}
		go func() { ended <- stream.RecvMsg(&inference.ModelInferResponse{}) }()
	}
	quick := metadata.AppendToOutgoingContext(testContext(t), "x-api-key", "quick")
	var err error
	until(t, func() bool {
		if _, err := s.client.ModelInfer(quick, setosa()); err != nil {
			t.Fatal(err)
		}
		select {
		case err = <-ended:
			return true
		default:
			return false
		}
	})
	wantCode(t, err, codes.DeadlineExceeded)
}

func TestMessageSize(t *testing.T) {
	s := start(t, func(c *config.Config) { c.MaxBody = 64 << 10 })
	large := rows(make([]float64, 4*4096)...) // 128 KiB of zeros, a few hundred bytes compressed
	for _, compression := range []string{"identity", "gzip", "deflate"} {
		_, err := s.client.ModelInfer(testContext(t), large, grpc.UseCompressor(compression))
		wantCode(t, err, codes.ResourceExhausted)
	}
	stream, err := s.client.ModelStreamInfer(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(large); err != nil {
		t.Fatal(err)
	}
	_, err = stream.Recv()
	wantCode(t, err, codes.ResourceExhausted)
}

func TestMemoryOfLargeMessages(t *testing.T) {
	s := start(t, func(c *config.Config) { c.MaxBodyMemory = c.MaxBody })
	ctx := testContext(t)
	if err := s.Core().TakeMemory(int64(s.Core().Config.MaxBodyMemory)); err != nil {
		t.Fatal(err)
	}
	large := rows(make([]float64, 4*4096)...)
	_, err := s.client.ModelInfer(ctx, large)
	wantCode(t, err, codes.Unavailable)
	wantRetry(t, err)
	if _, err := s.client.ModelInfer(ctx, setosa()); err != nil {
		t.Errorf("a small message: %v", err)
	}
	s.Core().GiveMemory(int64(s.Core().Config.MaxBodyMemory))
	for range 3 { // each gives back what it took
		if _, err := s.client.ModelInfer(ctx, large); err != nil {
			t.Fatal(err)
		}
	}
}

// compressionSeen remembers how answers were compressed.
type compressionSeen struct{ got string }

func (c *compressionSeen) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context {
	return ctx
}
func (c *compressionSeen) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context {
	return ctx
}
func (c *compressionSeen) HandleConn(context.Context, stats.ConnStats) {}
func (c *compressionSeen) HandleRPC(_ context.Context, s stats.RPCStats) {
	if header, ok := s.(*stats.InHeader); ok {
		c.got = header.Compression
	}
}

func TestCompressionBothWays(t *testing.T) {
	seen := &compressionSeen{}
	s := start(t, nil, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithStatsHandler(seen))
	for _, compression := range []string{"gzip", "deflate"} {
		answer, err := s.client.ModelInfer(testContext(t), setosa(), grpc.UseCompressor(compression))
		if err != nil {
			t.Fatal(err)
		}
		if seen.got != compression || len(answer.Outputs) != 1 {
			t.Errorf("asked with %s, answered with %q: %v", compression, seen.got, answer)
		}
	}
}

func TestHealth(t *testing.T) {
	s := start(t, nil)
	ctx := testContext(t)
	client := healthpb.NewHealthClient(s.conn)
	for _, service := range []string{"", "inference.GRPCInferenceService", "grpc.health.v1.Health"} {
		got, err := client.Check(ctx, &healthpb.HealthCheckRequest{Service: service})
		if err != nil || got.Status != healthpb.HealthCheckResponse_SERVING {
			t.Errorf("%q: %v, %v", service, got.GetStatus(), err)
		}
	}
	_, err := client.Check(ctx, &healthpb.HealthCheckRequest{Service: "no.such.Service"})
	wantCode(t, err, codes.NotFound)
}

func TestReflection(t *testing.T) {
	s := start(t, nil)
	stream, err := reflectionpb.NewServerReflectionClient(s.conn).ServerReflectionInfo(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	ask := func(request *reflectionpb.ServerReflectionRequest) *reflectionpb.ServerReflectionResponse {
		t.Helper()
		if err := stream.Send(request); err != nil {
			t.Fatal(err)
		}
		answer, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	all := ask(&reflectionpb.ServerReflectionRequest{MessageRequest: &reflectionpb.ServerReflectionRequest_ListServices{}})
	var names []string
	for _, service := range all.GetListServicesResponse().GetService() {
		names = append(names, service.Name)
	}
	found := map[string]bool{}
	for _, name := range names {
		found[name] = true
	}
	if !found["inference.GRPCInferenceService"] || !found["grpc.health.v1.Health"] {
		t.Errorf("services: %v", names)
	}
	file := ask(&reflectionpb.ServerReflectionRequest{MessageRequest: &reflectionpb.ServerReflectionRequest_FileContainingSymbol{
		FileContainingSymbol: "inference.GRPCInferenceService.ModelInfer"}})
	if len(file.GetFileDescriptorResponse().GetFileDescriptorProto()) == 0 {
		t.Errorf("no description of ModelInfer: %v", file)
	}
}

// While the server drains, health says so; calls that wait are answered, and
// streams end.
func TestDrain(t *testing.T) {
	s := start(t, func(c *config.Config) { c.InFlight = 1 })
	ctx := testContext(t)
	watch, err := healthpb.NewHealthClient(s.conn).Watch(ctx, &healthpb.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := watch.Recv(); err != nil || got.Status != healthpb.HealthCheckResponse_SERVING {
		t.Fatalf("%v, %v", got, err)
	}
	idle, err := s.client.ModelStreamInfer(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := idle.Send(setosa()); err != nil {
		t.Fatal(err)
	}
	if _, err := idle.Recv(); err != nil {
		t.Fatal(err)
	}

	// Calls wait for their turn when the server is told to stop.
	const calls = 20
	if err := s.Core().Admission.Acquire(ctx); err != nil {
		t.Fatal(err)
	}
	var waiting sync.WaitGroup
	errs := make(chan error, calls)
	for range calls {
		waiting.Go(func() {
			_, err := s.client.ModelInfer(ctx, setosa())
			errs <- err
		})
	}
	until(t, func() bool { return s.Core().Admission.Waiting() == calls })
	stopped := make(chan error, 1)
	go func() { stopped <- s.Shutdown(ctx) }()

	if got, err := watch.Recv(); err != nil || got.Status != healthpb.HealthCheckResponse_NOT_SERVING {
		t.Errorf("health while draining: %v, %v", got, err)
	}
	_, err = watch.Recv()
	wantCode(t, err, codes.Unavailable)
	_, err = idle.Recv()
	wantCode(t, err, codes.Unavailable)
	s.Core().Admission.Release()
	waiting.Wait()
	for range calls {
		if err := <-errs; err != nil {
			t.Errorf("a call was lost: %v", err)
		}
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// Clients of two servers notice nothing when one of them stops under load: what
// it has taken it answers, what it has not goes to the other.
func TestDrainLosesNoCall(t *testing.T) {
	leaving, staying := start(t, nil), start(t, nil)
	addresses := manual.NewBuilderWithScheme("test")
	addresses.InitialState(resolver.State{Addresses: []resolver.Address{{Addr: leaving.GRPCAddr().String()}, {Addr: staying.GRPCAddr().String()}}})
	conn, err := grpc.NewClient("test:///", grpc.WithResolvers(addresses), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultServiceConfig(`{"loadBalancingConfig":[{"round_robin":{}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	client := inference.NewGRPCInferenceServiceClient(conn)
	ctx := testContext(t)
	var (
		callers sync.WaitGroup
		done    atomic.Bool
		calls   atomic.Int64
	)
	for range 8 {
		callers.Go(func() {
			for !done.Load() {
				if _, err := client.ModelInfer(ctx, setosa()); err != nil {
					t.Errorf("a call was lost: %v", err)
					return
				}
				calls.Add(1)
			}
		})
	}
	until(t, func() bool { return calls.Load() > 500 || t.Failed() })
	if err := leaving.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	after := calls.Load()
	until(t, func() bool { return calls.Load() > after+500 || t.Failed() })
	done.Store(true)
	callers.Wait()
}

// until waits until the condition holds.
func until(t *testing.T, holds func() bool) {
	t.Helper()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(patience)
	for !holds() {
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatal("waited too long")
		}
	}
}

func TestTLS(t *testing.T) {
	dir := t.TempDir()
	pool := writeCertificate(t, dir)
	s := start(t, func(c *config.Config) {
		c.TLSCert, c.TLSKey = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	}, grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12})))
	if _, err := s.client.ModelInfer(testContext(t), setosa()); err != nil {
		t.Error(err)
	}
	s.dial(t) // without TLS
	_, err := s.client.ModelInfer(testContext(t), setosa())
	wantCode(t, err, codes.Unavailable)
}

// writeCertificate writes tls.crt and tls.key for 127.0.0.1, and returns who
// signed.
func writeCertificate(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	for name, block := range map[string]*pem.Block{"tls.crt": {Type: "CERTIFICATE", Bytes: cert}, "tls.key": {Type: "PRIVATE KEY", Bytes: secret}} {
		text := pem.EncodeToMemory(block)
		pool.AppendCertsFromPEM(text)
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return pool
}
