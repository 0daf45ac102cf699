package store

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os"
	"strings"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"

	"mizzen.dev/internal/store/uri"
)

const (
	gsScope    = "https://www.googleapis.com/auth/devstorage.read_only"
	gsEndpoint = "https://storage.googleapis.com"
	gsHelp     = "set GOOGLE_APPLICATION_CREDENTIALS to the JSON file of an account, or give the pod's ServiceAccount one (workload identity); for a public bucket use --anonymous (MIZZEN_ANONYMOUS=true)"
)

// newGS returns an object of Google Cloud Storage, by its JSON API. The version
// that is resumed is the generation.
func newGS(_ context.Context, e *environment, u *uri.URI) (source, error) {
	endpoint, emulated := gsEndpoint, e.get("STORAGE_EMULATOR_HOST")
	if emulated != "" {
		endpoint = strings.TrimSuffix(emulated, "/")
		if !strings.Contains(endpoint, "://") {
			endpoint = "http://" + endpoint
		}
	}
	// A key is one element of the path, its slashes escaped.
	address := endpoint + "/storage/v1/b/" + url.PathEscape(u.Host) + "/o/" + url.PathEscape(u.Path) + "?alt=media"
	if u.Revision != "" {
		address += "&generation=" + url.QueryEscape(u.Revision)
	}
	s := &httpSource{
		client: e.client,
		url:    address,
		tag:    func(h http.Header) string { return h.Get("X-Goog-Generation") },
		resume: func(r *http.Request, tag string) {
			q := r.URL.Query()
			q.Set("ifGenerationMatch", tag)
			r.URL.RawQuery = q.Encode()
		},
	}
	if emulated == "" && !e.Anonymous {
		s.prepare = (&bearer{find: e.googleToken, help: gsHelp}).authorize
	}
	return s, nil
}

// googleToken finds the application's default credentials: a file, or the
// metadata server, which is there on Google's machines.
func (e *environment) googleToken(ctx context.Context) (oauth2.TokenSource, error) {
	ctx = context.WithValue(ctx, oauth2.HTTPClient, e.lookup)
	if path := e.get("GOOGLE_APPLICATION_CREDENTIALS"); path != "" {
		text, err := readSmall(path)
		if err != nil {
			return nil, err
		}
		creds, err := google.CredentialsFromJSONWithType(ctx, []byte(text), googleKind(text), gsScope)
		if err != nil {
			return nil, errors.New(path + " is no file of credentials of Google") // the cause may quote it
		}
		return creds.TokenSource, nil
	}
	creds, err := google.FindDefaultCredentials(ctx, gsScope)
	if err != nil {
		return nil, errNoMetadata
	}
	return creds.TokenSource, nil
}

// googleKind returns the type of account that the file says it is for: whoever may
// set the variable may choose it.
func googleKind(text string) google.CredentialsType {
	var file struct {
		Type google.CredentialsType `json:"type"`
	}
	_ = json.Unmarshal([]byte(text), &file) // else the library finds out
	return file.Type
}

// bearer adds a token, which it gets when it is first needed.
type bearer struct {
	find   func(ctx context.Context) (oauth2.TokenSource, error)
	help   string
	tokens oauth2.TokenSource
}

func (b *bearer) authorize(ctx context.Context, r *http.Request) error {
	if b.tokens == nil {
		tokens, err := b.find(context.WithoutCancel(ctx)) // it keeps the context
		if err != nil {
			return &CredentialsError{Help: b.help, Err: err}
		}
		b.tokens = oauth2.ReuseTokenSource(nil, tokens)
	}
	token, err := b.tokens.Token()
	if err != nil {
		return &CredentialsError{Help: b.help, Err: err}
	}
	token.SetAuthHeader(r)
	return nil
}

// home is the user's directory, if there is one.
func (e *environment) home() string {
	if home := e.get("HOME"); home != "" {
		return home
	}
	home, _ := os.UserHomeDir()
	return home
}
