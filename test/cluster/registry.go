//go:build linux

package cluster

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

const (
	registryPort = "5000"
	pauseImage   = "pause:1"
	// headerTimeout bounds how long a client of the registry may take to ask.
	headerTimeout = 10 * time.Second
)

// startRegistry serves images from this process, at an address that the nodes reach,
// and puts the pause image there.
func (c *Cluster) startRegistry(ctx context.Context) error {
	c.Registry = c.site.host() + ":" + registryPort
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", c.Registry)
	if err != nil {
		return err
	}
	logFile, err := os.Create(filepath.Join(c.Logs, "registry.log"))
	if err != nil {
		return err
	}
	blobs := c.site.path("registry")
	if err := os.Mkdir(blobs, 0o700); err != nil {
		return err
	}
	server := &http.Server{
		ReadHeaderTimeout: headerTimeout,
		Handler: registry.New(registry.Logger(log.New(logFile, "", log.LstdFlags)),
			registry.WithBlobHandler(registry.NewDiskBlobHandler(blobs))),
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener) // until it is closed
	}()
	c.OnStop(func() error {
		err := server.Close()
		<-done
		_ = logFile.Close()
		return err
	})
	_, err = c.pushProgram(ctx, pauseImage, c.program("pause", "pause"))
	return err
}

// PushImage pushes an image to the registry and returns the name to run it by: by
// digest. The repository may have a tag.
func (c *Cluster) PushImage(ctx context.Context, repository string, image v1.Image) (string, error) {
	ref, err := name.ParseReference(c.Registry + "/" + repository)
	if err != nil {
		return "", err
	}
	if err := remote.Write(ref, image, remote.WithContext(ctx)); err != nil {
		return "", fmt.Errorf("pushing %s: %w", ref, err)
	}
	digest, err := image.Digest()
	if err != nil {
		return "", err
	}
	return ref.Context().Digest(digest.String()).String(), nil
}

// pushProgram pushes an image of one static program, which it runs with the given
// first arguments, as nobody.
func (c *Cluster) pushProgram(ctx context.Context, repository, program string, args ...string) (string, error) {
	content, err := os.ReadFile(program)
	if err != nil {
		return "", err
	}
	file := filepath.Base(program)
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	for _, f := range []struct {
		header tar.Header
		data   []byte
	}{
		{tar.Header{Name: "etc/", Typeflag: tar.TypeDir, Mode: 0o755}, nil},
		{tar.Header{Name: "etc/passwd", Mode: 0o644}, []byte("nobody:x:65532:65532:nobody:/:/nologin\n")},
		{tar.Header{Name: "tmp/", Typeflag: tar.TypeDir, Mode: 0o1777}, nil},
		{tar.Header{Name: file, Mode: 0o755}, content},
	} {
		f.header.Size = int64(len(f.data))
		if err := w.WriteHeader(&f.header); err != nil {
			return "", err
		}
		if _, err := io.Copy(w, bytes.NewReader(f.data)); err != nil {
			return "", err
		}
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	image, err := mutate.AppendLayers(mutate.MediaType(empty.Image, types.OCIManifestSchema1),
		static.NewLayer(layer.Bytes(), types.OCIUncompressedLayer))
	if err != nil {
		return "", err
	}
	image, err = mutate.Config(mutate.ConfigMediaType(image, types.OCIConfigJSON), v1.Config{
		Entrypoint: append([]string{"/" + file}, args...), User: "65532:65532", WorkingDir: "/",
	})
	if err != nil {
		return "", err
	}
	return c.PushImage(ctx, repository, image)
}
