// Command standin stands in for the model servers of others, whose images are too large
// for tests: Triton, TorchServe and TensorFlow Serving. It has their programs' names and
// options, ports, paths and the names of their metrics, as their documentation has them,
// and refuses to start where they would: with an option that they do not know, a
// directory that they cannot write to, or a model that is not laid out as they want it.
// What it predicts is nothing.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// server is one of the servers, ready to listen.
type server struct {
	// ports are what listens at each address.
	ports map[string]http.Handler
	// drain is how long calls under way may take on SIGTERM; 0 ends at once.
	drain time.Duration
}

// programs make a server of the arguments of the program of that name.
func programs() map[string]func(args []string) (*server, error) {
	return map[string]func([]string) (*server, error){
		"tritonserver":            triton,
		"torchserve":              torchServe,
		"tensorflow_model_server": tfServing,
		"hog":                     hog,
	}
}

// entrypoint is the name under which the image starts whatever its arguments name, as
// Triton's does.
const entrypoint = "entrypoint"

func main() {
	args := append([]string{filepath.Base(os.Args[0])}, os.Args[1:]...)
	if args[0] == entrypoint && len(args) > 1 {
		args = args[1:]
	}
	if err := run(args[0], args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(program string, args []string) error {
	start, ok := programs()[program]
	if !ok {
		return fmt.Errorf("%s: no such program", program)
	}
	s, err := start(args)
	if err != nil {
		return fmt.Errorf("%s: %w", program, err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	return s.serve(ctx)
}

// headerTimeout bounds how long a client may take to ask.
const headerTimeout = 5 * time.Second

// serve answers until the context ends, and then as the server does.
func (s *server) serve(ctx context.Context) error {
	var all sync.WaitGroup
	failed := make(chan error, len(s.ports))
	for address, handler := range s.ports {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
		if err != nil {
			return err
		}
		h := &http.Server{Handler: handler, ReadHeaderTimeout: headerTimeout}
		context.AfterFunc(ctx, func() {
			drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.drain)
			defer cancel()
			_ = h.Shutdown(drain)
		})
		all.Go(func() { failed <- h.Serve(listener) })
	}
	all.Wait()
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// hogged bounds what hog takes, on a machine that has no limit for it.
const hogged = 1 << 30

// hog takes memory until it is killed for it.
func hog([]string) (*server, error) {
	const piece = 1 << 20
	var taken [][]byte
	for size := 0; size < hogged; size += piece {
		p := make([]byte, piece)
		for i := range p {
			p[i] = byte(i)
		}
		taken = append(taken, p)
	}
	return nil, fmt.Errorf("there were %d MiB to be had", len(taken))
}
