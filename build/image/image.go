package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// built is the image of one platform.
type built struct {
	image                v1.Image
	platform             v1.Platform
	digest               v1.Hash
	compressed, unpacked int64
}

// buildImage makes the image of a platform around its binary.
func buildImage(p v1.Platform, version string, binary []byte) (*built, error) {
	b := &built{platform: p, image: mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)}
	// Two layers, so that a new version brings a new binary and nothing else.
	for _, files := range [][]file{base(), {program(binary)}} {
		for _, f := range files {
			b.unpacked += int64(len(f.data))
		}
		if err := b.addLayer(files); err != nil {
			return nil, err
		}
	}
	if err := b.configure(version); err != nil {
		return nil, err
	}
	var err error
	if b.digest, err = b.image.Digest(); err != nil {
		return nil, err
	}
	b.compressed, err = size(b.image)
	return b, err
}

func (b *built) addLayer(files []file) error {
	data, err := archive(files)
	if err != nil {
		return err
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
	layer, err := tarball.LayerFromOpener(open, tarball.WithCompressionLevel(gzip.BestCompression), tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return err
	}
	b.image, err = mutate.Append(b.image, mutate.Addendum{Layer: layer, MediaType: types.OCILayer,
		History: v1.History{CreatedBy: "build/image"}})
	return err
}

// configure writes what the Dockerfile says too; keep the two alike.
func (b *built) configure(version string) error {
	config, err := b.image.ConfigFile()
	if err != nil {
		return err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Variant = b.platform.OS, b.platform.Architecture, b.platform.Variant
	config.Created = v1.Time{Time: time.Unix(0, 0).UTC()} // the same for the same sources
	config.Config = v1.Config{
		User:         user + ":" + user,
		Entrypoint:   []string{"/mizzen"},
		Cmd:          []string{"serve"},
		WorkingDir:   "/",
		ExposedPorts: map[string]struct{}{"5000/tcp": {}, "9000/tcp": {}},
		Labels: map[string]string{
			"org.opencontainers.image.title":    "mizzen",
			"org.opencontainers.image.version":  version,
			"org.opencontainers.image.licenses": "Apache-2.0",
		},
	}
	b.image, err = mutate.ConfigFile(b.image, config)
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

// writeLayout writes an OCI layout with one index over the images, and returns
// the digest of that index.
func writeLayout(dir string, images []*built) (v1.Hash, error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, b := range images {
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: b.image,
			Descriptor: v1.Descriptor{MediaType: types.OCIManifestSchema1, Platform: &b.platform}})
	}
	if err := os.RemoveAll(dir); err != nil {
		return v1.Hash{}, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return v1.Hash{}, err
	}
	path, err := layout.Write(dir, empty.Index)
	if err != nil {
		return v1.Hash{}, err
	}
	if err := path.AppendIndex(index); err != nil {
		return v1.Hash{}, err
	}
	return index.Digest()
}
