package image

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Model is a model file that goes into the image.
type Model struct {
	Name string // under which it is served
	// Path is where it lies now, Extension what its name ends in: .pkl, .joblib.gz.
	Path, Extension string
	Size            int64
	Digest          string // sha256: and hexadecimal digits
	Class           string
}

// ImagePath is where the model lies in the image.
func (m *Model) ImagePath() string {
	return path.Join("/models", m.Name, "model"+m.Extension)
}

// layer packs the model, as a layer of its own, into a file that is to be removed in the
// end. It is compressed once, however often the layer is read, and never held in memory.
func (m *Model) layer() (layer v1.Layer, packed string, err error) {
	model, err := os.Open(m.Path)
	if err != nil {
		return nil, "", err
	}
	defer model.Close()
	out, err := os.CreateTemp("", "mizzen-layer-*.tar.gz")
	if err != nil {
		return nil, "", err
	}
	defer func() {
		if err = errors.Join(err, out.Close()); err != nil {
			os.Remove(out.Name())
		}
	}()
	w := gzip.NewWriter(out)
	if err := m.archive(w, model); err != nil {
		return nil, "", err
	}
	if err := w.Close(); err != nil {
		return nil, "", err
	}
	layer, err = tarball.LayerFromFile(out.Name(), tarball.WithMediaType(types.OCILayer))
	return layer, out.Name(), err
}

func (m *Model) archive(out io.Writer, f *os.File) error {
	w := tar.NewWriter(out)
	inside := strings.TrimPrefix(m.ImagePath(), "/")
	headers := []*tar.Header{
		{Name: path.Dir(inside) + "/", Typeflag: tar.TypeDir, Mode: 0o755, Format: tar.FormatPAX},
		{Name: inside, Typeflag: tar.TypeReg, Mode: 0o644, Size: m.Size, Format: tar.FormatPAX},
	}
	for _, h := range headers {
		if err := w.WriteHeader(h); err != nil {
			return err
		}
	}
	if n, err := io.Copy(w, io.LimitReader(f, m.Size)); err != nil {
		return err
	} else if n != m.Size {
		return fmt.Errorf("%s has changed while it was read", m.Path)
	}
	return w.Close()
}
