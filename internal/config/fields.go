package config

import (
	"strings"
)

// Field is one thing that can be configured.
type Field struct {
	// Name is the flag's name, and the key in the file. A secret has no flag: a
	// command line can be read by others.
	Name string
	// Env is the environment variable.
	Env string
	// Section groups the fields for people.
	Section string
	// Usage says what it does, in the flag's help and the reference.
	Usage string
	// Secret fields come from the environment or the file, and are never shown.
	Secret bool

	target func(*Config) any
}

// Value returns the field's value in c, as one would write it.
func (f Field) Value(c *Config) string { return format(f.target(c)) }

// Set reads the field's value into c.
func (f Field) Set(c *Config, text string) error { return parse(f.target(c), text) }

// IsBool reports whether the field is a switch.
func (f Field) IsBool() bool {
	_, ok := f.target(&Config{}).(*bool)
	return ok
}

// The sections, in the order of the reference.
const (
	sectionModel   = "Model"
	sectionListen  = "Listening"
	sectionAccess  = "Who may call"
	sectionBounds  = "Bounds"
	sectionLife    = "Warm-up, reload, shutdown"
	sectionLogging = "Logging"
	sectionReading = "Bounds of model files"
)

// Fields returns the table of all there is to configure. Variables that
// ConfigMaps and Secrets commonly have keep their plain names; all others start
// with MIZZEN_.
func Fields() []Field {
	fields := []Field{
		{Name: "model", Env: "MODEL_PATH", Section: sectionModel, Usage: "model file, or directory of models: NAME/model.pkl or NAME/VERSION/model.pkl; the argument of the command",
			target: func(c *Config) any { return &c.Path }},
		{Name: "url", Env: "MODEL_URL", Section: sectionModel, Usage: "address from which the model file is fetched at the start (http, https, s3, gs, azblob, oci, hf or file; see docs/store.md); it is kept where model says (a file, or a directory for it), or else in download-dir",
			target: func(c *Config) any { return &c.URL }},
		{Name: "digest", Env: "MODEL_DIGEST", Section: sectionModel, Usage: "digest that the file must have: sha256:HEX",
			target: func(c *Config) any { return &c.Digest }},
		{Name: "name", Env: "MODEL_NAME", Section: sectionModel, Usage: "name under which the model is served (default: the file's, or its directory's if that is model.*)",
			target: func(c *Config) any { return &c.Name }},
		{Name: "model-version", Env: "MODEL_VERSION", Section: sectionModel, Usage: "version of a model whose path names none",
			target: func(c *Config) any { return &c.Version }},
		{Name: "select", Env: "MODEL_SELECT", Section: sectionModel, Usage: "which key of a file that holds a dict or a list of things is the model, such as model or models.0",
			target: func(c *Config) any { return &c.Select }},
		{Name: "download-dir", Section: sectionModel, Usage: "where a fetched model file is kept (default: the system's place for temporary files)",
			target: func(c *Config) any { return &c.Download.Dir }},
		{Name: "download-timeout", Section: sectionModel, Usage: "how long fetching the model file may take",
			target: func(c *Config) any { return &c.Download.Timeout }},
		{Name: "credentials", Section: sectionModel, Usage: "directory with a file for each variable of a store, such as AWS_ACCESS_KEY_ID: a mounted Secret; stronger than the environment",
			target: func(c *Config) any { return &c.Download.Credentials }},
		{Name: "anonymous", Section: sectionModel, Usage: "fetch the model file without credentials",
			target: func(c *Config) any { return &c.Download.Anonymous }},
		{Name: "plain-http", Section: sectionModel, Usage: "let registries be asked without TLS",
			target: func(c *Config) any { return &c.Download.PlainHTTP }},

		{Name: "address", Section: sectionListen, Usage: "address to listen on, such as 127.0.0.1 (default: all, IPv4 and IPv6)",
			target: func(c *Config) any { return &c.Address }},
		{Name: "port", Env: "PORT", Section: sectionListen, Usage: "port for HTTP; 0 takes a free one",
			target: func(c *Config) any { return &c.Port }},
		{Name: "grpc", Section: sectionListen, Usage: "answer gRPC, too",
			target: func(c *Config) any { return &c.GRPC }},
		{Name: "grpc-port", Env: "GRPC_PORT", Section: sectionListen, Usage: "port for gRPC; 0 takes a free one",
			target: func(c *Config) any { return &c.GRPCPort }},
		{Name: "tls-cert", Section: sectionListen, Usage: "certificate chain (PEM) for HTTPS and gRPC; read again when it changes",
			target: func(c *Config) any { return &c.TLSCert }},
		{Name: "tls-key", Section: sectionListen, Usage: "private key (PEM) of the certificate",
			target: func(c *Config) any { return &c.TLSKey }},

		{Name: "api-keys", Env: "API_KEY", Section: sectionAccess, Secret: true, Usage: "keys of which callers need one; commas or white space between several",
			target: func(c *Config) any { return &c.APIKeys }},
		{Name: "api-key-file", Env: "API_KEY_FILE", Section: sectionAccess, Usage: "file with further keys, one a line; read again when it changes",
			target: func(c *Config) any { return &c.APIKeyFile }},
		{Name: "auth-exempt", Section: sectionAccess, Usage: "what needs no key: any of " + strings.Join(Groups(), ", "),
			target: func(c *Config) any { return &c.AuthExempt }},
		{Name: "allow-load", Section: sectionAccess, Usage: "let callers load, unload and reload models; needs a key",
			target: func(c *Config) any { return &c.AllowLoad }},
		{Name: "cors-origins", Section: sectionAccess, Usage: "origins whose web pages may call, such as https://app.example.com; * for all",
			target: func(c *Config) any { return &c.CORS }},
		{Name: "rate-limit", Section: sectionAccess, Usage: "calls a second that each caller, by key or else by address, may make; 0 for any number",
			target: func(c *Config) any { return &c.RateLimit }},
		{Name: "rate-burst", Section: sectionAccess, Usage: "calls that a caller may make at once (default: as many as in a second)",
			target: func(c *Config) any { return &c.RateBurst }},

		{Name: "max-in-flight", Section: sectionBounds, Usage: "calls at work at a time (default: 4 for each processor)",
			target: func(c *Config) any { return &c.InFlight }},
		{Name: "max-queue", Section: sectionBounds, Usage: "calls that wait for their turn; more are refused with 503",
			target: func(c *Config) any { return &c.Queue }},
		{Name: "queue-timeout", Section: sectionBounds, Usage: "how long a call waits for its turn before it is refused with 503",
			target: func(c *Config) any { return &c.QueueTimeout }},
		{Name: "request-timeout", Section: sectionBounds, Usage: "how long the work of a large call may take",
			target: func(c *Config) any { return &c.RequestTimeout }},
		{Name: "max-body", Section: sectionBounds, Usage: "size of a request's body, decompressed; a larger one is refused with 413",
			target: func(c *Config) any { return &c.MaxBody }},
		{Name: "max-body-memory", Section: sectionBounds, Usage: "memory for all bodies and answers over 64 KiB together; more are refused with 503",
			target: func(c *Config) any { return &c.MaxBodyMemory }},
		{Name: "max-rows", Section: sectionBounds, Usage: "rows of a request",
			target: func(c *Config) any { return &c.MaxRows }},
		{Name: "max-values", Section: sectionBounds, Usage: "values of a request, and of an answer",
			target: func(c *Config) any { return &c.MaxValues }},
		{Name: "max-json-depth", Section: sectionBounds, Usage: "nesting of a request's JSON",
			target: func(c *Config) any { return &c.MaxJSONDepth }},
		{Name: "max-connections", Section: sectionBounds, Usage: "open connections, of HTTP and of gRPC each; more are closed at once",
			target: func(c *Config) any { return &c.MaxConnections }},
		{Name: "max-streams", Section: sectionBounds, Usage: "calls at a time on one HTTP/2 or gRPC connection",
			target: func(c *Config) any { return &c.MaxStreams }},
		{Name: "max-header", Section: sectionBounds, Usage: "size of a request's headers",
			target: func(c *Config) any { return &c.MaxHeader }},
		{Name: "header-timeout", Section: sectionBounds, Usage: "how long a client may take to send the headers",
			target: func(c *Config) any { return &c.HeaderTimeout }},
		{Name: "read-timeout", Section: sectionBounds, Usage: "how long a client may take to send the whole request",
			target: func(c *Config) any { return &c.ReadTimeout }},
		{Name: "write-timeout", Section: sectionBounds, Usage: "how long an answer may take from the end of the headers to its last byte",
			target: func(c *Config) any { return &c.WriteTimeout }},
		{Name: "idle-timeout", Section: sectionBounds, Usage: "how long a connection stays open without a request",
			target: func(c *Config) any { return &c.IdleTimeout }},

		{Name: "warmup", Section: sectionLife, Usage: "file of requests, one JSON body of /predict a line, that are run before the model is ready (default: inputs made from the model's signature)",
			target: func(c *Config) any { return &c.Warmup }},
		{Name: "reload-interval", Section: sectionLife, Usage: "how often to look whether model files have changed; 0 for never",
			target: func(c *Config) any { return &c.ReloadInterval }},
		{Name: "drain-delay", Env: "DRAIN_DELAY", Section: sectionLife, Usage: "how long to go on answering new requests after SIGTERM, while /readyz says 503",
			target: func(c *Config) any { return &c.DrainDelay }},
		{Name: "shutdown-timeout", Section: sectionLife, Usage: "how long requests at work may take to end after that",
			target: func(c *Config) any { return &c.ShutdownTimeout }},

		{Name: "log-format", Section: sectionLogging, Usage: "text, json, or auto: text on a terminal",
			target: func(c *Config) any { return &c.LogFormat }},
		{Name: "log-level", Section: sectionLogging, Usage: "debug, info, warn or error",
			target: func(c *Config) any { return &c.LogLevel }},
		{Name: "access-log", Section: sectionLogging, Usage: "log a line for each request",
			target: func(c *Config) any { return &c.AccessLog }},

		{Name: "max-bytes", Section: sectionReading, Usage: "bytes of a model file, and of what it decompresses to",
			target: func(c *Config) any { return (*Bytes)(&c.Limits.Bytes) }},
		{Name: "max-ratio", Section: sectionReading, Usage: "times that a model file grows when it is decompressed",
			target: func(c *Config) any { return &c.Limits.Ratio }},
		{Name: "max-depth", Section: sectionReading, Usage: "how deep containers in a model file may be nested",
			target: func(c *Config) any { return &c.Limits.Depth }},
		{Name: "max-memo", Section: sectionReading, Usage: "memo entries of a pickle",
			target: func(c *Config) any { return &c.Limits.Memo }},
		{Name: "max-elements", Section: sectionReading, Usage: "items of all containers of a model file together",
			target: func(c *Config) any { return &c.Limits.Elements }},
	}
	for i, f := range fields {
		if f.Env == "" {
			fields[i].Env = envPrefix + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		}
	}
	return fields
}

const envPrefix = "MIZZEN_"

// FileEnv is the variable that names the configuration file, as --config does.
const FileEnv = "MIZZEN_CONFIG"
