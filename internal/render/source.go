package render

import (
	"path"
	"strings"

	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/platform"
	"mizzen.dev/internal/store/uri"
)

// modelsDir is where models are in the containers.
const modelsDir = "/models"

// place is where the model is in the server's container.
type place struct {
	// path of the model: of a file, or of a directory for servers that want one; "" if
	// the image knows.
	path string
	// repository is the directory with one directory for each model.
	repository string
	// volume that holds it and where it is mounted; nil if it is in the image.
	volume *corev1ac.VolumeApplyConfiguration
	mount  *corev1ac.VolumeMountApplyConfiguration
}

// versionDir is the directory of the version below that of the model. Some servers
// take numbers only; there is one version in a pod.
func (r *renderer) versionDir() string {
	switch r.runtimeName() {
	case v1alpha1.RuntimeTriton, v1alpha1.RuntimeTFServing:
		return "1"
	}
	return r.spec.Version
}

// place works out where the model is.
func (r *renderer) place() place {
	s := &r.spec.Source
	switch {
	case s.Claim != nil:
		volume := corev1ac.Volume().WithName(modelVolume).WithPersistentVolumeClaim(
			corev1ac.PersistentVolumeClaimVolumeSource().WithClaimName(s.Claim.Name).WithReadOnly(true))
		return r.mounted(volume, s.Claim.Path)
	case s.ImageVolume != nil:
		image := corev1ac.ImageVolumeSource().WithReference(s.ImageVolume.Reference)
		if s.ImageVolume.PullPolicy != "" {
			image.WithPullPolicy(s.ImageVolume.PullPolicy)
		}
		return r.mounted(corev1ac.Volume().WithName(modelVolume).WithImage(image), s.ImageVolume.Path)
	case s.Image != nil:
		return place{path: s.Image.Path, repository: path.Dir(s.Image.Path)}
	}
	return r.fetched()
}

// mounted is a model that is there before the pod. A server that wants a directory
// finds it at the place where it looks; all others are told the path.
func (r *renderer) mounted(volume *corev1ac.VolumeApplyConfiguration, inVolume string) place {
	mount := corev1ac.VolumeMount().WithName(modelVolume).WithReadOnly(true)
	dir := path.Join(modelsDir, r.Model.Name)
	p := place{repository: modelsDir, volume: volume, mount: mount}
	switch r.runtimeName() {
	case v1alpha1.RuntimeTriton: // the model's directory, with config.pbtxt and versions
		p.path = dir
		mount.WithMountPath(dir).WithSubPath(inVolume)
	case v1alpha1.RuntimeTFServing: // the SavedModel, with saved_model.pb
		p.path = path.Join(dir, r.versionDir())
		mount.WithMountPath(p.path).WithSubPath(inVolume)
	default:
		mounted := path.Join(dir, r.versionDir())
		p.path = path.Join(mounted, inVolume)
		mount.WithMountPath(mounted)
	}
	return p
}

// fetched is a model that the init container brings. In a volume that pods share,
// each source has a directory of its own: an old pod goes on with the old file while
// a new one fetches the new.
func (r *renderer) fetched() place {
	root := modelsDir
	volume := corev1ac.Volume().WithName(modelVolume)
	switch c := r.spec.Source.Cache; {
	case c != nil && c.Claim != nil:
		text := r.spec.Source.URI + "\n" + r.spec.Source.Digest + "\n"
		if r.unpacks() { // each server has a layout of its own
			text += string(r.runtimeName()) + "\n"
		}
		root = path.Join(modelsDir, hash(text))
		volume.WithPersistentVolumeClaim(corev1ac.PersistentVolumeClaimVolumeSource().WithClaimName(r.name("cache")))
	case c != nil && c.EmptyDir != nil:
		volume.WithEmptyDir(corev1ac.EmptyDirVolumeSource().WithSizeLimit(c.EmptyDir.SizeLimit))
	default:
		volume.WithEmptyDir(corev1ac.EmptyDirVolumeSource())
	}
	mount := corev1ac.VolumeMount().WithName(modelVolume).WithMountPath(modelsDir)
	if !r.configuresTriton() { // its file is mounted into the volume, which makes a place for it
		mount.WithReadOnly(true)
	}
	p := place{repository: root, volume: volume, mount: mount}
	dir := path.Join(root, r.Model.Name)
	switch {
	case !r.unpacks():
		p.path = path.Join(dir, r.versionDir(), r.fileName())
	case r.runtimeName() == v1alpha1.RuntimeTorchServe: // one directory of its model store
		p.path = path.Join(dir, r.versionDir())
	case r.runtimeName() == v1alpha1.RuntimeTriton: // the archive may hold several models
		p.path, p.repository = dir, dir
	default:
		p.path = dir
	}
	return p
}

// unpacks says whether what is fetched is an archive of a directory that the server
// wants. mizzen fetch --unpack knows these servers' layouts by the names that they have
// here.
func (r *renderer) unpacks() bool {
	switch r.runtimeName() {
	case v1alpha1.RuntimeTriton, v1alpha1.RuntimeTorchServe, v1alpha1.RuntimeTFServing:
		u, err := uri.Parse(r.spec.Source.URI)
		return err == nil && u.Archive()
	}
	return false
}

// fileName of a fetched model: that of the source, for servers that go by its ending.
func (r *renderer) fileName() string {
	scheme, name, _ := strings.Cut(r.spec.Source.URI, "://")
	name, fragment, _ := strings.Cut(name, "#")
	name, _, _ = strings.Cut(name, "?")
	_, name, _ = strings.Cut(name, "/") // no host
	if scheme == "oci" && fragment != "" {
		name = fragment // a file in the image
	}
	name = path.Base(name)
	safe := strings.Trim(strings.Map(func(c rune) rune {
		if c < 128 && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("._-", c)) {
			return c
		}
		return '-'
	}, name), "-.")
	if r.runtimeName() == v1alpha1.RuntimeTriton {
		return "model" + path.Ext(safe) // the backend finds no other name
	}
	if safe == "" || len(safe) > maxFileName {
		return "model"
	}
	return safe
}

// maxFileName bounds the name of a fetched file, well below what file systems take.
const maxFileName = 200

// checkSource says what is wrong or doubtful about the source.
func (r *renderer) checkSource() {
	s := &r.spec.Source
	const advice = "the same spec may run another model tomorrow"
	switch {
	case s.Digest != "":
	case s.ImageVolume != nil && !pinned(s.ImageVolume.Reference):
		r.warn("spec.source.imageVolume.reference", conditionSource, "NotPinned", "the image is not pinned: %s; add @sha256:… to it", advice)
	case s.Image != nil && !pinned(s.Image.Reference):
		r.warn("spec.source.image.reference", conditionSource, "NotPinned", "the image is not pinned: %s; add @sha256:… to it", advice)
	case s.URI != "" || s.Claim != nil:
		r.warn("spec.source.digest", conditionSource, "NotPinned", "the model is not pinned: %s; set source.digest to the file's sha256:…", advice)
	}
	if s.ImageVolume != nil && !r.Platform.Offers.Has(platform.ImageVolumes) {
		r.refuse("spec.source.imageVolume", conditionSource, "ImageVolumesMissing", "the platform offers no image volumes, which need Kubernetes 1.33 and a container runtime that has them: fetch the model by source.uri (oci://…), or add ImageVolumes to what the platform offers")
	}
	if s.URI == "" {
		r.checkDigest()
		return
	}
	switch name := r.runtimeName(); {
	case r.unpacks():
	case name == v1alpha1.RuntimeTFServing:
		r.refuse("spec.source.uri", conditionSource, "SourceUnsupported", "TensorFlow Serving loads a directory: pack the SavedModel (tar czf model.tar.gz -C DIR .) and use a uri that ends in %s, or name the directory in source.claim or source.imageVolume", strings.Join(uri.Archives(), ", "))
		r.broken = true
	case name == v1alpha1.RuntimeTriton && path.Ext(r.fileName()) == "":
		r.refuse("spec.source.uri", conditionSource, "SourceUnsupported", "Triton tells the kind of a model by the ending of its file, such as .onnx, .pt or .plan: use a uri that ends so, an archive of a model repository (.tar.gz, .zip), or a directory in source.claim or source.imageVolume")
		r.broken = true
	}
}

// checkDigest refuses a digest that nobody would check: of what is fetched mizzen fetch
// checks it, of what is there already mizzen alone does.
func (r *renderer) checkDigest() {
	if r.spec.Source.Digest != "" && !r.isMizzen() {
		r.refuse("spec.source.digest", conditionSource, "DigestUnchecked", "the runtime %s does not check the digest of what is in a volume or an image: remove digest, or pin an image by @sha256:…", r.runtimeName())
	}
}

func pinned(image string) bool { return strings.Contains(image, "@sha256:") }
