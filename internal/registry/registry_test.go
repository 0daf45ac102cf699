package registry

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
)

// asked counts requests and answers none.
type asked int

var errAsked = errors.New("asked")

func (a *asked) RoundTrip(*http.Request) (*http.Response, error) {
	*a++
	return nil, errAsked
}

// A registry is not asked without TLS, unless it is on this machine or that was
// asked for.
func TestSecure(t *testing.T) {
	tests := map[string]struct {
		url   string
		plain bool
		asked bool
	}{
		"TLS":                {"https://registry.example.com/v2/", false, true},
		"private address":    {"http://10.0.0.1:5000/v2/", false, false},
		"a name":             {"http://registry.example.com/v2/", false, false},
		"this machine":       {"http://localhost:5000/v2/", false, true},
		"this machine, IPv6": {"http://[::1]:5000/v2/", false, true},
		"asked for":          {"http://registry.example.com/v2/", true, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var n asked
			c := &Client{Transport: &n, PlainHTTP: test.plain}
			_, err := c.secure().RoundTrip(httptest.NewRequest(http.MethodGet, test.url, nil))
			var refused *PlainHTTPError
			if (n == 1) != test.asked || errors.As(err, &refused) == test.asked {
				t.Errorf("asked %d times, %v", n, err)
			}
		})
	}
}

func TestMountedCredentials(t *testing.T) {
	file := `{"auths":{"r.example.com":{"auth":"dXNlcjpodXNo"},"https://index.docker.io/v1/":{"identitytoken":"t"}}}`
	tests := map[string]struct {
		repository string
		want       authn.AuthConfig
	}{
		"known":   {"r.example.com/team/iris", authn.AuthConfig{Username: "user", Password: "hush", Auth: "dXNlcjpodXNo"}},
		"Docker":  {"library/iris", authn.AuthConfig{IdentityToken: "t"}},
		"unknown": {"other.example.com/iris", authn.AuthConfig{}},
	}
	for _, place := range []string{".dockerconfigjson", "config.json"} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, place), []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		for title, test := range tests {
			repository, err := name.NewRepository(test.repository)
			if err != nil {
				t.Fatal(err)
			}
			auth, err := (&Client{Credentials: dir}).keychain().Resolve(repository)
			if err != nil {
				t.Fatal(err)
			}
			got, err := auth.Authorization()
			if err != nil {
				t.Fatal(err)
			}
			got.Auth, test.want.Auth = "", ""
			if diff := cmp.Diff(&test.want, got); diff != "" {
				t.Errorf("%s, %s: -want +got:\n%s", place, title, diff)
			}
		}
	}
}
