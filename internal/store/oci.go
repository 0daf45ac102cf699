package store

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path"
	"runtime"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"mizzen.dev/internal/registry"
	"mizzen.dev/internal/store/uri"
)

// titleAnnotation is how the layers of an artifact tell the names of their files.
const titleAnnotation = "org.opencontainers.image.title"

// oci is a file of an artifact, whose layers are files, or of an image, whose
// layers are archives of files.
type oci struct {
	env    *environment
	uri    *uri.URI
	client *registry.Client
	found  source // where the file is, once that is known
}

func newOCI(_ context.Context, e *environment, u *uri.URI) (source, error) {
	return &oci{env: e, uri: u, client: &registry.Client{
		Transport: e.client.Transport, Credentials: e.Credentials, Anonymous: e.Anonymous, PlainHTTP: e.PlainHTTP,
	}}, nil
}

func (o *oci) open(ctx context.Context, at position) (*content, error) {
	if o.found == nil {
		found, err := o.find(ctx)
		if err != nil {
			return nil, registryError(err)
		}
		o.found = found
	}
	c, err := o.found.open(ctx, at)
	return c, registryError(err)
}

// registryError returns an error of the library as one of ours.
func registryError(err error) error {
	var answer *transport.Error
	if !errors.As(err, &answer) {
		return err
	}
	e := &StatusError{Status: answer.StatusCode}
	if len(answer.Errors) > 0 {
		e.Code, e.Message = oneLine(string(answer.Errors[0].Code)), oneLine(answer.Errors[0].Message)
	}
	return e
}

// reference is the artifact or image; a digest is stronger than a tag.
func (o *oci) reference() (name.Reference, error) {
	text := o.uri.Host + "/" + o.uri.Repository
	if o.uri.Digest != "" {
		text += "@" + o.uri.Digest
	} else {
		text += ":" + o.uri.Tag
	}
	ref, err := o.client.Reference(text)
	if err != nil {
		return nil, &NotFoundError{What: err.Error()}
	}
	return ref, nil
}

// find looks where in the registry the file is.
func (o *oci) find(ctx context.Context) (source, error) {
	ref, err := o.reference()
	if err != nil {
		return nil, err
	}
	described, err := remote.Get(ref, o.client.Options(ctx)...)
	if err != nil {
		return nil, err
	}
	image, err := o.image(described)
	if err != nil {
		return nil, err
	}
	manifest, err := image.Manifest()
	if err != nil {
		return nil, err
	}
	file := o.uri.Path
	if file == "" && isImage(manifest) {
		if file, err = modelPath(image); err != nil {
			return nil, err
		}
	}
	if layer := titled(manifest, file); layer != nil {
		return o.blob(ctx, ref, layer.Digest)
	}
	return &archived{ctx: ctx, image: image, layers: manifest.Layers, file: strings.Trim(file, "/"), titles: titles(manifest)}, nil
}

// image returns the image or artifact; of an index that for this machine or, since
// a model is the same for all, the first one.
func (o *oci) image(d *remote.Descriptor) (v1.Image, error) {
	if !d.MediaType.IsIndex() {
		return d.Image()
	}
	index, err := d.ImageIndex()
	if err != nil {
		return nil, err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	var chosen *v1.Descriptor
	for i, m := range manifest.Manifests {
		if !m.MediaType.IsImage() {
			continue
		}
		mine := m.Platform != nil && m.Platform.OS == "linux" && m.Platform.Architecture == runtime.GOARCH
		if chosen == nil || mine {
			chosen = &manifest.Manifests[i]
		}
		if mine {
			break
		}
	}
	if chosen == nil {
		return nil, &NotFoundError{What: "there is no image in the index"}
	}
	return index.Image(chosen.Digest)
}

func isImage(m *v1.Manifest) bool {
	return m.Config.MediaType == types.OCIConfigJSON || m.Config.MediaType == types.DockerConfigJSON
}

// modelPath returns where the image says that its model is.
func modelPath(image v1.Image) (string, error) {
	config, err := image.ConfigFile()
	if err != nil {
		return "", err
	}
	for _, variable := range config.Config.Env {
		if file, ok := strings.CutPrefix(variable, "MODEL_PATH="); ok && file != "" {
			return file, nil
		}
	}
	return "", &NotFoundError{What: "the image does not say where its model is; write oci://…#PATH"}
}

// titled returns the layer of an artifact that is the file: the one of that name,
// or the only one if none is named.
func titled(m *v1.Manifest, file string) *v1.Descriptor {
	if file == "" && len(m.Layers) == 1 {
		return &m.Layers[0]
	}
	for i, l := range m.Layers {
		title := strings.TrimPrefix(path.Clean("/"+l.Annotations[titleAnnotation]), "/")
		if title != "" && title == file {
			return &m.Layers[i]
		}
	}
	return nil
}

// maxTitles bounds how many names an error lists.
const maxTitles = 10

func titles(m *v1.Manifest) string {
	var all []string
	for _, l := range m.Layers {
		if t := oneLine(l.Annotations[titleAnnotation]); t != "" && len(all) < maxTitles {
			all = append(all, t)
		}
	}
	return strings.Join(all, ", ")
}

// blob is a layer that is the file. It is named by its digest: there is no other
// version of it.
func (o *oci) blob(ctx context.Context, ref name.Reference, digest v1.Hash) (source, error) {
	repo := ref.Context()
	through, err := o.client.Authorized(ctx, repo)
	if err != nil {
		return nil, err
	}
	return &httpSource{
		client: &http.Client{Transport: through, CheckRedirect: checkRedirect},
		url:    fmt.Sprintf("%s://%s/v2/%s/blobs/%s", repo.Scheme(), repo.RegistryStr(), repo.RepositoryStr(), digest),
		tag:    func(http.Header) string { return digest.String() },
		resume: func(*http.Request, string) {},
		digest: digest.String(),
	}, nil
}
