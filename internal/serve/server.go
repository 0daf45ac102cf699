package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"mizzen.dev/internal/config"
	"mizzen.dev/internal/version"
	"mizzen.dev/internal/wire"
)

// Options are what a server needs beside its configuration. The zero value will do.
type Options struct {
	// Log gets what happens; nil for nothing.
	Log *slog.Logger
	// Getenv finds the OTEL_* variables; nil for those of the process.
	Getenv func(string) string
	// GRPC makes the gRPC server; nil for none.
	GRPC func(*Core) (Transport, error)
}

// Server serves models until it is told to stop.
type Server struct {
	core    *Core
	http    *http.Server
	grpc    Transport // nil: none
	conns   *connections
	cert    *certificate // nil: no TLS
	closing atomic.Bool  // no new connection is taken

	listener, grpcListener net.Listener
	httpServed, grpcServed chan error // what ended a transport
}

// New returns a server that is configured and does nothing yet.
func New(ctx context.Context, cfg *config.Config, opts Options) (*Server, error) {
	if cfg.Path == "" && cfg.URL == "" {
		return nil, config.ErrNoModel
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Getenv == nil {
		opts.Getenv = os.Getenv
	}
	core, err := newCore(ctx, cfg, opts)
	if err != nil {
		return nil, err
	}
	s := &Server{core: core, conns: newConnections(cfg.MaxConnections), httpServed: make(chan error, 1), grpcServed: make(chan error, 1)}
	if cfg.TLSCert != "" {
		if s.cert, err = newCertificate(cfg.TLSCert, cfg.TLSKey); err != nil {
			return nil, err
		}
		core.tls = s.cert.config()
	}
	s.http = &http.Server{
		Handler:           newHandler(core, &s.closing),
		ReadHeaderTimeout: cfg.HeaderTimeout,
		ReadTimeout:       cfg.ReadTimeout,
		WriteTimeout:      cfg.WriteTimeout,
		IdleTimeout:       cfg.IdleTimeout,
		MaxHeaderBytes:    int(cfg.MaxHeader),
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: cfg.MaxStreams},
		TLSConfig:         core.tls,
		ConnState:         s.conns.changed,
		ErrorLog:          slog.NewLogLogger(opts.Log.Handler(), slog.LevelDebug),
	}
	if cfg.GRPC && opts.GRPC != nil {
		if s.grpc, err = opts.GRPC(core); err != nil {
			return nil, err
		}
	}
	if err := core.loader.makePrivate(); err != nil {
		return nil, err
	}
	return s, nil
}

// newCore returns what answers calls, with no model yet.
func newCore(ctx context.Context, cfg *config.Config, opts Options) (*Core, error) {
	c := &Core{
		Config:    cfg,
		Registry:  NewRegistry(),
		Admission: NewAdmission(cfg.InFlight, cfg.Queue, cfg.QueueTimeout),
		Metrics:   NewMetrics(),
		Log:       opts.Log,
		memory:    &budget{limit: int64(cfg.MaxBodyMemory)},
	}
	c.requests.New = func() any { return wire.NewRequest() }
	var err error
	if c.keys, err = NewKeys(cfg.APIKeys, cfg.APIKeyFile); err != nil {
		return nil, err
	}
	if cfg.RateLimit > 0 {
		c.rates = NewRateLimiter(cfg.RateLimit, cfg.RateBurst)
	}
	if c.tracing, err = NewTracing(ctx, opts.Getenv, opts.Log); err != nil {
		return nil, err
	}
	c.loader = newLoader(c)
	c.Metrics.watch(c)
	return c, nil
}

// Core returns what answers the calls.
func (s *Server) Core() *Core { return s.core }

// Addr returns the address of HTTP, GRPCAddr that of gRPC (nil if there is
// none), once Start or Listen has returned.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// GRPCAddr is explained at [Server.Addr].
func (s *Server) GRPCAddr() net.Addr {
	if s.grpcListener == nil {
		return nil
	}
	return s.grpcListener.Addr()
}

// Listen opens the ports and answers: until the models are loaded with 503.
func (s *Server) Listen() error {
	cfg := s.core.Config
	var err error
	if s.listener, err = listen(cfg.Address, cfg.Port, "--port"); err != nil {
		return err
	}
	if s.grpc != nil {
		if s.grpcListener, err = listen(cfg.Address, cfg.GRPCPort, "--grpc-port"); err != nil {
			s.listener.Close()
			return err
		}
	}
	s.warnOpen()
	go func() {
		if s.core.tls != nil {
			s.httpServed <- s.http.ServeTLS(s.listener, "", "")
		} else {
			s.httpServed <- s.http.Serve(s.listener)
		}
	}()
	if s.grpc != nil {
		go func() { s.grpcServed <- s.grpc.Serve(limitConnections(s.grpcListener, cfg.MaxConnections)) }()
	}
	return nil
}

// warnOpen tells those who did not mean to open their server to everybody.
func (s *Server) warnOpen() {
	cfg := s.core.Config
	ip := net.ParseIP(cfg.Address)
	if s.core.keys == nil && (cfg.Address == "" || ip != nil && ip.IsUnspecified()) {
		s.core.Log.Warn("open to everybody who can reach this machine: set API_KEY, or --address 127.0.0.1")
	}
}

// Start listens, loads and warms the models; when it returns nil the server is
// ready.
func (s *Server) Start(ctx context.Context) error {
	start := time.Now()
	s.core.Log.Info("starting", "version", version.Get().Version, "model", s.core.loader.path())
	if err := s.Listen(); err != nil {
		return err
	}
	if err := s.core.loader.start(ctx); err != nil {
		s.Close()
		return err
	}
	s.core.started.Store(true)
	s.core.changed.notify()
	attrs := []any{"url", s.url(), "http", s.Addr().String()}
	if s.grpcListener != nil {
		attrs = append(attrs, "grpc", s.GRPCAddr().String())
	}
	s.core.Log.Info("ready", append(attrs, "tls", s.core.tls != nil, "duration", time.Since(start))...)
	return nil
}

// url is where a browser on this machine finds the server.
func (s *Server) url() string {
	scheme := "http"
	if s.core.tls != nil {
		scheme = "https"
	}
	host, port, err := net.SplitHostPort(s.Addr().String())
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// Run starts the server and runs it until ctx is done or a signal tells it to
// stop. SIGHUP reloads. The first other signal drains the server, the second one
// stops it at once.
func (s *Server) Run(ctx context.Context, signals <-chan os.Signal) error {
	if stopped, err := s.startUnlessStopped(ctx, signals); stopped || err != nil {
		return err
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	go s.watch(background)
	for {
		select {
		case sig := <-signals:
			if isReload(sig) {
				s.core.Log.Info("reloading", "signal", sig.String())
				go func() { _ = s.Reload(background) }() // it logs what fails
				continue
			}
			stop()
			return s.drain(ctx, sig.String(), signals)
		case <-ctx.Done():
			stop()
			return s.drain(context.WithoutCancel(ctx), "context", signals)
		case err := <-s.httpServed:
			s.Close()
			return fmt.Errorf("serving HTTP: %w", err)
		case err := <-s.grpcServed:
			s.Close()
			return fmt.Errorf("serving gRPC: %w", err)
		}
	}
}

// startUnlessStopped starts the server; a signal that comes meanwhile, but for a
// reload, ends that.
func (s *Server) startUnlessStopped(ctx context.Context, signals <-chan os.Signal) (stopped bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	started := make(chan error, 1)
	go func() { started <- s.Start(ctx) }()
	for {
		select {
		case err := <-started:
			return false, err
		case sig := <-signals:
			if isReload(sig) {
				continue
			}
			cancel()
			if err := <-started; err == nil {
				s.Close()
			}
			s.core.Log.Info("stopped", "reason", sig.String())
			return true, nil
		}
	}
}

// Reload loads all models again that have changed.
func (s *Server) Reload(ctx context.Context) error { return s.core.loader.reload(ctx) }

// errStopped says that work was cut off.
var errStopped = errors.New("stopped at once by a second signal; what was at work was cut off")

// signalEcho is how long after a signal another one is taken for the same: those
// who signal a process and then its whole group, as timeout(1) does, mean one.
const signalEcho = 50 * time.Millisecond

func (s *Server) drain(ctx context.Context, why string, signals <-chan os.Signal) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	start := time.Now()
	go func() {
		for {
			select {
			case sig := <-signals:
				if !isReload(sig) && time.Since(start) > signalEcho {
					stop(errStopped)
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	s.core.Log.Info("draining", "reason", why, "delay", s.core.Config.DrainDelay)
	return s.Shutdown(ctx)
}

// Shutdown drains the server: it is not ready at once; it goes on answering for
// the drain delay; then it takes no new connections, and what is at work ends
// within the shutdown time-out. When ctx is done everything stops at once.
func (s *Server) Shutdown(ctx context.Context) error {
	c := s.core
	c.draining.Store(true)
	c.changed.notify()
	start := time.Now()
	var err error
	if wait(ctx, c.Config.DrainDelay) {
		err = s.stopTransports(ctx)
	}
	working := c.Admission.Working() + c.Admission.Waiting()
	s.Close()
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	flush, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
	defer cancel()
	if traceErr := c.tracing.stop(flush); traceErr != nil {
		c.Log.Warn("cannot send the last traces", "error", traceErr)
	}
	c.Log.Info("stopped", "duration", time.Since(start), "cut_off", working)
	return err
}

// flushTimeout bounds how long the last traces may take to be sent.
const flushTimeout = 3 * time.Second

// wait waits for d, and reports whether ctx lasted as long.
func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// idleGrace is how long connections without a request stay open after the
// listener has closed. A client that was just about to send one still gets its
// answer, with the advice to leave; closing at once could lose it.
const idleGrace = 500 * time.Millisecond

// handshakeGrace is how long connections that are being made get to be accepted
// before the listener closes.
const handshakeGrace = 50 * time.Millisecond

// stopTransports closes the listeners and lets what is at work end. It fails if
// that does not happen in time.
func (s *Server) stopTransports(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.core.Config.ShutdownTimeout)
	defer cancel()
	quiet := refuseNew(s.listener)
	if s.grpcListener != nil {
		quiet = refuseNew(s.grpcListener) || quiet
	}
	if quiet {
		wait(ctx, handshakeGrace)
	}
	grpcDone := make(chan struct{})
	go func() {
		defer close(grpcDone)
		if s.grpc != nil {
			s.grpc.GracefulStop()
		}
	}()
	_ = s.listener.Close()
	<-s.httpServed        //nolint:errcheck // all that was accepted is being served; it ended because its listener did
	s.closing.Store(true) // afterwards: whoever leaves must not come back here
	s.conns.none(ctx, idleGrace)
	err := s.http.Shutdown(ctx)
	select {
	case <-grpcDone:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("requests did not end within %s (--shutdown-timeout) and were cut off", s.core.Config.ShutdownTimeout)
	}
	return nil
}

// Close stops at once.
func (s *Server) Close() {
	_ = s.http.Close()
	if s.grpc != nil {
		s.grpc.Stop()
	}
	for _, l := range []net.Listener{s.listener, s.grpcListener} {
		if l != nil {
			_ = l.Close()
		}
	}
	s.core.loader.clean()
}

// refreshInterval is how often keys and certificate are looked at when models
// are not.
const refreshInterval = 2 * time.Second

// watch looks at the files again and again until ctx is done.
func (s *Server) watch(ctx context.Context) {
	cfg := s.core.Config
	interval := cfg.ReloadInterval
	if interval == 0 {
		interval = refreshInterval
	}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	var keys, cert string // the last complaint about each
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if cfg.ReloadInterval > 0 {
			s.core.loader.poll(ctx)
		}
		if s.core.keys != nil {
			keys = s.refresh("API keys", s.core.keys.Refresh, keys)
		}
		if s.cert != nil {
			cert = s.refresh("TLS certificate", s.cert.Refresh, cert)
		}
	}
}

// refresh reads something again if it has changed, and says so; of complaints
// only those that are new.
func (s *Server) refresh(what string, read func() (bool, error), complaint string) string {
	changed, err := read()
	switch {
	case err != nil && err.Error() != complaint:
		s.core.Log.Error("cannot read again; the former stays", "what", what, "error", err)
		return err.Error()
	case err != nil:
		return complaint
	case changed:
		s.core.Log.Info("read again", "what", what)
	}
	return ""
}
