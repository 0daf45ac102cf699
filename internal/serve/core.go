// Package serve is the server: what it serves ([Registry]), whom it lets in
// ([Keys], [RateLimiter]), how much at a time ([Admission]), how a call becomes
// an answer ([Core.Infer]), and when it starts, reloads, drains and stops
// ([Server]). HTTP is one way in; nothing below [Server] knows of it.
package serve

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"

	"mizzen.dev/internal/config"
	"mizzen.dev/internal/wire"
	"mizzen.dev/model"
)

// Served is one version of a model that is ready to answer. It is immutable;
// who got it from the registry may use it as long as it likes, also after a
// newer one has taken its place.
type Served struct {
	Name, Version string
	Model         *model.Model
	Schema        *wire.Schema

	metrics servedMetrics
}

// Protocol is how a call came in. Its name is a label of the metrics.
type Protocol uint8

// The protocols.
const (
	Native Protocol = iota
	V1
	V2
	GRPC
	Invocations
	numProtocols = iota
)

var protocolNames = [numProtocols]string{"native", "v1", "v2", "grpc", "invocations"}

// String returns the protocol's name in metrics.
func (p Protocol) String() string { return protocolNames[p] }

// Credentials are what a caller says of itself.
type Credentials struct {
	// Key is the API key; empty if there is none.
	Key string
	// Remote is the peer's address with its port, as net.Conn has it.
	Remote string
}

// Body is where the bytes of a call come from. It is asked for them once the
// caller is known to be welcome; they must stay as they are until the call is
// over. Errors are a *wire.Error or a *Rejection.
type Body interface {
	ReadBody() ([]byte, error)
}

// Target is a [Body] that says itself what is to answer, once it was read: a
// message of gRPC names its model.
type Target interface {
	Target() (model, version string)
}

// Call is one inference on its way from bytes to bytes. The transport fills in
// the first part, [Core.Infer] the second. It can be used again.
type Call struct {
	Protocol Protocol
	Codec    wire.Codec
	// Model and Version name what is to answer; see [Registry.Get].
	Model, Version string
	Credentials    Credentials
	Header         wire.Header
	// Operation names the call in traces: a constant such as POST /predict.
	Operation string
	// Body gives the bytes; if it is nil, Bytes holds them already.
	Body  Body
	Bytes []byte

	// Served is what answered; nil if the call did not get that far.
	Served *Served
	// Status is the HTTP status of the answer.
	Status int
	// Out is the body of the answer, or of the error. It is appended to
	// Out[:0], so that its memory is used again.
	Out []byte
	// Answer is what the transport must say beside the body.
	Answer wire.Answer

	held int64 // memory that Out takes of the budget
}

// Core answers calls. All transports share one.
type Core struct {
	Config    *config.Config
	Registry  *Registry
	Admission *Admission
	Metrics   *Metrics
	Log       *slog.Logger

	keys     *Keys
	rates    *RateLimiter // nil: no limit
	tracing  *Tracing     // nil: no traces
	tls      *tls.Config  // nil: no TLS
	loader   *loader
	memory   *budget   // for large bodies
	requests sync.Pool // of *wire.Request
	draining atomic.Bool
	started  atomic.Bool // the first load is over
	changed  broadcast
}

// Transport is a server beside the one of HTTP that lives and ends with it.
// *grpc.Server is one.
type Transport interface {
	// Serve answers on the listener until it is stopped; it then returns nil.
	Serve(net.Listener) error
	// GracefulStop takes no new calls, and returns when those at work are over.
	GracefulStop()
	// Stop ends everything at once.
	Stop()
}

// TLS returns the configuration of a listener, which follows the certificate's
// files as they change; nil if TLS is off.
func (c *Core) TLS() *tls.Config { return c.tls }

// Ready returns nil if calls are answered: the models are loaded and warm, and
// the server is not draining. The error is a *NotReadyError.
func (c *Core) Ready() error {
	if c.draining.Load() {
		return &NotReadyError{State: StateUnavailable, Reason: "the server is shutting down"}
	}
	if !c.started.Load() {
		return &NotReadyError{State: StateLoading}
	}
	for _, s := range c.Registry.List() {
		if s.State == StateReady {
			return nil
		}
	}
	return &NotReadyError{State: StateUnavailable, Reason: "none is loaded"}
}

// Changed returns a channel that is closed when readiness or the registry
// changes next.
func (c *Core) Changed() <-chan struct{} { return c.changed.wait() }

// Load loads or reloads a model, all its versions, from where it was
// configured; Unload stops serving it. Both need the right key and must have
// been allowed; errors are *Rejection and *UnknownModelError, or say why the
// load failed.
func (c *Core) Load(ctx context.Context, who Credentials, name string) error {
	if err := c.mayLoad(who); err != nil {
		return err
	}
	return c.loader.load(ctx, name)
}

// Unload stops serving a model; see [Core.Load].
func (c *Core) Unload(who Credentials, name string) error {
	if err := c.mayLoad(who); err != nil {
		return err
	}
	return c.loader.unload(name)
}

func (c *Core) mayLoad(who Credentials) error {
	if !c.Config.AllowLoad {
		return &Rejection{Cause: NotAllowed}
	}
	return c.Authorize(who, "")
}

// broadcast tells any number of waiters that something has changed.
type broadcast struct {
	mu sync.Mutex
	ch chan struct{}
}

func (b *broadcast) wait() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ch == nil {
		b.ch = make(chan struct{})
	}
	return b.ch
}

func (b *broadcast) notify() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ch != nil {
		close(b.ch)
		b.ch = nil
	}
}
