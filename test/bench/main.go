//go:build linux

// Command bench measures mizzen beside a bare net/http server and the Python
// services that people write today: the same model, the same cores, the same
// minute. It prints a table for docs/performance.md.
//
//	make bench
//	go run ./test/bench -length 10s -python venv/bin/python
//
// It needs Linux and wrk. The Python peers need the packages of
// test/bench/peers/requirements.txt; without them it says so and goes on.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"time"
)

const row = `{"inputs":[5.1,3.5,1.4,0.2]}`

func main() {
	length := flag.Duration("length", 4*time.Second, "how long each run of the load generator takes, in whole seconds")
	rounds := flag.Int("rounds", 3, "how often every server is measured; the table has medians")
	connections := flag.Int("connections", 16, "keep-alive connections")
	python := flag.String("python", "python3", "the interpreter of the Python peers")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *length, *rounds, *connections, *python); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, length time.Duration, rounds, connections int, python string) error {
	if _, err := exec.LookPath("wrk"); err != nil {
		return fmt.Errorf("wrk is not installed (Debian: apt-get install wrk)")
	}
	bin, err := os.MkdirTemp("", "mizzen-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(bin)
	for name, pkg := range map[string]string{"mizzen": "./cmd/mizzen", "bare": "./test/bench/bare"} {
		build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", filepath.Join(bin, name), pkg)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("building %s: %w\n%s", pkg, err, out)
		}
	}
	servers, err := contenders(bin, python)
	if err != nil {
		return err
	}
	rows := make([]line, len(servers))
	for round := range rounds {
		for i, s := range servers {
			fmt.Fprintf(os.Stderr, "round %d of %d: %s\n", round+1, rounds, s.Name)
			if err := rows[i].measure(ctx, s, length, connections); err != nil {
				return err
			}
		}
	}
	table(servers, rows)
	return open(ctx, python)
}

// contenders returns the servers to compare; mizzen is the first, the bare
// server the second.
func contenders(bin, python string) ([]*Server, error) {
	model, err := filepath.Abs("examples/iris/model.pkl")
	if err != nil {
		return nil, err
	}
	peers, err := filepath.Abs("test/bench/peers")
	if err != nil {
		return nil, err
	}
	servers := []*Server{
		{Name: "mizzen", Command: []string{filepath.Join(bin, "mizzen"), "serve", model, "--address", "127.0.0.1", "--port", "%d", "--grpc-port", "0"}},
		{Name: "bare net/http", Command: []string{filepath.Join(bin, "bare"), "127.0.0.1:%d"}},
	}
	env := []string{"MODEL_PATH=" + model, "OMP_NUM_THREADS=1"}
	for _, peer := range []struct {
		name, modules string
		command       []string
	}{
		{"Flask, gunicorn, 2 workers × 2 threads", "flask, gunicorn, prometheus_client, joblib, sklearn",
			[]string{"-m", "gunicorn", "--bind", "127.0.0.1:%d", "--workers", "2", "--threads", "2", "flask_app:app"}},
		{"FastAPI, uvicorn, 2 workers", "fastapi, uvicorn, joblib, sklearn",
			[]string{"-m", "uvicorn", "fastapi_app:app", "--host", "127.0.0.1", "--port", "%d", "--workers", "2", "--log-level", "warning", "--no-access-log"}},
	} {
		if out, err := exec.Command(python, "-c", "import "+peer.modules).CombinedOutput(); err != nil {
			fmt.Printf("Not measured: %s: %s lacks one of %s.\n\n", peer.name, python, peer.modules)
			_ = out
			continue
		}
		servers = append(servers, &Server{Name: peer.name, Command: append([]string{python}, peer.command...), Env: env, Dir: peers})
	}
	return servers, nil
}

// line is a row of the table: one figure a round.
type line struct {
	perSecond, cpu, p50, p99, single, idle, first []float64
}

const mib = 1 << 20

func (l *line) measure(ctx context.Context, s *Server, length time.Duration, connections int) error {
	first, err := s.Start(ctx, row)
	if err != nil {
		return err
	}
	defer func() { _ = s.Stop() }() // a program that is killed has nothing to say
	idle := s.Memory()
	if _, err := load(ctx, s, "/predict", row, connections, time.Second); err != nil { // warm
		return err
	}
	many, err := load(ctx, s, "/predict", row, connections, length)
	if err != nil {
		return err
	}
	one, err := load(ctx, s, "/predict", row, 1, max((length/2).Truncate(time.Second), time.Second))
	if err != nil {
		return err
	}
	l.perSecond = append(l.perSecond, many.PerSecond)
	l.cpu = append(l.cpu, float64(many.CPU)/1e3)
	l.p50 = append(l.p50, float64(many.P50)/1e6)
	l.p99 = append(l.p99, float64(many.P99)/1e6)
	l.single = append(l.single, one.PerSecond)
	l.idle = append(l.idle, float64(idle)/mib)
	l.first = append(l.first, float64(first)/1e6)
	return nil
}

func table(servers []*Server, rows []line) {
	fmt.Println("| server | req/s, 16 connections | req/s, 1 | p50 / p99, ms | CPU, µs a request | idle, MiB | first answer, ms | mizzen is |")
	fmt.Println("|---|---|---|---|---|---|---|---|")
	for i, s := range servers {
		r := rows[i]
		ratio := fmt.Sprintf("%.2f × the requests, %.2f × the CPU", median(pairs(rows[0].perSecond, r.perSecond)), median(pairs(rows[0].cpu, r.cpu)))
		if i == 0 {
			ratio = ""
		}
		fmt.Printf("| %s | %.0f | %.0f | %.3g / %.3g | %.1f | %.0f | %.1f | %s |\n", s.Name, median(r.perSecond), median(r.single),
			median(r.p50), median(r.p99), median(r.cpu), median(r.idle), median(r.first), ratio)
	}
}

// pairs returns a/b, round by round.
func pairs(a, b []float64) []float64 {
	out := make([]float64, len(a))
	for i := range a {
		out[i] = a[i] / b[i]
	}
	return out
}

func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	if len(x) == 0 {
		return 0
	}
	return x[len(x)/2]
}
