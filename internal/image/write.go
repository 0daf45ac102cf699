package image

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"mizzen.dev/internal/registry"
)

// Push writes the image to a registry. Layers that are there are not sent again.
// Progress is told how much is sent; total is what is known so far.
func (s *Set) Push(ctx context.Context, client *registry.Client, ref name.Reference, progress func(done, total int64)) error {
	updates := make(chan v1.Update, 64)
	told := make(chan struct{})
	go func() {
		defer close(told)
		for u := range updates { // the library closes it
			if u.Error == nil && progress != nil {
				progress(u.Complete, u.Total)
			}
		}
	}()
	options := append(client.Options(ctx), remote.WithProgress(updates), remote.WithJobs(pushJobs))
	var err error
	if s.index != nil {
		err = remote.WriteIndex(ref, s.index, options...)
	} else {
		err = remote.Write(ref, s.Images[0].Image, options...)
	}
	<-told
	if err != nil {
		return fmt.Errorf("pushing %s: %w", ref, err)
	}
	return nil
}

// pushJobs is how many layers are sent at a time.
const pushJobs = 4

// Annotations by which tools know the name of an image in a layout.
const (
	refName        = "org.opencontainers.image.ref.name"
	containerdName = "io.containerd.image.name"
)

// NotLayoutError says that a directory holds something else than an image.
type NotLayoutError struct{ Dir string }

func (e *NotLayoutError) Error() string {
	return e.Dir + " holds something else than an image, which would be lost; name an empty directory, or a file that ends in .tar"
}

// WriteLayout writes the image into a directory, as an OCI layout. One that is
// there is replaced.
func (s *Set) WriteLayout(dir string, ref name.Reference) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, "oci-layout")); err != nil && len(entries) > 0 {
		return &NotLayoutError{Dir: dir}
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // an image is no secret
		return err
	}
	path, err := layout.Write(dir, empty.Index)
	if err != nil {
		return err
	}
	named := layout.WithAnnotations(map[string]string{refName: ref.Identifier(), containerdName: ref.Name()})
	if s.index != nil {
		return path.AppendIndex(s.index, named)
	}
	return path.AppendImage(s.Images[0].Image, named, layout.WithPlatform(s.Images[0].Platform))
}

// WriteArchive writes the image as an archive of an OCI layout, which docker,
// podman and containerd load.
func (s *Set) WriteArchive(file string, ref name.Reference) (err error) {
	dir, err := os.MkdirTemp(filepath.Dir(file), ".image-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	inner := filepath.Join(dir, "layout")
	if err := s.WriteLayout(inner, ref); err != nil {
		return err
	}
	out, err := os.Create(filepath.Join(dir, "archive"))
	if err != nil {
		return err
	}
	defer out.Close()
	w := tar.NewWriter(out)
	if err := addTree(w, inner); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	if err := out.Close(); err != nil {
		return err
	}
	return os.Rename(out.Name(), file)
}

// addTree adds the files of a directory, whose names alone decide on their order
// and on how they are written.
func addTree(w *tar.Writer, dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		f, err := os.Open(path) //nolint:gosec // the directory was just made here, for this user alone
		if err != nil {
			return err
		}
		defer f.Close()
		h := &tar.Header{Name: filepath.ToSlash(name), Size: info.Size(), Mode: 0o644, Typeflag: tar.TypeReg, Format: tar.FormatPAX}
		if err := w.WriteHeader(h); err != nil {
			return err
		}
		_, err = io.Copy(w, f)
		return err
	})
}
