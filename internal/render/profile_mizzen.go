package render

import (
	"fmt"
	"time"

	"mizzen.dev/api/v1alpha1"
)

// Ports of mizzen.
const (
	mizzenHTTPPort = 5000
	mizzenGRPCPort = 9000
)

// Where mizzen finds the keys of callers: a Secret is mounted there, whole and not by
// subPath, so that the kubelet brings new keys.
const (
	keysVolume = "api-keys"
	keysDir    = "/etc/mizzen/keys"
	keysFile   = "api-keys"
)

// mizzenWriteTimeout is how long mizzen lets an answer take if it is told nothing.
const mizzenWriteTimeout = time.Minute

// mizzen is this project's own server. docs/configuration.md and docs/monitoring.md say
// the same of it.
func (r *renderer) mizzen() *profile {
	p := &profile{
		name:        v1alpha1.RuntimeMizzen,
		args:        []string{"serve"},
		httpPort:    mizzenHTTPPort,
		grpcPort:    mizzenGRPCPort,
		metricsPort: mizzenHTTPPort,
		livePath:    "/healthz",
		readyPath:   "/readyz",
		metricsPath: "/metrics",
		drains:      true,
		metrics:     mizzenMetrics(r.Model.Name),
	}
	p.env = r.mizzenEnv()
	return p
}

// mizzenEnv is the configuration of mizzen that follows from the spec.
func (r *renderer) mizzenEnv() []variable {
	env := []variable{
		{"MODEL_NAME", r.Model.Name},
		{"MODEL_VERSION", r.spec.Version},
	}
	add := func(name, value string) { env = append(env, variable{name, value}) }
	if r.model.path != "" {
		add("MODEL_PATH", r.model.path)
	}
	if r.spec.Source.Digest != "" {
		add("MODEL_DIGEST", r.spec.Source.Digest)
	}
	// The kubelet waits for preStop before it sends SIGTERM: no delay is left to do.
	add("DRAIN_DELAY", "0s")
	add("MIZZEN_SHUTDOWN_TIMEOUT", r.drain().String())
	if r.spec.Auth != nil {
		add("API_KEY_FILE", keysDir+"/"+keysFile)
	}
	e := r.spec.Expose
	if e == nil {
		return env
	}
	if e.BodySize != nil {
		add("MIZZEN_MAX_BODY", fmt.Sprint(e.BodySize.Value()))
	}
	if l := e.RateLimit; l != nil {
		add("MIZZEN_RATE_LIMIT", fmt.Sprint(l.RequestsPerSecond))
		if l.Burst != 0 {
			add("MIZZEN_RATE_BURST", fmt.Sprint(l.Burst))
		}
	}
	if d := serverTimeout(e); d > 0 {
		add("MIZZEN_REQUEST_TIMEOUT", d.String())
		if d > mizzenWriteTimeout {
			add("MIZZEN_WRITE_TIMEOUT", d.String())
			add("MIZZEN_READ_TIMEOUT", d.String())
		}
	}
	return env
}

// serverTimeout is how long the server may take for a call; 0 if nothing is said.
func serverTimeout(e *v1alpha1.Expose) time.Duration {
	switch {
	case e == nil || e.Timeouts == nil:
		return 0
	case e.Timeouts.Backend != nil:
		return e.Timeouts.Backend.Duration
	case e.Timeouts.Request != nil:
		return e.Timeouts.Request.Duration
	}
	return 0
}
