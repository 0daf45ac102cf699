package store

import (
	"context"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"

	"mizzen.dev/internal/store/uri"
)

const hfEndpoint = "https://huggingface.co"

// newHF returns a file of a repository of the Hugging Face Hub, or of a mirror of
// it. Large files come from another host, which the Hub redirects to, and which
// does not get the token: net/http keeps it to the host that it is for.
func newHF(e *environment, u *uri.URI) (source, error) {
	endpoint := strings.TrimSuffix(e.get("HF_ENDPOINT"), "/")
	if endpoint == "" {
		endpoint = hfEndpoint
	}
	var escaped []string
	for element := range strings.SplitSeq(u.Path, "/") {
		escaped = append(escaped, url.PathEscape(element))
	}
	s := &httpSource{
		client: e.client,
		url:    endpoint + "/" + u.Repository + "/resolve/" + url.PathEscape(u.Revision) + "/" + strings.Join(escaped, "/"),
	}
	if token := e.hfToken(); token != "" && !e.Anonymous {
		s.prepare = func(_ context.Context, r *http.Request) error {
			r.Header.Set("Authorization", "Bearer "+token)
			return nil
		}
	}
	return s, nil
}

// hfToken finds the token where the Hub's own library does. Public repositories
// need none.
func (e *environment) hfToken() string {
	if token := e.get("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"); token != "" {
		return token
	}
	path := e.get("HF_TOKEN_PATH")
	if path == "" {
		dir := e.get("HF_HOME")
		if dir == "" {
			dir = filepath.Join(e.home(), ".cache", "huggingface")
		}
		path = filepath.Join(dir, "token")
	}
	token, err := readSmall(path)
	if err != nil {
		return ""
	}
	return token
}
