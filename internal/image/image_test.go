package image

import (
	"archive/tar"
	"bytes"
	"crypto/x509"
	"debug/elf"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// program writes the start of a program for a machine, of which nothing is ever run.
func program(t *testing.T, machine elf.Machine, dynamic bool) string {
	t.Helper()
	header := elf.Header64{Type: uint16(elf.ET_EXEC), Machine: uint16(machine), Version: uint32(elf.EV_CURRENT), Ehsize: 64, Phoff: 64, Phentsize: 56, Phnum: 1}
	copy(header.Ident[:], "\x7fELF\x02\x01\x01")
	segment := elf.Prog64{Type: uint32(elf.PT_LOAD)}
	if dynamic {
		segment.Type = uint32(elf.PT_INTERP)
	}
	var out bytes.Buffer
	for _, part := range []any{header, segment} {
		if err := binary.Write(&out, binary.LittleEndian, part); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "mizzen")
	if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func binaries(t *testing.T) []*Binary {
	t.Helper()
	var all []*Binary
	for _, machine := range []elf.Machine{elf.EM_X86_64, elf.EM_AARCH64} {
		b, err := ReadBinary(Mizzen, program(t, machine, false))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
	}
	return all
}

func modelFile(t *testing.T) *Model {
	t.Helper()
	path := filepath.Join(t.TempDir(), "any.pkl.gz")
	if err := os.WriteFile(path, []byte("the model"), 0o600); err != nil {
		t.Fatal(err)
	}
	return &Model{Name: "iris", Path: path, Extension: ".pkl.gz", Size: 9, Digest: "sha256:12", Class: "Pipeline"}
}

func reference(t *testing.T) name.Reference {
	t.Helper()
	ref, err := name.NewTag("r.example.com/team/iris:1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// TestLayout reads the layout back, and has the library that others use check it. What
// was packed is written, whatever becomes of the files, and nothing else is left.
func TestLayout(t *testing.T) {
	packed := t.TempDir()
	t.Setenv("TMPDIR", packed)
	dir := filepath.Join(t.TempDir(), "image")
	all := binaries(t)
	var digests []v1.Hash
	for range 2 { // the second time over the first one
		model := modelFile(t)
		set, err := Build(Spec{Version: "1.2.3", Model: model, Labels: map[string]string{"team": "ml"}}, all)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(model.Path); err != nil {
			t.Fatal(err)
		}
		if err := set.WriteLayout(dir, reference(t)); err != nil {
			t.Fatal(err)
		}
		digest, err := set.Digest()
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, digest)
		if err := set.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if left, err := os.ReadDir(packed); err != nil || len(left) > 0 {
		t.Errorf("%d files are left (%v)", len(left), err)
	}
	if digests[0] != digests[1] {
		t.Errorf("the same files made %s, then %s", digests[0], digests[1])
	}
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(index); err != nil {
		t.Error(err)
	}
	outer, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if got := outer.Manifests[0].Annotations["io.containerd.image.name"]; got != "r.example.com/team/iris:1.2.3" {
		t.Errorf("the image is called %q", got)
	}
	inner, err := index.ImageIndex(digests[0])
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := inner.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"amd64", "arm64"} {
		image, err := inner.Image(manifest.Manifests[i].Digest)
		if err != nil {
			t.Fatal(err)
		}
		checkConfig(t, image, want)
	}
}

func checkConfig(t *testing.T, image v1.Image, architecture string) {
	t.Helper()
	file, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	want := v1.Config{User: "10001:10001", Entrypoint: []string{"/mizzen"}, Cmd: []string{"serve"}, WorkingDir: "/",
		Env:          []string{"MODEL_PATH=/models/iris/model.pkl.gz"},
		ExposedPorts: map[string]struct{}{"5000/tcp": {}, "9000/tcp": {}},
		Labels: map[string]string{"team": "ml", "org.opencontainers.image.title": "iris", "org.opencontainers.image.version": "1.2.3",
			"org.opencontainers.image.licenses": "Apache-2.0", "dev.mizzen.model.name": "iris", "dev.mizzen.model.digest": "sha256:12",
			"dev.mizzen.model.class": "Pipeline"}}
	if diff := cmp.Diff(want, file.Config); diff != "" || file.Architecture != architecture || file.OS != "linux" {
		t.Errorf("for %s/%s, want %s: -want +got:\n%s", file.OS, file.Architecture, architecture, diff)
	}
	layers, err := image.Layers()
	if err != nil || len(layers) != 3 {
		t.Fatalf("%d layers, %v, want base, program and model", len(layers), err)
	}
	unpacked, err := layers[2].Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer unpacked.Close()
	modes := modesOf(t, unpacked)
	if diff := cmp.Diff(map[string]fs.FileMode{"models/iris/": fs.ModeDir | 0o755, "models/iris/model.pkl.gz": 0o644}, modes); diff != "" {
		t.Errorf("the model's layer: -want +got:\n%s", diff)
	}
}

// modesOf returns the modes of an archive's files, which all must be root's: else
// whoever runs could change them.
func modesOf(t *testing.T, archive io.Reader) map[string]fs.FileMode {
	t.Helper()
	modes := map[string]fs.FileMode{}
	r := tar.NewReader(archive)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return modes
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Uid != 0 || h.Gid != 0 {
			t.Errorf("%s belongs to %d:%d", h.Name, h.Uid, h.Gid)
		}
		modes[h.Name] = h.FileInfo().Mode()
	}
}

// One platform makes an image, and no index.
func TestArchive(t *testing.T) {
	b, err := ReadBinary(Mizzenctl, program(t, elf.EM_X86_64, false))
	if err != nil {
		t.Fatal(err)
	}
	set, err := Build(Spec{Version: "1"}, []*Binary{b})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "image.tar")
	if err := set.WriteArchive(file, reference(t)); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	names := modesOf(t, f)
	digest, err := set.Digest()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"oci-layout", "index.json", "blobs/sha256/" + digest.Hex} {
		if _, ok := names[want]; !ok {
			t.Errorf("%s is missing", want)
		}
	}
	config, err := set.Images[0].ConfigFile()
	if err != nil || config.Config.Entrypoint[0] != "/mizzenctl" || config.Config.Cmd[0] != "operator" || len(config.Config.ExposedPorts) > 0 {
		t.Errorf("got %+v, %v", config.Config, err)
	}
	if entries, _ := os.ReadDir(filepath.Dir(file)); len(entries) != 1 {
		t.Errorf("%d files are left, want one", len(entries))
	}
}

// What is not an image is not replaced by one.
func TestLayoutKeepsOtherFiles(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "precious"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	set, err := Build(Spec{Version: "1"}, binaries(t))
	if err != nil {
		t.Fatal(err)
	}
	var refused *NotLayoutError
	if err := set.WriteLayout(dir, reference(t)); !errors.As(err, &refused) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "precious")); err != nil {
		t.Error(err)
	}
}

func TestReadBinary(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("#!/bin/sh"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		program(t, elf.EM_X86_64, true):    "CGO_ENABLED=0",
		program(t, elf.EM_MIPS, false):     "there are no images for EM_MIPS",
		text:                               "no program for Linux",
		t.TempDir():                        "it is no file",
		filepath.Join(t.TempDir(), "none"): "no such file",
	} {
		if _, err := ReadBinary(Mizzen, path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
}

func TestRootfs(t *testing.T) {
	dir := t.TempDir()
	if err := WriteRootfs(dir, binaries(t)[0]); err != nil {
		t.Fatal(err)
	}
	want := map[string]fs.FileMode{"mizzen": 0o755, "etc/passwd": 0o644, "etc/ssl/certs/ca-certificates.crt": 0o644,
		"tmp": fs.ModeDir | fs.ModeSticky | 0o777, "models": fs.ModeDir | 0o755}
	for file, mode := range want {
		if info, err := os.Stat(filepath.Join(dir, file)); err != nil || info.Mode() != mode {
			t.Errorf("%s: %v, want mode %s", file, err, mode)
		}
	}
	data, err := archive(base())
	if err != nil {
		t.Fatal(err)
	}
	modesOf(t, bytes.NewReader(data))
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
