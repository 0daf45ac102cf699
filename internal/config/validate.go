package config

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"

	"mizzen.dev/internal/nearest"
	"mizzen.dev/internal/store/uri"
	"mizzen.dev/model"
)

// Validate checks what no single value can tell. Errors are an *Error.
func (c *Config) Validate() error {
	for _, check := range []func() error{
		c.checkModel, c.checkListen, c.checkAccess, c.checkBounds, c.checkLogging,
	} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func invalid(name, format string, args ...any) error {
	return &Error{Where: name, Err: fmt.Errorf(format, args...)}
}

func (c *Config) checkModel() error {
	if c.URL != "" {
		if _, err := uri.Parse(c.URL); err != nil {
			return &Error{Where: "url", Err: err}
		}
	}
	if err := CheckOptions(model.Options{Digest: c.Digest, Limits: c.Limits}); err != nil {
		return err
	}
	if c.Name != "" && !ValidName(c.Name) {
		return invalid("name", "%q cannot be part of a path: use letters, digits, '.', '_' and '-'", c.Name)
	}
	if !ValidName(c.Version) {
		return invalid("model-version", "%q cannot be part of a path: use letters, digits, '.', '_' and '-'", c.Version)
	}
	return nil
}

// CheckOptions checks how a model file is to be opened. Errors are an *Error.
func CheckOptions(o model.Options) error {
	if o.Digest != "" {
		digits, ok := strings.CutPrefix(strings.ToLower(o.Digest), "sha256:")
		if raw, err := hex.DecodeString(digits); !ok || err != nil || len(raw) != sha256.Size {
			return invalid("digest", "%q is no digest; write sha256: and 64 hexadecimal digits", o.Digest)
		}
	}
	for _, b := range []struct {
		name       string
		value, max int64
	}{
		{"max-bytes", o.Limits.Bytes, math.MaxInt64}, {"max-ratio", o.Limits.Ratio, math.MaxInt32},
		{"max-depth", int64(o.Limits.Depth), math.MaxInt32}, {"max-memo", int64(o.Limits.Memo), math.MaxInt32},
		{"max-elements", o.Limits.Elements, math.MaxInt64},
	} {
		if b.value < 1 {
			return invalid(b.name, "it must be at least 1")
		}
		if b.value > b.max {
			return invalid(b.name, "%d is too much", b.value)
		}
	}
	return nil
}

// maxName bounds the length of a model's name and version.
const maxName = 128

// ValidName reports whether s can be a model's name or version.
func ValidName(s string) bool {
	if s == "" || len(s) > maxName || s == "." || s == ".." {
		return false
	}
	for _, r := range []byte(s) {
		letter := r|0x20 >= 'a' && r|0x20 <= 'z'
		if !letter && (r < '0' || r > '9') && r != '.' && r != '_' && r != '-' {
			return false
		}
	}
	return true
}

func (c *Config) checkListen() error {
	for _, p := range []struct {
		name  string
		value int
	}{{"port", c.Port}, {"grpc-port", c.GRPCPort}} {
		if p.value < 0 || p.value > 65535 {
			return invalid(p.name, "%d is no port; choose one from 1 to 65535", p.value)
		}
	}
	if c.GRPC && c.Port == c.GRPCPort && c.Port != 0 {
		return invalid("grpc-port", "HTTP has port %d already", c.Port)
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return invalid("tls-cert", "TLS needs both: tls-cert and tls-key")
	}
	return nil
}

func (c *Config) checkAccess() error {
	for _, group := range c.AuthExempt {
		if !slices.Contains(Groups(), group) {
			return invalid("auth-exempt", "there is no %q%s; choose from %s", group, nearest.DidYouMean(group, Groups()), strings.Join(Groups(), ", "))
		}
	}
	if c.AllowLoad && len(c.APIKeys) == 0 && c.APIKeyFile == "" {
		return invalid("allow-load", "loading over the network needs an API key: set API_KEY or --api-key-file")
	}
	for _, origin := range c.CORS {
		u, err := url.Parse(origin)
		if origin != "*" && (err != nil || u.Scheme == "" || u.Host == "" || u.Path != "") {
			return invalid("cors-origins", "%q is no origin; write such as https://app.example.com", origin)
		}
	}
	if c.RateLimit < 0 || c.RateBurst < 0 {
		return invalid("rate-limit", "it cannot be negative")
	}
	return nil
}

func (c *Config) checkBounds() error {
	for _, b := range []struct {
		name  string
		value int64
	}{
		{"max-in-flight", int64(c.InFlight)}, {"max-body", int64(c.MaxBody)}, {"max-body-memory", int64(c.MaxBodyMemory)},
		{"max-rows", int64(c.MaxRows)}, {"max-values", int64(c.MaxValues)}, {"max-json-depth", int64(c.MaxJSONDepth)},
		{"max-connections", int64(c.MaxConnections)}, {"max-streams", int64(c.MaxStreams)}, {"max-header", int64(c.MaxHeader)},
	} {
		if b.value < 1 {
			return invalid(b.name, "it must be at least 1")
		}
		if b.value > math.MaxInt32 && b.name != "max-body-memory" {
			return invalid(b.name, "%d is too much", b.value)
		}
	}
	if c.Queue < 0 || c.Queue > 1<<31-1 {
		return invalid("max-queue", "it must be 0 or more")
	}
	for _, d := range []struct {
		name  string
		value time.Duration
	}{
		{"queue-timeout", c.QueueTimeout}, {"request-timeout", c.RequestTimeout}, {"header-timeout", c.HeaderTimeout},
		{"read-timeout", c.ReadTimeout}, {"write-timeout", c.WriteTimeout}, {"idle-timeout", c.IdleTimeout},
		{"download-timeout", c.Download.Timeout},
	} {
		if d.value <= 0 {
			return invalid(d.name, "it must be more than 0: without a bound one slow client holds the server")
		}
	}
	for _, d := range []struct {
		name  string
		value time.Duration
	}{{"drain-delay", c.DrainDelay}, {"shutdown-timeout", c.ShutdownTimeout}, {"reload-interval", c.ReloadInterval}} {
		if d.value < 0 {
			return invalid(d.name, "it cannot be negative")
		}
	}
	if c.ReloadInterval > 0 && c.ReloadInterval < minReloadInterval {
		return invalid("reload-interval", "it must be 0, or at least %s", minReloadInterval)
	}
	return nil
}

// minReloadInterval keeps the server from spending its time on looking at files.
const minReloadInterval = 10 * time.Millisecond

func (c *Config) checkLogging() error {
	for _, choice := range []struct {
		name, value string
		all         []string
	}{
		{"log-format", c.LogFormat, []string{"auto", "text", "json"}},
		{"log-level", c.LogLevel, []string{"debug", "info", "warn", "error"}},
	} {
		if !slices.Contains(choice.all, choice.value) {
			return invalid(choice.name, "%q is none of %s", choice.value, strings.Join(choice.all, ", "))
		}
	}
	return nil
}

// ErrNoModel says that nothing was named that could be served.
var ErrNoModel = errors.New("no model is named: give a file or a directory, MODEL_PATH or MODEL_URL")
