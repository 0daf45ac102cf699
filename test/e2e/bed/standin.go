//go:build linux

package bed

import (
	"archive/tar"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Standin pushes the image of what stands in for the model servers of others (test/e2e/standin)
// and returns its name, by digest.
func (b *Bed) Standin(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "standin")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", program, "mizzen.dev/test/e2e/standin")
	build.Dir, build.Env = b.Root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the stand-in: %v\n%s", err, out)
	}
	content, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	layer, err := linked(content, "entrypoint", "usr/bin/tritonserver", "usr/bin/torchserve", "usr/bin/tensorflow_model_server", "usr/bin/hog")
	if err != nil {
		t.Fatal(err)
	}
	image, err := mutate.AppendLayers(mutate.MediaType(empty.Image, types.OCIManifestSchema1), static.NewLayer(layer, types.OCIUncompressedLayer))
	if err != nil {
		t.Fatal(err)
	}
	image, err = mutate.Config(mutate.ConfigMediaType(image, types.OCIConfigJSON), v1.Config{
		Entrypoint: []string{"/entrypoint"}, Env: []string{"PATH=/usr/bin"},
	})
	if err != nil {
		t.Fatal(err)
	}
	name, err := b.PushImage(t.Context(), "standin:e2e", image)
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// linked is an archive of one program under several names.
func linked(program []byte, names ...string) ([]byte, error) {
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	for i, name := range names {
		header := tar.Header{Name: name, Mode: 0o755, Typeflag: tar.TypeLink, Linkname: names[0]}
		if i == 0 {
			header.Typeflag, header.Linkname, header.Size = tar.TypeReg, "", int64(len(program))
		}
		if err := w.WriteHeader(&header); err != nil {
			return nil, fmt.Errorf("archiving %s: %w", name, err)
		}
		if i == 0 {
			if _, err := w.Write(program); err != nil {
				return nil, fmt.Errorf("archiving %s: %w", name, err)
			}
		}
	}
	return layer.Bytes(), w.Close()
}
