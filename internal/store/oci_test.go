package store

import (
	"archive/tar"
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/zstd"

	"mizzen.dev/internal/store/uri"
)

func mustParse(t *testing.T, raw string) *uri.URI {
	t.Helper()
	u, err := uri.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func privateKey(t *testing.T) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
}

// registryOf starts a registry that wants the password of user, if it is not empty.
func registryOf(t *testing.T, password string) string {
	t.Helper()
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, got, _ := r.BasicAuth(); password != "" && got != password {
			w.Header().Set("WWW-Authenticate", `Basic realm="r"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

func push(t *testing.T, host, ref string, image v1.Image) string {
	t.Helper()
	tag, err := name.ParseReference(host + "/" + ref)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(tag, image); err != nil {
		t.Fatal(err)
	}
	digest, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest.String()
}

func artifact(t *testing.T, files map[string]string) v1.Image {
	t.Helper()
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), "application/vnd.example.model")
	for title, text := range files {
		var err error
		image, err = mutate.Append(image, mutate.Addendum{Layer: static.NewLayer([]byte(text), "application/octet-stream"),
			Annotations: map[string]string{titleAnnotation: title}})
		if err != nil {
			t.Fatal(err)
		}
	}
	return image
}

// entry is a file of a layer; of a link its text is where it points.
type entry struct {
	name, text string
	kind       byte
}

func layer(t *testing.T, pack func([]byte) []byte, entries ...entry) v1.Layer {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Mode: 0o644, Typeflag: tar.TypeReg, Size: int64(len(e.text))}
		if e.kind != 0 {
			h.Typeflag, h.Linkname, h.Size = e.kind, e.text, 0
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if e.kind == 0 {
			fmt.Fprint(w, e.text)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if pack != nil {
		return static.NewLayer(pack(out.Bytes()), types.OCILayerZStd)
	}
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(out.Bytes())), nil })
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func image(t *testing.T, env []string, layers ...v1.Layer) v1.Image {
	t.Helper()
	i, err := mutate.AppendLayers(mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON), layers...)
	if err != nil {
		t.Fatal(err)
	}
	i, err = mutate.Config(i, v1.Config{Env: env})
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func zstandard(data []byte) []byte {
	w, _ := zstd.NewWriter(nil)
	return w.EncodeAll(data, nil)
}

func TestOCI(t *testing.T) {
	host := registryOf(t, "")
	push(t, host, "art:1", artifact(t, map[string]string{"iris.pkl": model}))
	push(t, host, "two:1", artifact(t, map[string]string{"sub/iris.pkl": model, "README.md": "text"}))
	pinned := push(t, host, "img:1", image(t, []string{"MODEL_PATH=/models/iris/model.pkl"},
		layer(t, nil, entry{name: "models/iris/model.pkl", text: "an older one"}, entry{name: "models/gone.pkl", text: "x"}),
		layer(t, nil, entry{name: "./models/iris/model.pkl", text: model}, entry{name: "models/.wh.gone.pkl"},
			entry{name: "models/link.pkl", text: "iris/model.pkl", kind: tar.TypeSymlink})))
	push(t, host, "zstd:1", image(t, nil, layer(t, zstandard, entry{name: "m.pkl", text: model})))
	index := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: artifact(t, map[string]string{"m": model})})
	tag, _ := name.ParseReference(host + "/index:1")
	if err := remote.WriteIndex(tag, index); err != nil {
		t.Fatal(err)
	}
	tests := map[string]string{ // to what the error must say; empty: none
		"art:1":                       "",
		"art:1#iris.pkl":              "",
		"two:1#sub/iris.pkl":          "",
		"two:1#none.pkl":              "there is no file none.pkl in it; it has",
		"two:1":                       "several files; write oci://…#PATH; it has",
		"img:1":                       "",
		"img@" + pinned:               "",
		"img:1#models/iris/model.pkl": "",
		"img:1#models/gone.pkl":       "there is no file models/gone.pkl",
		"img:1#models/link.pkl":       "no file, but a link",
		"zstd:1#m.pkl":                "",
		"zstd:1":                      "does not say where its model is",
		"index:1":                     "",
		"none:1":                      "404 Not Found",
		"art:2":                       "404 Not Found",
	}
	for ref, want := range tests {
		t.Run(ref, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "m")
			got, err := fetchNow(t.Context(), t, Request{URI: "oci://" + host + "/" + ref, Path: path})
			if want != "" {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want %q in it", err, want)
				}
				return
			}
			if err != nil || got.Digest != digestOf(model) {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

func TestOCICredentials(t *testing.T) {
	host := registryOf(t, "hush-secret")
	dir := t.TempDir()
	config := fmt.Sprintf(`{"auths":{"%s":{"username":"user","password":"hush-secret"}}}`, host)
	if err := os.WriteFile(filepath.Join(dir, ".dockerconfigjson"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	request := Request{URI: "oci://" + host + "/none:1", Path: filepath.Join(t.TempDir(), "m"), Options: Options{Credentials: dir}}
	var status *StatusError
	if _, err := fetchNow(t.Context(), t, request); !errors.As(err, &status) || !status.Missing() {
		t.Errorf("with the password: %v", err)
	}
	request.Anonymous = true
	if _, err := fetchNow(t.Context(), t, request); !errors.As(err, &status) || !status.Denied() {
		t.Errorf("without: %v", err)
	}
}
