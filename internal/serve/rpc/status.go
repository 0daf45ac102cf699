package rpc

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"mizzen.dev/internal/serve"
)

// codeOf returns the gRPC code of an HTTP status: serve.StatusOf is the one place
// that tells errors apart.
func codeOf(httpStatus int) codes.Code {
	switch httpStatus {
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusUnsupportedMediaType:
		return codes.InvalidArgument
	case http.StatusUnauthorized:
		return codes.Unauthenticated
	case http.StatusForbidden:
		return codes.PermissionDenied
	case http.StatusNotFound:
		return codes.NotFound
	case http.StatusRequestEntityTooLarge, http.StatusTooManyRequests:
		return codes.ResourceExhausted
	case http.StatusServiceUnavailable:
		return codes.Unavailable
	case http.StatusGatewayTimeout, http.StatusRequestTimeout:
		return codes.DeadlineExceeded
	case serve.StatusClientClosed:
		return codes.Canceled
	}
	return codes.Internal
}

// rescue makes a fault of the program the error of one call; it is deferred. gRPC
// would let it end the process, and all other calls with it.
func rescue(ctx context.Context, core *serve.Core, err *error) {
	if fault := recover(); fault != nil {
		core.Log.ErrorContext(ctx, "call failed", "error", fmt.Sprint(fault), "stack", string(debug.Stack()))
		*err = status.Error(codes.Internal, "internal error; the server's log says more")
	}
}

// pushback is the trailer that tells clients with a retry policy when to try
// again (gRPC proposal A6).
const pushback = "grpc-retry-pushback-ms"

// fail returns the status of an error that is no inference's, and counts it.
func (s *service) fail(ctx context.Context, err error) error {
	return fail(ctx, s.core, err)
}

func fail(ctx context.Context, core *serve.Core, err error) error {
	return statusOf(ctx, err, core.Fail(ctx, err).Error())
}

// statusOf returns the status of an error, with the text that callers see. Where
// another try may succeed, it says when: in a RetryInfo, and in the trailer that
// client libraries heed.
func statusOf(ctx context.Context, err error, text string) error {
	s := status.New(codeOf(serve.StatusOf(err)), text)
	wait := serve.RetryAfter(err)
	if wait <= 0 {
		return s.Err()
	}
	// The trailer is lost only if the call is over: then nobody reads it.
	_ = grpc.SetTrailer(ctx, metadata.Pairs(pushback, strconv.FormatInt(int64(wait/time.Millisecond), 10)))
	detailed, err := s.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(wait)})
	if err != nil {
		return s.Err()
	}
	return detailed.Err()
}
