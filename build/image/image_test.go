package main

import (
	"archive/tar"
	"bytes"
	"crypto/x509"
	"io"
	"io/fs"
	"path/filepath"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

var platforms = []v1.Platform{{OS: "linux", Architecture: "amd64"}, {OS: "linux", Architecture: "arm64"}}

func buildAll(t *testing.T, dir string) v1.Hash {
	t.Helper()
	var images []*built
	for _, p := range platforms {
		b, err := buildImage(p, "v1.2.3", []byte("a binary for "+p.Architecture))
		if err != nil {
			t.Fatal(err)
		}
		images = append(images, b)
	}
	digest, err := writeLayout(dir, images)
	if err != nil {
		t.Fatal(err)
	}
	return digest
}

// TestLayout reads the layout back, and has the library that others use check it.
func TestLayout(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "image")
	digest := buildAll(t, dir)
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(index); err != nil {
		t.Error(err)
	}
	inner, err := index.ImageIndex(digest)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := inner.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if len(manifest.Manifests) != len(platforms) {
		t.Fatalf("%d images, want %d", len(manifest.Manifests), len(platforms))
	}
	for i, m := range manifest.Manifests {
		image, err := inner.Image(m.Digest)
		if err != nil {
			t.Fatal(err)
		}
		config, err := image.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		if m.Platform.Architecture != platforms[i].Architecture || config.Architecture != platforms[i].Architecture {
			t.Errorf("image %d is for %s, its configuration says %s", i, m.Platform.Architecture, config.Architecture)
		}
		if config.Config.User != "10001:10001" || config.Config.Entrypoint[0] != "/mizzen" {
			t.Errorf("user %s, entrypoint %s", config.Config.User, config.Config.Entrypoint)
		}
	}
	if again := buildAll(t, dir); again != digest {
		t.Errorf("the same files made %s, then %s", digest, again)
	}
}

func TestFiles(t *testing.T) {
	data, err := archive(append(base(), program([]byte("binary"))))
	if err != nil {
		t.Fatal(err)
	}
	modes := map[string]fs.FileMode{}
	r := tar.NewReader(bytes.NewReader(data))
	for {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Uid != 0 || h.Gid != 0 {
			t.Errorf("%s belongs to %d:%d: whoever runs could change it", h.Name, h.Uid, h.Gid)
		}
		modes[h.Name] = h.FileInfo().Mode()
	}
	want := map[string]fs.FileMode{"mizzen": 0o755, "etc/passwd": 0o644, "etc/ssl/certs/ca-certificates.crt": 0o644,
		"tmp/": fs.ModeDir | fs.ModeSticky | 0o777, "models/": fs.ModeDir | 0o755}
	for name, mode := range want {
		if modes[name] != mode {
			t.Errorf("%s has mode %s, want %s", name, modes[name], mode)
		}
	}
}

func TestCertificates(t *testing.T) {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(certificates()) {
		t.Fatal("no certificate can be read")
	}
	if n := bytes.Count(certificates(), []byte("BEGIN CERTIFICATE")); n < 100 {
		t.Errorf("%d root certificates", n)
	}
}

func TestTooLarge(t *testing.T) {
	fits := &built{platform: platforms[0], compressed: maxCompressed, unpacked: maxUnpacked}
	if err := checkSizes([]*built{fits}); err != nil {
		t.Error(err)
	}
	for _, b := range []built{{compressed: maxCompressed + 1}, {unpacked: maxUnpacked + 1}} {
		if checkSizes([]*built{fits, &b}) == nil {
			t.Errorf("%+v is not refused", b)
		}
	}
}
