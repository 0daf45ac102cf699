package serve

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"mizzen.dev/internal/wire"
	"mizzen.dev/model/frame"
)

// largeBody is the size from which a call gets a deadline of its own. A smaller
// one cannot work for long, and a timer would cost more than the prediction.
const largeBody = 16 << 10

// Infer answers a call: it lets the caller in or not, finds the model, reads the
// body, waits for a turn, decodes, predicts and encodes, and counts what came of
// it. It sets Status, Out and Answer of the call in any case; the error is what
// Out tells the caller, for transports that have a form of their own for it. ctx
// ends when the caller has gone.
func (c *Core) Infer(ctx context.Context, call *Call) error {
	call.Served, call.Answer, call.Out = nil, wire.Answer{}, call.Out[:0]
	ctx, span := c.tracing.call(ctx, call)
	err := c.infer(ctx, call)
	c.finish(ctx, call, err)
	span.endCall(call, err)
	return err
}

// Refuse answers a call with an error of the transport's, and counts it, as
// Infer would.
func (c *Core) Refuse(ctx context.Context, call *Call, err error) {
	call.Served, call.Answer, call.Out = nil, wire.Answer{}, call.Out[:0]
	c.finish(ctx, call, err)
}

// finish sets the status of a call, makes an error its answer, and counts it.
func (c *Core) finish(ctx context.Context, call *Call, err error) {
	call.Status = StatusOf(err)
	if err != nil {
		call.Out = call.Codec.AppendError(call.Out[:0], withStatus(c.public(ctx, err)))
		call.Answer = wire.Answer{ContentType: "application/json"}
		c.Metrics.refuse(err)
	}
	counters := c.Metrics.unnamed
	if call.Served != nil {
		counters = call.Served.metrics.calls
	}
	counters.count(call.Protocol, call.Status)
}

func (c *Core) infer(ctx context.Context, call *Call) error {
	if err := c.Authorize(call.Credentials, ""); err != nil {
		return err
	}
	body, err := call.Bytes, error(nil)
	target, named := call.Body.(Target)
	if named {
		if body, err = call.Body.ReadBody(); err != nil {
			return err
		}
		call.Model, call.Version = target.Target()
	}
	served, err := c.Find(call.Model, call.Version)
	if err != nil {
		return err
	}
	call.Served = served
	if call.Body != nil && !named {
		if body, err = call.Body.ReadBody(); err != nil {
			return err
		}
	}
	if len(body) > largeBody {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.Config.RequestTimeout)
		defer cancel()
	}
	start := time.Now()
	err = c.answer(ctx, call, body)
	served.metrics.calls[call.Protocol].latency.Observe(time.Since(start).Seconds())
	return err
}

// Find is [Registry.Get], but for models that are unknown only because the first
// load is not over: these are not ready.
func (c *Core) Find(name, version string) (*Served, error) {
	served, err := c.Registry.Get(name, version)
	if err != nil {
		err = c.loadingInstead(name, version, err)
	}
	return served, err
}

// loadingInstead explains err while the first load is not over. It stands apart
// so that looking into an error costs calls without one nothing.
func (c *Core) loadingInstead(name, version string, err error) error {
	var unknown *UnknownModelError
	if !c.started.Load() && errors.As(err, &unknown) {
		return &NotReadyError{Name: name, Version: version, State: StateLoading}
	}
	return err
}

// answer does the work, within the bounds of admission.
func (c *Core) answer(ctx context.Context, call *Call, body []byte) (err error) {
	span := c.tracing.span(ctx, "queue")
	err = c.Admission.Acquire(ctx)
	span.end(err)
	if err != nil {
		return err
	}
	served := call.Served
	req := c.requests.Get().(*wire.Request)
	defer func() {
		if fault := recover(); fault != nil {
			err = &faultError{fault: fault, stack: debug.Stack()}
		} else {
			req.Reset()
			c.requests.Put(req)
		}
		c.Admission.Release()
	}()
	req.Schema, req.Header = served.Schema, call.Header

	span = c.tracing.span(ctx, "decode")
	err = call.Codec.Decode(req, body)
	span.end(err)
	if err != nil {
		return err
	}

	span = c.tracing.span(ctx, "predict")
	out := req.Arena.Arrays(len(req.Methods))
	err = served.Model.Predict(ctx, req.Arena, &req.Frame, req.Methods, out)
	span.end(err)
	if err != nil {
		return req.Explain(err)
	}

	span = c.tracing.span(ctx, "encode")
	call.Out, err = call.Codec.Encode(call.Out, req, out)
	span.end(err)
	if err != nil {
		return err
	}
	if err = c.hold(call); err != nil {
		return err
	}
	call.Answer = req.Answer
	served.metrics.rows.Observe(float64(req.Frame.Rows))
	for i, method := range req.Methods {
		if method == frame.Predict {
			served.metrics.predicted(req.Arena, &out[i])
		}
	}
	return nil
}

// hold takes the memory of a large answer, which a slow reader may keep for long,
// from the budget.
func (c *Core) hold(call *Call) error {
	more := int64(len(call.Out)) - freeBuffer
	if more <= 0 {
		return nil
	}
	if err := c.TakeMemory(more); err != nil {
		call.Out = nil
		return err
	}
	call.held += more
	return nil
}

// Sent tells that the answer of a call is sent, or never will be. It must follow
// every [Core.Infer].
func (c *Core) Sent(call *Call) {
	if call.held > 0 {
		c.GiveMemory(call.held)
		call.held = 0
	}
}

// public returns what a caller may know of an error: a fault of the server's own
// goes to the log, not to the caller.
func (c *Core) public(ctx context.Context, err error) error {
	if StatusOf(err) != http.StatusInternalServerError {
		return err
	}
	var fault *faultError
	if errors.As(err, &fault) {
		c.Log.ErrorContext(ctx, "call failed", "error", err, "stack", string(fault.stack))
	} else {
		c.Log.ErrorContext(ctx, "call failed", "error", err)
	}
	return errInternal
}

// faultError is a fault of the program that one call ran into. It must not take
// the other calls down.
type faultError struct {
	fault any
	stack []byte
}

func (e *faultError) Error() string { return fmt.Sprintf("fault: %v", e.fault) }

var errInternal = errors.New("internal error; the server's log says more")
