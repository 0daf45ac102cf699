// Package registry is how registries of images and artifacts are asked: whose
// credentials are used, and over which connections.
package registry

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"github.com/docker/cli/cli/config"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"mizzen.dev/internal/version"
)

// Client asks registries.
type Client struct {
	// Transport carries the requests.
	Transport http.RoundTripper
	// Credentials is a directory in which a Secret of registries may be mounted: its
	// .dockerconfigjson or config.json is stronger than Docker's own place.
	Credentials string
	// Anonymous uses no credentials.
	Anonymous bool
	// PlainHTTP lets registries be asked without TLS that are not on this machine.
	PlainHTTP bool
}

// Reference reads REGISTRY/REPOSITORY:TAG, or …@sha256:HEX.
func (c *Client) Reference(text string) (name.Reference, error) {
	ref, err := name.ParseReference(text, c.nameOptions()...)
	if err != nil {
		return nil, fmt.Errorf("reading the image's name: %w", err)
	}
	return ref, nil
}

func (c *Client) nameOptions() []name.Option {
	if c.PlainHTTP {
		return []name.Option{name.Insecure}
	}
	return nil
}

// Options are those of every call of package remote.
func (c *Client) Options(ctx context.Context) []remote.Option {
	return []remote.Option{
		remote.WithContext(ctx), remote.WithTransport(c.secure()), remote.WithAuthFromKeychain(c.keychain()),
		remote.WithUserAgent("mizzen/" + version.Get().Version),
	}
}

// Authorized returns a transport that may read a repository.
func (c *Client) Authorized(ctx context.Context, repo name.Repository) (http.RoundTripper, error) {
	auth, err := authn.Resolve(ctx, c.keychain(), repo)
	if err != nil {
		return nil, fmt.Errorf("reading the registry's credentials: %w", err)
	}
	return transport.NewWithContext(ctx, repo.Registry, auth, c.secure(), []string{repo.Scope(transport.PullScope)})
}

// keychain finds credentials where Docker and Podman keep them, but for a mounted
// Secret, which is stronger.
func (c *Client) keychain() authn.Keychain {
	if c.Anonymous {
		return anonymous{}
	}
	for _, file := range []string{".dockerconfigjson", "config.json"} {
		path := filepath.Join(c.Credentials, file)
		if _, err := os.Stat(path); c.Credentials != "" && err == nil {
			return mounted(path)
		}
	}
	return authn.DefaultKeychain
}

type anonymous struct{}

// Resolve implements [authn.Keychain].
func (anonymous) Resolve(authn.Resource) (authn.Authenticator, error) { return authn.Anonymous, nil }

// mounted is a file of Docker's form: {"auths":{"registry":{"auth":"…"}}}.
type mounted string

// Resolve implements [authn.Keychain].
func (m mounted) Resolve(target authn.Resource) (authn.Authenticator, error) {
	f, err := os.Open(string(m))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	file, err := config.LoadFromReader(f)
	if err != nil {
		return nil, errors.New(string(m) + " is not of Docker's form") // the cause may quote it
	}
	for _, key := range []string{target.String(), target.RegistryStr()} {
		if key == name.DefaultRegistry {
			key = authn.DefaultAuthKey
		}
		if found, ok := file.AuthConfigs[key]; ok {
			return authn.FromConfig(authn.AuthConfig{Username: found.Username, Password: found.Password, Auth: found.Auth,
				IdentityToken: found.IdentityToken, RegistryToken: found.RegistryToken}), nil
		}
	}
	return authn.Anonymous, nil
}

// PlainHTTPError says that a registry does not speak TLS.
type PlainHTTPError struct{ Host string }

func (e *PlainHTTPError) Error() string {
	return fmt.Sprintf("the registry %s does not speak TLS: whoever is on the way could read the credentials and change what comes; if you want that, use --plain-http (MIZZEN_PLAIN_HTTP=true)", e.Host)
}

// secure refuses plain HTTP, which the library uses for private addresses of its
// own accord, but to this machine.
func (c *Client) secure() http.RoundTripper {
	if c.PlainHTTP {
		return c.Transport
	}
	return &secure{c.Transport}
}

type secure struct{ http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (s *secure) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" && !loopback(r.URL.Hostname()) {
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, &PlainHTTPError{Host: r.URL.Host}
	}
	return s.RoundTripper.RoundTrip(r)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
