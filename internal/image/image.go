// Package image makes container images without Docker: root certificates, a
// static binary, and a model if one is given, each in a layer of its own, and
// nothing else. The same files give the same digest, wherever it runs.
package image

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"os"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Spec is what an image has beside its binary.
type Spec struct {
	// Version is that of what is in the image.
	Version string
	// Labels are added to those that every image has.
	Labels map[string]string
	// Model is a model file; nil for none.
	Model *Model
}

// Image is that of one platform.
type Image struct {
	v1.Image
	Platform v1.Platform
	Digest   v1.Hash
	// Compressed is what a pull transfers, Unpacked what lies on a node.
	Compressed, Unpacked int64
}

// Set is an image for one platform or several.
type Set struct {
	Images []*Image
	index  v1.ImageIndex // nil for one platform
	packed string        // file with the layer of the model; "" if there is none
}

// Close removes what was packed. The set cannot be written any more.
func (s *Set) Close() error {
	if s.packed == "" {
		return nil
	}
	return os.Remove(s.packed)
}

// Build makes the image for the platforms of the binaries. The set is to be closed.
func Build(spec Spec, binaries []*Binary) (set *Set, err error) {
	set = &Set{}
	defer func() {
		if err != nil {
			_ = set.Close()
			set = nil
		}
	}()
	var model v1.Layer
	if spec.Model != nil {
		if model, set.packed, err = spec.Model.layer(); err != nil {
			return set, fmt.Errorf("packing the model: %w", err)
		}
	}
	for _, b := range binaries {
		i, err := build(spec, b, model)
		if err != nil {
			return set, fmt.Errorf("building the image for %s: %w", b.Platform, err)
		}
		set.Images = append(set.Images, i)
	}
	if len(set.Images) > 1 {
		set.index = mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
		for _, i := range set.Images {
			set.index = mutate.AppendManifests(set.index, mutate.IndexAddendum{Add: i.Image,
				Descriptor: v1.Descriptor{MediaType: types.OCIManifestSchema1, Platform: &i.Platform}})
		}
	}
	return set, nil
}

// Digest names the image of all platforms.
func (s *Set) Digest() (v1.Hash, error) {
	if s.index != nil {
		return s.index.Digest()
	}
	return s.Images[0].Digest, nil
}

func build(spec Spec, b *Binary, model v1.Layer) (*Image, error) {
	i := &Image{Platform: b.Platform, Image: mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)}
	// What changes most comes last, so that a new version brings that and nothing
	// else.
	for _, files := range [][]file{base(), {b.file()}} {
		for _, f := range files {
			i.Unpacked += int64(len(f.data))
		}
		layer, err := layerOf(files)
		if err == nil {
			err = i.add(layer)
		}
		if err != nil {
			return nil, err
		}
	}
	if model != nil {
		i.Unpacked += spec.Model.Size
		if err := i.add(model); err != nil {
			return nil, err
		}
	}
	if err := i.configure(spec, b); err != nil {
		return nil, err
	}
	var err error
	if i.Digest, err = i.Image.Digest(); err != nil {
		return nil, err
	}
	i.Compressed, err = size(i.Image)
	return i, err
}

func layerOf(files []file) (v1.Layer, error) {
	data, err := archive(files)
	if err != nil {
		return nil, err
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
	return tarball.LayerFromOpener(open, tarball.WithCompressedCaching, tarball.WithCompressionLevel(gzip.DefaultCompression), tarball.WithMediaType(types.OCILayer))
}

func (i *Image) add(layer v1.Layer) error {
	var err error
	i.Image, err = mutate.Append(i.Image, mutate.Addendum{Layer: layer, MediaType: types.OCILayer,
		History: v1.History{CreatedBy: "mizzen image"}})
	return err
}

// configure writes what the Dockerfile says too; keep the two alike.
func (i *Image) configure(spec Spec, b *Binary) error {
	config, err := i.ConfigFile()
	if err != nil {
		return err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Variant = b.Platform.OS, b.Platform.Architecture, b.Platform.Variant
	config.Created = v1.Time{Time: time.Unix(0, 0).UTC()} // the same for the same files
	config.Config = v1.Config{
		User:       user + ":" + user,
		Entrypoint: []string{"/" + b.Program},
		WorkingDir: "/",
		Labels: map[string]string{
			"org.opencontainers.image.title":    b.Program,
			"org.opencontainers.image.version":  spec.Version,
			"org.opencontainers.image.licenses": "Apache-2.0",
		},
	}
	b.defaults(&config.Config)
	if m := spec.Model; m != nil {
		config.Config.Env = append(config.Config.Env, "MODEL_PATH="+m.ImagePath())
		config.Config.Labels["org.opencontainers.image.title"] = m.Name
		config.Config.Labels["dev.mizzen.model.name"] = m.Name
		config.Config.Labels["dev.mizzen.model.digest"] = m.Digest
		config.Config.Labels["dev.mizzen.model.class"] = m.Class
	}
	maps.Copy(config.Config.Labels, spec.Labels)
	i.Image, err = mutate.ConfigFile(i.Image, config)
	return err
}

// size is what a pull transfers: the configuration and the layers.
func size(image v1.Image) (int64, error) {
	manifest, err := image.Manifest()
	if err != nil {
		return 0, err
	}
	total := manifest.Config.Size
	for _, l := range manifest.Layers {
		total += l.Size
	}
	return total, nil
}
