package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"mizzen.dev/internal/command"
)

// TestImage goes the whole way: the program is built, packed with a model, pushed to
// a registry, pulled by its digest, unpacked and run, and answers.
func TestImage(t *testing.T) {
	dir := t.TempDir()
	binary := filepath.Join(dir, "mizzen")
	build := exec.Command("go", "build", "-trimpath", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	tag := strings.TrimPrefix(server.URL, "http://") + "/team/iris:0.1.0-3f2a91c"
	var out, errs bytes.Buffer
	code := run(t.Context(), []string{"image", "-t", tag, "--model", "../../examples/iris/model.pkl", "--binary", binary, "--push", "-o", "json"},
		command.Streams{In: strings.NewReader(""), Out: &out, Err: &errs})
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, errs.String())
	}
	var result pushed
	if err := json.Unmarshal(out.Bytes(), &result); err != nil || !result.Pushed || result.Image != tag {
		t.Fatalf("%v: %s", err, out.String())
	}
	ref, err := name.NewDigest(strings.TrimSuffix(tag, ":0.1.0-3f2a91c") + "@" + result.Digest)
	if err != nil {
		t.Fatal(err)
	}
	image, err := remote.Image(ref)
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(dir, "root")
	unpack(t, image, root)
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if label := config.Config.Labels["dev.mizzen.model.digest"]; label != "sha256:2bb06d1a24fcca9ff41ee92765723092b7d6be5e18fe48ad1aa5ba92a735bbb4" {
		t.Errorf("the model's digest is %q", label)
	}
	path, ok := strings.CutPrefix(config.Config.Env[0], "MODEL_PATH=")
	if !ok || path != "/models/iris/model.pkl" {
		t.Fatalf("the environment is %q", config.Config.Env)
	}
	out.Reset() // the model can be fetched out of the image, too
	copied := filepath.Join(dir, "copy.pkl")
	code = run(t.Context(), []string{"fetch", "-q", "oci://" + ref.Name(), copied}, command.Streams{In: strings.NewReader(""), Out: &out, Err: &errs})
	if want := config.Config.Labels["dev.mizzen.model.digest"] + "  " + copied + "\n"; code != 0 || out.String() != want {
		t.Errorf("fetching it: exit code %d, %s%s", code, out.String(), errs.String())
	}
	if got := answer(t, filepath.Join(root, config.Config.Entrypoint[0]), filepath.Join(root, path)); got != `{"prediction":[0]}` {
		t.Errorf("it answers %s", got)
	}
}

func unpack(t *testing.T, image v1.Image, root string) {
	t.Helper()
	files := mutate.Extract(image)
	defer files.Close()
	r := tar.NewReader(files)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(root, filepath.Clean("/"+h.Name))
		if h.FileInfo().IsDir() {
			err = os.MkdirAll(path, 0o755)
		} else {
			err = errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), writeAll(path, r, h.FileInfo().Mode()))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func writeAll(path string, r io.Reader, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Close())
}

// answer serves a model with a program and asks for a prediction.
func answer(t *testing.T, program, path string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, program, "serve", "--grpc=false", "--log-format", "json", "--address", "127.0.0.1")
	cmd.Env = []string{"MODEL_PATH=" + path, "PORT=0"}
	logs, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		cancel()
		_ = cmd.Wait()
	}()
	for lines := bufio.NewScanner(logs); lines.Scan(); {
		var line struct{ Msg, URL string }
		if json.Unmarshal(lines.Bytes(), &line) != nil || line.Msg != "ready" {
			continue
		}
		resp, err := http.Post(line.URL+"/predict", "application/json", strings.NewReader(`{"inputs":[5.1,3.5,1.4,0.2]}`))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(body))
	}
	t.Fatal("it is never ready")
	return ""
}
