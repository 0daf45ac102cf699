package rpc_test

import (
	"context"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"mizzen.dev/internal/config"
	"mizzen.dev/internal/serve"
	"mizzen.dev/internal/serve/rpc"
	"mizzen.dev/internal/wire/inference"
)

// patience bounds what a test waits for; nothing waits as long.
const patience = 20 * time.Second

// server is a server of the iris model, and a client of it.
type server struct {
	*serve.Server
	conn   *grpc.ClientConn
	client inference.GRPCInferenceServiceClient
}

// newServer returns a server that is configured, and stopped after the test.
func newServer(t *testing.T, change func(*config.Config), dial ...grpc.DialOption) *server {
	t.Helper()
	cfg := config.Default()
	cfg.Path = filepath.Join("..", "..", "..", "examples", "iris", "model.pkl")
	cfg.Address, cfg.Port, cfg.GRPCPort, cfg.ReloadInterval = "127.0.0.1", 0, 0, 0
	cfg.ShutdownTimeout = patience
	if change != nil {
		change(cfg)
	}
	s, err := serve.New(t.Context(), cfg, serve.Options{
		Getenv: os.Getenv,
		GRPC:   func(core *serve.Core) (serve.Transport, error) { return rpc.New(core), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return &server{Server: s}
}

// start starts a server, and returns it when it is ready.
func start(t *testing.T, change func(*config.Config), dial ...grpc.DialOption) *server {
	t.Helper()
	s := newServer(t, change)
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	s.dial(t, dial...)
	return s
}

func (s *server) dial(t *testing.T, options ...grpc.DialOption) {
	t.Helper()
	if len(options) == 0 {
		options = []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}
	}
	conn, err := grpc.NewClient(s.GRPCAddr().String(), options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	s.conn, s.client = conn, inference.NewGRPCInferenceServiceClient(conn)
}

func testContext(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// rows returns a request for rows of iris, as FP64 in typed contents.
func rows(values ...float64) *inference.ModelInferRequest {
	return &inference.ModelInferRequest{ModelName: "iris", Inputs: []*inference.ModelInferRequest_InferInputTensor{{
		Name: "input-0", Datatype: "FP64", Shape: []int64{int64(len(values) / 4), 4},
		Contents: &inference.InferTensorContents{Fp64Contents: values},
	}}}
}

func setosa() *inference.ModelInferRequest { return rows(5.1, 3.5, 1.4, 0.2) }

func raw64(values ...float64) (b []byte) {
	for _, v := range values {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	return b
}

// wantCode fails the test unless err has the code, and returns its message.
func wantCode(t *testing.T, err error, code codes.Code) string {
	t.Helper()
	if status.Code(err) != code {
		t.Fatalf("got %v, want code %v", err, code)
	}
	return status.Convert(err).Message()
}

func TestInfer(t *testing.T) {
	s := start(t, nil)
	typed := setosa()
	typed.Id = "a"
	raw := rows(5.1, 3.5, 1.4, 0.2, 6.7, 3, 5.2, 2.3)
	raw.Inputs[0].Contents, raw.RawInputContents = nil, [][]byte{raw64(raw.Inputs[0].Contents.Fp64Contents...)}
	raw.Outputs = []*inference.ModelInferRequest_InferRequestedOutputTensor{{Name: "predict_proba"}}

	for name, test := range map[string]struct {
		request *inference.ModelInferRequest
		want    *inference.ModelInferResponse
	}{
		"typed": {typed, &inference.ModelInferResponse{ModelName: "iris", ModelVersion: "1", Id: "a",
			Outputs: []*inference.ModelInferResponse_InferOutputTensor{{Name: "predict", Datatype: "INT64", Shape: []int64{1},
				Contents: &inference.InferTensorContents{Int64Contents: []int64{0}}}}}},
		"raw": {raw, &inference.ModelInferResponse{ModelName: "iris", ModelVersion: "1",
			Outputs:           []*inference.ModelInferResponse_InferOutputTensor{{Name: "predict_proba", Datatype: "FP64", Shape: []int64{2, 3}}},
			RawOutputContents: [][]byte{raw64(1, 0, 0, 0, 0, 1)}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := s.client.ModelInfer(testContext(t), test.request)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got, protocmp.Transform()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestInferRefuses(t *testing.T) {
	s := start(t, func(c *config.Config) { c.MaxRows = 2 })
	unknown := setosa()
	unknown.ModelName = "irish"
	version := setosa()
	version.ModelVersion = "9"
	narrow := setosa()
	narrow.Inputs[0].Shape = []int64{2, 2}
	missing := rows(5.1, 3.5, math.Inf(1), 0.2)
	for name, test := range map[string]struct {
		request *inference.ModelInferRequest
		code    codes.Code
		message string
	}{
		"an unknown model":        {unknown, codes.NotFound, `no model "irish" is served; there is iris; did you mean iris?`},
		"an unknown version":      {version, codes.NotFound, `model "iris" has no version "9"; it has 1`},
		"another width":           {narrow, codes.InvalidArgument, "inputs[0].shape: got 2 values, expected 4"},
		"what scikit-learn does":  {missing, codes.InvalidArgument, ""},
		"more rows than allowed":  {rows(make([]float64, 12)...), codes.ResourceExhausted, "inputs[0].shape: more than 2 rows in a request (--max-rows)"},
		"a request without input": {&inference.ModelInferRequest{ModelName: "iris"}, codes.InvalidArgument, "inputs: no tensors: send one tensor of rows, or one tensor a column"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.client.ModelInfer(testContext(t), test.request)
			if message := wantCode(t, err, test.code); message != test.message && test.message != "" {
				t.Errorf("got  %s\nwant %s", message, test.message)
			}
		})
	}
}

// One model may be left unnamed, as on /predict.
func TestInferAsksTheOnlyModel(t *testing.T) {
	s := start(t, nil)
	request := setosa()
	request.ModelName = ""
	if _, err := s.client.ModelInfer(testContext(t), request); err != nil {
		t.Fatal(err)
	}
}

func TestStreamInferAnswersInOrder(t *testing.T) {
	s := start(t, nil)
	stream, err := s.client.ModelStreamInfer(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	good, bad := setosa(), rows(1, 2, 3, 4)
	bad.Id, bad.Inputs[0].Shape = "bad", []int64{4, 1}
	var got []string
	for _, request := range []*inference.ModelInferRequest{good, bad, good} {
		if err := stream.Send(request); err != nil {
			t.Fatal(err)
		}
		answer, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		if answer.ErrorMessage != "" {
			got = append(got, answer.InferResponse.Id+": "+answer.ErrorMessage)
			continue
		}
		if !answer.InferResponse.Parameters["triton_final_response"].GetBoolParam() {
			t.Error("the only answer to a request is not marked as the final one")
		}
		got = append(got, answer.InferResponse.Outputs[0].Name)
	}
	if diff := cmp.Diff([]string{"predict", "bad: inputs[0].shape: got 1 value, expected 4", "predict"}, got); diff != "" {
		t.Error(diff)
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if answer, err := stream.Recv(); err == nil {
		t.Errorf("an answer without a request: %v", answer)
	}
}

func TestMetadata(t *testing.T) {
	s := start(t, nil)
	ctx := testContext(t)
	model, err := s.client.ModelMetadata(ctx, &inference.ModelMetadataRequest{Name: "iris"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]*inference.ModelMetadataResponse_TensorMetadata{{Name: "input-0", Datatype: "FP64", Shape: []int64{-1, 4}}},
		model.Inputs, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(&inference.ModelMetadataResponse_TensorMetadata{Name: "predict", Datatype: "INT64", Shape: []int64{-1}},
		model.Outputs[0], protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"1"}, model.Versions); diff != "" {
		t.Error(diff)
	}
	_, err = s.client.ModelMetadata(ctx, &inference.ModelMetadataRequest{Name: "irish"})
	wantCode(t, err, codes.NotFound)
	meta, err := s.client.ServerMetadata(ctx, &inference.ServerMetadataRequest{})
	if err != nil || meta.Name != "mizzen" {
		t.Errorf("server metadata: %v, %v", meta, err)
	}
}

func TestReadiness(t *testing.T) {
	s := newServer(t, nil)
	if err := s.Listen(); err != nil { // answers, but has loaded nothing
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	s.dial(t)
	ctx := testContext(t)
	live, err := s.client.ServerLive(ctx, &inference.ServerLiveRequest{})
	if err != nil || !live.Live {
		t.Errorf("not live: %v", err)
	}
	ready, err := s.client.ServerReady(ctx, &inference.ServerReadyRequest{})
	if err != nil || ready.Ready {
		t.Errorf("ready before the model is loaded: %v", err)
	}
	_, err = s.client.ModelInfer(ctx, setosa())
	wantCode(t, err, codes.Unavailable)
	wantRetry(t, err)

	s = start(t, nil)
	for name, want := range map[string]bool{"iris": true, "irish": false} {
		model, err := s.client.ModelReady(ctx, &inference.ModelReadyRequest{Name: name})
		if err != nil || model.Ready != want {
			t.Errorf("%s: ready is %v (%v), want %v", name, model.GetReady(), err, want)
		}
	}
}

func TestRepository(t *testing.T) {
	s := start(t, func(c *config.Config) { c.AllowLoad = true })
	ctx := testContext(t)
	index := func() []*inference.RepositoryIndexResponse_ModelIndex {
		t.Helper()
		all, err := s.client.RepositoryIndex(ctx, &inference.RepositoryIndexRequest{})
		if err != nil {
			t.Fatal(err)
		}
		return all.Models
	}
	if diff := cmp.Diff([]*inference.RepositoryIndexResponse_ModelIndex{{Name: "iris", Version: "1", State: "READY"}}, index(), protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	if _, err := s.client.RepositoryModelUnload(ctx, &inference.RepositoryModelUnloadRequest{ModelName: "iris"}); err != nil {
		t.Fatal(err)
	}
	if state := index()[0].State; state != "UNAVAILABLE" {
		t.Errorf("state after unloading: %s", state)
	}
	ready, err := s.client.RepositoryIndex(ctx, &inference.RepositoryIndexRequest{Ready: true})
	if err != nil || len(ready.Models) > 0 {
		t.Errorf("models that are ready after unloading: %v, %v", ready, err)
	}
	_, err = s.client.ModelInfer(ctx, setosa())
	wantCode(t, err, codes.Unavailable)
	// KServe's clients write the model's name where Triton's have the repository's.
	loaded, err := s.client.RepositoryModelLoad(ctx, &inference.RepositoryModelLoadRequest{RepositoryName: "iris"})
	if err != nil || !proto.Equal(loaded, &inference.RepositoryModelLoadResponse{ModelName: "iris", IsLoaded: true}) {
		t.Fatalf("load: %v, %v", loaded, err)
	}
	if _, err := s.client.ModelInfer(ctx, setosa()); err != nil {
		t.Error(err)
	}
	_, err = s.client.RepositoryModelLoad(ctx, &inference.RepositoryModelLoadRequest{ModelName: "irish"})
	wantCode(t, err, codes.NotFound)
}

func TestRepositoryIsClosedUnlessAskedFor(t *testing.T) {
	s := start(t, nil)
	_, err := s.client.RepositoryModelLoad(testContext(t), &inference.RepositoryModelLoadRequest{ModelName: "iris"})
	wantCode(t, err, codes.PermissionDenied)
	_, err = s.client.RepositoryModelUnload(testContext(t), &inference.RepositoryModelUnloadRequest{ModelName: "iris"})
	wantCode(t, err, codes.PermissionDenied)
}
