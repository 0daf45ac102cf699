package rpc

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"

	"mizzen.dev/internal/serve"
	"mizzen.dev/internal/wire"
	"mizzen.dev/internal/wire/inference"
)

// call is one inference. It is used again and again.
type call struct {
	serve.Call
	service *service
	message message
	// read receives the message; nil if it is there already.
	read    func() error
	reading reading // that of the message
	taken   int64   // of the memory for large bodies
}

// ReadBody receives the message, which stays until the call is over.
func (c *call) ReadBody() ([]byte, error) {
	if c.read != nil {
		if err := c.read(); err != nil {
			return nil, err
		}
	}
	body := c.message.bytes()
	if more := int64(len(body)) - serve.FreeBody; more > 0 {
		if err := c.service.core.TakeMemory(more); err != nil {
			return nil, err
		}
		c.taken = more
	}
	return body, nil
}

// receive receives the message of a call when the gate opens.
func (s *service) receive(ctx context.Context, next func(any) error, c *call) error {
	c.reading = reading{who: senderOf(ctx, c.Credentials.Key), call: enderOf(ctx)}
	if err := s.reads.acquire(ctx, &c.reading); err != nil {
		return err
	}
	err := next(&c.message)
	if !s.reads.release(&c.reading) {
		return &serve.Rejection{Cause: serve.Memory, RetryAfter: s.reads.patience}
	}
	if err != nil {
		return s.unread(err)
	}
	return nil
}

// Target is what the message asks.
func (c *call) Target() (model, version string) {
	head := wire.ReadInferHead(c.message.bytes())
	return head.Model, head.Version
}

// unread explains why a message could not be received.
func (s *service) unread(err error) error {
	switch status.Code(err) {
	case codes.Canceled:
		return context.Canceled
	case codes.DeadlineExceeded:
		return context.DeadlineExceeded
	case codes.ResourceExhausted:
		return &wire.Error{Status: http.StatusRequestEntityTooLarge,
			Reason: "the message is larger than " + s.core.Config.MaxBody.String() + " (--max-body): send fewer rows at a time"}
	}
	return &wire.Error{Status: http.StatusBadRequest, Reason: status.Convert(err).Message()}
}

// The names of inference in traces and in the access log: those of the methods,
// without the slash, as OpenTelemetry has them.
const (
	spanInfer       = "inference.GRPCInferenceService/ModelInfer"
	spanStreamInfer = "inference.GRPCInferenceService/ModelStreamInfer"
)

// begin returns a call for the caller of ctx.
func (s *service) begin(ctx context.Context, operation string) *call {
	c, ok := s.calls.Get().(*call)
	if !ok {
		c = &call{service: s}
		c.Protocol, c.Codec, c.Body = serve.GRPC, wire.GRPC{}, c
	}
	c.Operation, c.Credentials = operation, caller(ctx, s.core.Config)
	return c
}

func (s *service) end(c *call) {
	c.drop()
	c.Out, c.Served, c.Model, c.Version, c.read = nil, nil, "", "", nil
	c.Credentials, c.reading = serve.Credentials{}, reading{}
	s.calls.Put(c)
}

// drop lets go of the message and of its answer.
func (c *call) drop() {
	c.service.core.Sent(&c.Call)
	c.message.free()
	c.service.core.GiveMemory(c.taken)
	c.taken = 0
}

// infer answers the call. What it returns goes to send, or back to the pool.
func (c *call) infer(ctx context.Context) (out *[]byte, err error) {
	if c.service.access {
		defer func(start time.Time) { logCall(ctx, c.service.core, c.Operation, err, start) }(time.Now())
	}
	out = c.service.answers.Get(0)
	c.Out = (*out)[:0]
	err = c.service.core.Infer(c.service.traced(ctx), &c.Call)
	*out = c.Out
	return out, err
}

// modelInfer is the handler of ModelInfer. It has the form of a generated one,
// but reads and writes bytes.
//
//nolint:revive // the order of the parameters is gRPC's
func modelInfer(srv any, ctx context.Context, next func(any) error, _ grpc.UnaryServerInterceptor) (_ any, err error) {
	s := srv.(*service)
	defer rescue(ctx, s.core, &err)
	c := s.begin(ctx, spanInfer)
	defer s.end(c)
	c.read = func() error { return s.receive(ctx, next, c) }
	out, err := c.infer(ctx)
	if err != nil {
		defer s.answers.Put(out)
		return nil, statusOf(ctx, err, string(*out))
	}
	return &answer{body: out, pool: &s.answers}, nil
}

// modelStreamInfer is the handler of ModelStreamInfer: one answer a request, in
// order. What is wrong with one request does not end the stream.
func modelStreamInfer(srv any, stream grpc.ServerStream) error {
	s, ctx := srv.(*service), stream.Context()
	c := s.begin(ctx, spanStreamInfer)
	defer s.end(c)
	for {
		next := &message{}
		switch err := stream.RecvMsg(next); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			if errors.Is(err, errStopping) {
				return err
			}
			return s.fail(ctx, s.unread(err))
		}
		c.drop()
		c.message = *next
		out, err := c.infer(ctx)
		if err := stream.SendMsg(s.streamAnswer(out, err, c.message.bytes())); err != nil {
			return err
		}
	}
}

// streamAnswer makes a ModelStreamInferResponse of a ModelInferResponse, or of
// the text of an error, which has the request's id with it.
func (s *service) streamAnswer(out *[]byte, err error, request []byte) any {
	if err != nil {
		defer s.answers.Put(out)
		return &inference.ModelStreamInferResponse{
			ErrorMessage:  string(*out),
			InferResponse: &inference.ModelInferResponse{Id: strings.Clone(wire.ReadInferHead(request).ID)},
		}
	}
	*out = append(*out, finalResponse...)
	head := protowire.AppendTag(nil, 2, protowire.BytesType)
	return &answer{head: protowire.AppendVarint(head, uint64(len(*out))), body: out, pool: &s.answers}
}

// finalResponse is the parameter triton_final_response of a ModelInferResponse,
// true: each request has one answer. Clients of streams wait for it.
const finalResponse = "\x22\x1b\x0a\x15triton_final_response\x12\x02\x08\x01"

// answerPool holds the memory of answers.
type answerPool struct{ pool sync.Pool }

// The sizes of what the pool holds: less than the first gRPC would not give
// back, more than the second would keep memory for one large answer.
const (
	minAnswer = 4 << 10
	maxAnswer = 1 << 20
)

func (p *answerPool) Get(length int) *[]byte {
	if b, ok := p.pool.Get().(*[]byte); ok && cap(*b) >= length {
		*b = (*b)[:length]
		return b
	}
	b := make([]byte, length, max(length, minAnswer))
	return &b
}

func (p *answerPool) Put(b *[]byte) {
	if cap(*b) <= maxAnswer {
		p.pool.Put(b)
	}
}
