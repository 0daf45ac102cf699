package store

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"mizzen.dev/internal/store/uri"
)

// environment is where a fetch finds credentials and endpoints.
type environment struct {
	Options
	// client asks stores, lookup the services that give credentials; those are near.
	client, lookup *http.Client
}

// responseTimeout bounds how long a store may take to begin its answer.
const responseTimeout = time.Minute

// lookupTimeout bounds how long a service that gives credentials may take.
const lookupTimeout = 10 * time.Second

func newEnvironment(o Options) *environment {
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	transport := &http.Transport{
		Proxy:                 proxy,
		DialContext:           (&net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		ForceAttemptHTTP2:     true,
		TLSHandshakeTimeout:   15 * time.Second,
		ResponseHeaderTimeout: responseTimeout,
		// Sizes, ranges and digests are those of the file itself.
		DisableCompression: true,
		// The next try may need another server.
		MaxIdleConnsPerHost: 2,
		IdleConnTimeout:     30 * time.Second,
	}
	return &environment{
		Options: o,
		client:  &http.Client{Transport: transport, CheckRedirect: checkRedirect},
		lookup:  &http.Client{Transport: transport, Timeout: lookupTimeout, CheckRedirect: checkRedirect},
	}
}

// awsMetadata is where AWS's machines and pods get credentials by IPv6: fd00:ec2::254
// and fd00:ec2::23.
var awsMetadata = net.IPNet{IP: net.ParseIP("fd00:ec2::"), Mask: net.CIDRMask(32, 128)}

// proxy is that of the environment, but for the metadata of this machine: a proxy
// would tell that of another one.
func proxy(r *http.Request) (*url.URL, error) {
	host := r.URL.Hostname()
	if ip := net.ParseIP(host); ip != nil && (ip.IsLinkLocalUnicast() || awsMetadata.Contains(ip)) || host == "metadata.google.internal" {
		return nil, nil
	}
	return http.ProxyFromEnvironment(r)
}

// checkRedirect refuses to go from https to http on the way, and brings nothing to
// another server that was meant for this one.
func checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) >= 10 {
		return &RedirectError{Reason: "too many redirects"}
	}
	if via[len(via)-1].URL.Scheme == "https" && req.URL.Scheme != "https" {
		return &RedirectError{Reason: "redirected from https to http"}
	}
	req.Header.Del("Referer") // an address may hold a signature
	if from := via[0].URL; req.URL.Hostname() != from.Hostname() || req.URL.Port() != from.Port() {
		for name := range req.Header {
			if !slices.Contains(forAnybody(), name) {
				req.Header.Del(name)
			}
		}
	}
	return nil
}

// forAnybody are the headers of a request that other servers get, too: which part of
// which version is wanted.
func forAnybody() []string {
	return []string{"Accept", "Accept-Encoding", "If-Match", "If-Range", "Range", "User-Agent"}
}

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// get returns the first of the variables that is set.
func (e *environment) get(names ...string) string {
	for _, name := range names {
		if e.Credentials != "" && variableName.MatchString(name) {
			if text, err := readSmall(filepath.Join(e.Credentials, name)); err == nil && text != "" {
				return text
			}
		}
		if value := e.Getenv(name); value != "" {
			return value
		}
	}
	return ""
}

// maxCredential bounds a file that holds a token, a key or an account.
const maxCredential = 1 << 20

// readSmall reads a file of credentials, without white space around it.
func readSmall(path string) (string, error) {
	text, err := readUpTo(path, maxCredential)
	return strings.TrimSpace(string(text)), err
}

// readUpTo reads a file that others may have written: not more of it than so many bytes.
func readUpTo(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, most))
}

// secrets are all texts that must not be seen outside.
func (e *environment) secrets(u *uri.URI) secrets {
	var s secrets
	for _, name := range []string{
		"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN",
		"AZURE_STORAGE_KEY", "AZURE_STORAGE_CONNECTION_STRING", "AZURE_STORAGE_SAS_TOKEN", "AZURE_CLIENT_SECRET", "HF_TOKEN",
	} {
		s.add(e.get(name))
	}
	s.add(e.azureParts()["AccountKey"], u.SAS)
	if u.URL != nil {
		if password, ok := u.URL.User.Password(); ok {
			s.add(password)
		}
		s.add(u.URL.RawQuery)
	}
	for _, q := range []string{u.SAS, queryOf(u.URL), e.get("AZURE_STORAGE_SAS_TOKEN")} {
		values, _ := url.ParseQuery(strings.TrimPrefix(q, "?"))
		for name, all := range values {
			if len(name) > 2 || name == "se" {
				s.add(all...)
			}
		}
	}
	return s
}

func queryOf(u *url.URL) string {
	if u == nil {
		return ""
	}
	return u.RawQuery
}

// guessTimeout bounds a search for credentials where there may be nobody.
const guessTimeout = 3 * time.Second

// lookupContext bounds the search for credentials.
func lookupContext(ctx context.Context, guess bool) (context.Context, context.CancelFunc) {
	if guess {
		return context.WithTimeout(ctx, guessTimeout)
	}
	return context.WithTimeout(ctx, lookupTimeout)
}
