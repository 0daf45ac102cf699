// Package inference is the gRPC form of the Open Inference Protocol, generated
// from grpc_predict_v2.proto. Where Triton's and KServe's definitions differ, the
// file follows Triton's and keeps KServe's clients working; its comments say how.
package inference

// buf compiles the file without protoc, so that only Go is needed.
//go:generate go run github.com/bufbuild/buf/cmd/buf@v1.75.0 generate
