package rpc

import (
	"context"
	"slices"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"mizzen.dev/internal/serve"
	"mizzen.dev/internal/version"
	"mizzen.dev/internal/wire"
	"mizzen.dev/internal/wire/inference"
)

// service is inference.GRPCInferenceService. Inference itself goes another way
// than the generated code: see serviceDesc.
type service struct {
	inference.UnimplementedGRPCInferenceServiceServer
	core    *serve.Core
	reads   *gate
	calls   sync.Pool // of *call
	access  bool      // log every call
	answers answerPool
}

func newService(core *serve.Core) *service {
	cfg := core.Config
	// As many messages are received at a time as have room if all are of the
	// largest size.
	places := max(1, int(cfg.MaxBodyMemory/max(1, cfg.MaxBody)))
	return &service{core: core, reads: newGate(places, cfg.QueueTimeout), access: cfg.AccessLog}
}

// serviceDesc describes the service to gRPC: as generated, but for the handlers
// of inference, which read and write bytes.
func serviceDesc() *grpc.ServiceDesc {
	desc := inference.GRPCInferenceService_ServiceDesc
	desc.Methods = slices.Clone(desc.Methods)
	for i := range desc.Methods {
		if desc.Methods[i].MethodName == "ModelInfer" {
			desc.Methods[i].Handler = modelInfer
		}
	}
	desc.Streams = slices.Clone(desc.Streams)
	for i := range desc.Streams {
		if desc.Streams[i].StreamName == "ModelStreamInfer" {
			desc.Streams[i].Handler = modelStreamInfer
		}
	}
	return &desc
}

func (s *service) ServerLive(context.Context, *inference.ServerLiveRequest) (*inference.ServerLiveResponse, error) {
	return &inference.ServerLiveResponse{Live: true}, nil
}

func (s *service) ServerReady(context.Context, *inference.ServerReadyRequest) (*inference.ServerReadyResponse, error) {
	return &inference.ServerReadyResponse{Ready: s.core.Ready() == nil}, nil
}

// ModelReady says no for a model that is unknown, as Triton does.
func (s *service) ModelReady(_ context.Context, req *inference.ModelReadyRequest) (*inference.ModelReadyResponse, error) {
	_, err := s.core.Find(req.GetName(), req.GetVersion())
	return &inference.ModelReadyResponse{Ready: err == nil && s.core.Ready() == nil}, nil
}

func (s *service) ServerMetadata(context.Context, *inference.ServerMetadataRequest) (*inference.ServerMetadataResponse, error) {
	return &inference.ServerMetadataResponse{Name: wire.ServerName, Version: version.Get().Version, Extensions: wire.Extensions()}, nil
}

func (s *service) ModelMetadata(ctx context.Context, req *inference.ModelMetadataRequest) (*inference.ModelMetadataResponse, error) {
	served, err := s.core.Find(req.GetName(), req.GetVersion())
	if err != nil {
		return nil, s.fail(ctx, err)
	}
	m := served.Schema.Metadata()
	answer := &inference.ModelMetadataResponse{Name: m.Name, Platform: m.Platform, Inputs: tensors(m.Inputs), Outputs: tensors(m.Outputs)}
	for _, v := range s.core.Registry.Versions(served.Name) {
		if v.Served != nil {
			answer.Versions = append(answer.Versions, v.Version)
		}
	}
	return answer, nil
}

func tensors(metadata []wire.TensorMetadata) []*inference.ModelMetadataResponse_TensorMetadata {
	out := make([]*inference.ModelMetadataResponse_TensorMetadata, len(metadata))
	for i, t := range metadata {
		out[i] = &inference.ModelMetadataResponse_TensorMetadata{Name: t.Name, Datatype: t.Datatype, Shape: t.Shape}
	}
	return out
}

func (s *service) RepositoryIndex(_ context.Context, req *inference.RepositoryIndexRequest) (*inference.RepositoryIndexResponse, error) {
	answer := &inference.RepositoryIndexResponse{}
	for _, v := range s.core.Registry.List() {
		if req.GetReady() && v.State != serve.StateReady {
			continue
		}
		answer.Models = append(answer.Models, &inference.RepositoryIndexResponse_ModelIndex{
			Name: v.Name, Version: v.Version, State: string(v.State), Reason: v.Reason,
		})
	}
	return answer, nil
}

func (s *service) RepositoryModelLoad(ctx context.Context, req *inference.RepositoryModelLoadRequest) (*inference.RepositoryModelLoadResponse, error) {
	for name := range req.GetParameters() {
		// Triton's clients send a configuration or the files of a model this way.
		return nil, status.Errorf(codes.InvalidArgument, "parameters[%q]: a model is loaded from where the server was told to find it: send no parameters", name)
	}
	name := modelOf(req.GetModelName(), req.GetRepositoryName())
	if err := s.core.Load(ctx, caller(ctx, s.core.Config), name); err != nil {
		return nil, s.fail(ctx, err)
	}
	return &inference.RepositoryModelLoadResponse{ModelName: name, IsLoaded: true}, nil
}

func (s *service) RepositoryModelUnload(ctx context.Context, req *inference.RepositoryModelUnloadRequest) (*inference.RepositoryModelUnloadResponse, error) {
	name := modelOf(req.GetModelName(), req.GetRepositoryName())
	if err := s.core.Unload(caller(ctx, s.core.Config), name); err != nil {
		return nil, s.fail(ctx, err)
	}
	return &inference.RepositoryModelUnloadResponse{ModelName: name, IsUnloaded: true}, nil
}

// modelOf returns the model's name: KServe's clients send it in the field that
// is the repository's name for Triton's.
func modelOf(model, repository string) string {
	if model == "" {
		return repository
	}
	return model
}

// traced returns ctx with the trace of the caller.
func (s *service) traced(ctx context.Context) context.Context {
	if !s.core.Traces() {
		return ctx
	}
	md, _ := metadata.FromIncomingContext(ctx)
	return s.core.Extract(ctx, carrier(md))
}

// carrier reads a caller's trace from metadata.
type carrier metadata.MD

func (c carrier) Get(key string) string {
	if values := metadata.MD(c).Get(key); len(values) > 0 {
		return values[0]
	}
	return ""
}

func (c carrier) Set(key, value string) { metadata.MD(c).Set(key, value) }

func (c carrier) Keys() []string {
	var keys []string
	for key := range c {
		keys = append(keys, key)
	}
	return keys
}
