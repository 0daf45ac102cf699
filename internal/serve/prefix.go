package serve

import (
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strings"
)

// maxPrefix bounds what a proxy can say that it took off the path.
const maxPrefix = 256

// plainPath is what may become part of a Location: no host, no query, no dots that
// lead elsewhere.
var plainPath = regexp.MustCompile(`^(/[A-Za-z0-9_~%.-]+)+$`)

// forwardedPrefix returns the prefix that a proxy says it took off the path, or "".
// Addresses are relative wherever that does; only who asks for the prefix itself,
// without a slash at its end, needs it.
func forwardedPrefix(r *http.Request) string {
	prefix := r.Header.Get("X-Forwarded-Prefix")
	if prefix == "" && r.URL.Path == "/" { // Envoy tells the whole path
		prefix, _, _ = strings.Cut(r.Header.Get("X-Envoy-Original-Path"), "?")
	}
	prefix = strings.TrimSuffix(prefix, "/")
	decoded, err := url.PathUnescape(prefix)
	if err != nil || len(prefix) > maxPrefix || !plainPath.MatchString(prefix) || path.Clean(decoded) != decoded {
		return ""
	}
	return prefix
}
