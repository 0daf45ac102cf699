// Package config is the configuration of mizzen serve: one struct, filled from
// a YAML file, the environment and flags, the later ones stronger. One table
// ([Fields]) says what there is; flags, variables, file keys and the reference
// in docs/configuration.md all come from it.
package config

import (
	"runtime"
	"time"

	"mizzen.dev/model"
)

// Config is what a server can be told. See [Fields] for the meaning of each.
type Config struct {
	Path    string
	URL     string
	Digest  string
	Name    string
	Version string
	Select  string
	Limits  model.Limits

	Download Download

	Address  string
	Port     int
	GRPCPort int
	GRPC     bool

	TLSCert, TLSKey string

	APIKeys    []string // secret: never logged or printed
	APIKeyFile string
	AuthExempt []string
	AllowLoad  bool
	CORS       []string

	InFlight       int
	Queue          int
	QueueTimeout   time.Duration
	RequestTimeout time.Duration
	RateLimit      float64
	RateBurst      int
	MaxBody        Bytes
	MaxBodyMemory  Bytes
	MaxRows        int
	MaxValues      int
	MaxJSONDepth   int
	MaxConnections int
	MaxStreams     int

	HeaderTimeout time.Duration
	ReadTimeout   time.Duration
	WriteTimeout  time.Duration
	IdleTimeout   time.Duration
	MaxHeader     Bytes

	Warmup          string
	ReloadInterval  time.Duration
	DrainDelay      time.Duration
	ShutdownTimeout time.Duration

	LogFormat string
	LogLevel  string
	AccessLog bool
}

// Download says how a model file is fetched.
type Download struct {
	Dir     string
	Timeout time.Duration
	// Credentials is a directory with a file for each variable of a store.
	Credentials string
	Anonymous   bool
	PlainHTTP   bool
}

// Default returns the configuration of a server that is told nothing.
func Default() *Config {
	return &Config{
		Version:  "1",
		Limits:   model.Limits{}.WithDefaults(),
		Download: Download{Timeout: 10 * time.Minute},

		Port:     5000,
		GRPCPort: 9000,
		GRPC:     true,

		AuthExempt: []string{GroupProbes, GroupMetrics},

		InFlight:       4 * runtime.GOMAXPROCS(0),
		Queue:          1024,
		QueueTimeout:   5 * time.Second,
		RequestTimeout: 30 * time.Second,
		MaxBody:        10 << 20,
		MaxBodyMemory:  256 << 20,
		MaxRows:        100_000,
		MaxValues:      4 << 20,
		MaxJSONDepth:   32,
		MaxConnections: 10_000,
		MaxStreams:     250,

		HeaderTimeout: 5 * time.Second,
		ReadTimeout:   30 * time.Second,
		WriteTimeout:  60 * time.Second,
		IdleTimeout:   120 * time.Second,
		MaxHeader:     64 << 10,

		ReloadInterval:  2 * time.Second,
		ShutdownTimeout: 25 * time.Second,

		LogFormat: "auto",
		LogLevel:  "info",
	}
}

// The groups of paths that can be exempt from API keys.
const (
	GroupProbes   = "probes"   // /healthz, /readyz, /ping, /v2/health/…
	GroupMetrics  = "metrics"  // /metrics
	GroupDocs     = "docs"     // /, /docs, /openapi.json, /version
	GroupMetadata = "metadata" // GET of /v1/models…, /v2…
)

// Groups are all of them.
func Groups() []string { return []string{GroupProbes, GroupMetrics, GroupDocs, GroupMetadata} }
