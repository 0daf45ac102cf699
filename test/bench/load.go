//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// Result is what one run of the load generator measured.
type Result struct {
	PerSecond float64
	P50, P99  time.Duration
	CPU       time.Duration // of the server, a request
	Memory    int64         // proportional set size under load, bytes
}

// load sends the body to a server for a while over keep-alive connections.
func load(ctx context.Context, s *Server, path, body string, connections int, length time.Duration) (Result, error) {
	script := filepath.Join(os.TempDir(), fmt.Sprintf("mizzen-bench-%d.lua", os.Getpid()))
	lua := fmt.Sprintf("wrk.method = \"POST\"\nwrk.body = %q\nwrk.headers[\"Content-Type\"] = \"application/json\"\n", body)
	if err := os.WriteFile(script, []byte(lua), 0o600); err != nil {
		return Result{}, err
	}
	defer os.Remove(script)
	before := s.CPU()
	out, err := exec.CommandContext(ctx, "wrk", "-t1", fmt.Sprintf("-c%d", connections), "-d"+length.String(),
		"--latency", "-s", script, s.URL(path)).CombinedOutput()
	if err != nil {
		return Result{}, fmt.Errorf("running wrk: %w\n%s", err, out)
	}
	r, requests, err := parse(string(out))
	if err != nil {
		return r, fmt.Errorf("%s: %w\n%s", s.Name, err, out)
	}
	r.CPU = (s.CPU() - before) / time.Duration(max(requests, 1))
	r.Memory = s.Memory()
	return r, nil
}

var (
	perSecond = regexp.MustCompile(`Requests/sec:\s+([0-9.]+)`)
	total     = regexp.MustCompile(`(\d+) requests in`)
	quantile  = regexp.MustCompile(`\s(50|99)%\s+([0-9.]+)(us|ms|s)`)
	bad       = regexp.MustCompile(`Non-2xx or 3xx responses: \d+|Socket errors: .*`)
)

// parse reads what wrk prints.
func parse(out string) (r Result, requests int, err error) {
	if m := bad.FindString(out); m != "" {
		return r, 0, fmt.Errorf("requests failed: %s", m)
	}
	rate, count := perSecond.FindStringSubmatch(out), total.FindStringSubmatch(out)
	if rate == nil || count == nil {
		return r, 0, fmt.Errorf("no figures from wrk")
	}
	r.PerSecond, _ = strconv.ParseFloat(rate[1], 64)
	requests, _ = strconv.Atoi(count[1])
	for _, m := range quantile.FindAllStringSubmatch(out, -1) {
		value, _ := strconv.ParseFloat(m[2], 64)
		unit := map[string]time.Duration{"us": time.Microsecond, "ms": time.Millisecond, "s": time.Second}[m[3]]
		d := time.Duration(value * float64(unit))
		if m[1] == "50" {
			r.P50 = d
		} else {
			r.P99 = d
		}
	}
	return r, requests, nil
}
