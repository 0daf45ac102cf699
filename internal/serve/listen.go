package serve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// PortError says that a port cannot be had, and what to do.
type PortError struct {
	Port int
	Flag string // --port
	Err  error
}

func (e *PortError) Error() string {
	if !taken(e.Err) {
		return fmt.Sprintf("listening on port %d: %v", e.Port, e.Err)
	}
	text := fmt.Sprintf("port %d is taken by another program; choose another one with %s", e.Port, e.Flag)
	if e.Flag == "--grpc-port" {
		text += ", or do without gRPC (--grpc=false)"
	}
	if runtime.GOOS == "darwin" && e.Port == 5000 {
		text += ", or switch off macOS's AirPlay Receiver, which holds 5000 (System Settings, General, AirDrop & Handoff)"
	}
	return text
}

// Unwrap returns the system's error.
func (e *PortError) Unwrap() error { return e.Err }

// taken reports whether a port has an owner.
func taken(err error) bool {
	const windowsInUse = syscall.Errno(10048) // WSAEADDRINUSE
	return errors.Is(err, syscall.EADDRINUSE) || runtime.GOOS == "windows" && errors.Is(err, windowsInUse)
}

// listen opens a port: on one address, or on all, IPv4 and IPv6. Multipath TCP,
// which Go would use, is of no use between servers, and knows no refuseNew.
func listen(address string, port int, flag string) (net.Listener, error) {
	var how net.ListenConfig
	how.SetMultipathTCP(false)
	l, err := how.Listen(context.Background(), "tcp", net.JoinHostPort(address, strconv.Itoa(port)))
	if err != nil {
		return nil, &PortError{Port: port, Flag: flag, Err: err}
	}
	return l, nil
}

// connections bounds and counts those of an http.Server.
type connections struct {
	limit int64
	open  atomic.Int64

	mu    sync.Mutex
	empty chan struct{} // closed when the last one is gone; nil: nobody waits
}

func newConnections(limit int) *connections { return &connections{limit: int64(limit)} }

// changed is the server's ConnState.
func (c *connections) changed(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		if c.open.Add(1) > c.limit {
			_ = conn.Close() // the server finds out when it reads
		}
	case http.StateClosed, http.StateHijacked:
		if c.open.Add(-1) == 0 {
			c.mu.Lock()
			if c.empty != nil {
				close(c.empty)
				c.empty = nil
			}
			c.mu.Unlock()
		}
	}
}

// none waits until no connection is open, for a while at most.
func (c *connections) none(ctx context.Context, atMost time.Duration) {
	c.mu.Lock()
	if c.open.Load() == 0 {
		c.mu.Unlock()
		return
	}
	if c.empty == nil {
		c.empty = make(chan struct{})
	}
	empty := c.empty
	c.mu.Unlock()
	timer := time.NewTimer(atMost)
	defer timer.Stop()
	select {
	case <-empty:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// limitConnections closes at once what comes when limit connections are open.
func limitConnections(l net.Listener, limit int) net.Listener {
	return &limitedListener{Listener: l, limit: int64(limit)}
}

type limitedListener struct {
	net.Listener
	limit int64
	open  atomic.Int64
}

func (l *limitedListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.open.Add(1) > l.limit {
			l.open.Add(-1)
			_ = conn.Close()
			continue
		}
		return &limitedConn{Conn: conn, of: l}, nil
	}
}

// limitedConn gives its place back when it is closed, once.
type limitedConn struct {
	net.Conn
	of     *limitedListener
	closed atomic.Bool
}

func (c *limitedConn) Close() error {
	if c.closed.CompareAndSwap(false, true) {
		c.of.open.Add(-1)
	}
	return c.Conn.Close()
}
