package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// Source is where the model file comes from: exactly one of uri, which an init
// container fetches, imageVolume, claim and image.
//
// +kubebuilder:validation:XValidation:rule="[has(self.uri), has(self.imageVolume), has(self.claim), has(self.image)].filter(set, set).size() == 1",message="set exactly one of uri, imageVolume, claim and image: a model has one source"
// +kubebuilder:validation:XValidation:rule="!has(self.secretRef) || has(self.uri)",message="secretRef has the credentials with which uri is fetched: remove it, or set uri"
// +kubebuilder:validation:XValidation:rule="!has(self.cache) || has(self.uri)",message="cache keeps what is fetched from uri: remove it, or set uri"
type Source struct {
	// uri of the model file, which an init container fetches before the server starts:
	// https, s3, gs, azblob, oci or hf. How each is written: docs/store.md. Servers that
	// want a directory (tfserving, triton, torchserve) have an archive of one unpacked:
	// .tar, .tar.gz, .tgz or .zip.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="self.matches(r'^(https?|s3|gs|azblob|oci|hf)://[^/\\s]+(/\\S*)?$')",message="uri must start with https://, http://, s3://, gs://, azblob://, oci:// or hf:// and have no blanks; a file in a volume is source.claim"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^[a-z0-9]+://[^/]*@')",message="uri must not hold a password: put credentials into a Secret and name it in source.secretRef"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^(s3|gs|azblob|hf)://[^?#]*/([?#]|$)')",message="uri names one file and no directory, which has no digest: pack the directory (tar czf model.tar.gz -C DIR .), upload that and name it"
	URI string `json:"uri,omitempty"`

	// digest that the file must have, or the archive before it is unpacked. Without it SourceReady says NotPinned: the same
	// spec may run another model tomorrow.
	// +optional
	// +kubebuilder:validation:MaxLength=71
	// +kubebuilder:validation:Pattern=`^sha256:[a-f0-9]{64}$`
	Digest string `json:"digest,omitempty"`

	// secretRef is a Secret whose entries are the environment of the init container: the
	// credentials of the store, by their usual names, such as AWS_ACCESS_KEY_ID.
	// +optional
	SecretRef *SecretName `json:"secretRef,omitempty"`

	// cache is where the fetched file is kept. Without it each pod has an emptyDir.
	// +optional
	Cache *Cache `json:"cache,omitempty"`

	// imageVolume mounts an OCI artifact or image that holds the model. It needs
	// Kubernetes 1.33 or later and a container runtime that knows image volumes.
	// +optional
	ImageVolume *ImageVolumeSource `json:"imageVolume,omitempty"`

	// claim is an existing PersistentVolumeClaim that holds the model.
	// +optional
	Claim *ClaimSource `json:"claim,omitempty"`

	// image is the image that the pods run, with the model inside of it, as made by
	// mizzen image --model.
	// +optional
	Image *ImageSource `json:"image,omitempty"`
}

// Cache is where a fetched file is kept: exactly one of emptyDir and claim.
//
// +kubebuilder:validation:XValidation:rule="has(self.emptyDir) != has(self.claim)",message="set exactly one of emptyDir and claim"
type Cache struct {
	// emptyDir is a directory of the pod, gone with it.
	// +optional
	EmptyDir *EmptyDirCache `json:"emptyDir,omitempty"`
	// claim is a volume of the Model's own that outlives pods: each file is fetched once.
	// +optional
	Claim *ClaimCache `json:"claim,omitempty"`
}

// EmptyDirCache is a directory of the pod.
type EmptyDirCache struct {
	// sizeLimit is how large the directory may get before the pod is evicted.
	// +required
	// +kubebuilder:validation:XValidation:rule="quantity(string(self)).isGreaterThan(quantity('0'))",message="sizeLimit must be above 0"
	SizeLimit resource.Quantity `json:"sizeLimit"`
}

// ClaimCache is a volume of the Model's own. It cannot change but for growing.
//
// +kubebuilder:validation:XValidation:rule="self.accessMode == oldSelf.accessMode",message="accessMode of a claim cannot change: make a Model of another name, or remove the cache first"
// +kubebuilder:validation:XValidation:rule="has(self.storageClassName) == has(oldSelf.storageClassName) && (!has(self.storageClassName) || self.storageClassName == oldSelf.storageClassName)",message="storageClassName of a claim cannot change: make a Model of another name, or remove the cache first"
// +kubebuilder:validation:XValidation:rule="quantity(string(self.size)).compareTo(quantity(string(oldSelf.size))) >= 0",message="a claim can grow but not shrink: set size to at least what it was"
type ClaimCache struct {
	// size of the volume. It can grow later if the storage class allows it.
	// +required
	// +kubebuilder:validation:XValidation:rule="quantity(string(self)).isGreaterThan(quantity('0'))",message="size must be above 0"
	Size resource.Quantity `json:"size"`
	// storageClassName of the volume; the cluster's default without it.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	StorageClassName *string `json:"storageClassName,omitempty"`
	// accessMode is ReadWriteMany, or ReadWriteOnce where one pod at a time runs.
	// +optional
	// +default="ReadWriteMany"
	AccessMode CacheAccessMode `json:"accessMode,omitempty"`
}

// CacheAccessMode is how the pods of a Model share its cache.
//
// +kubebuilder:validation:Enum=ReadWriteMany;ReadWriteOnce
type CacheAccessMode string

// The access modes of a cache.
const (
	CacheReadWriteMany CacheAccessMode = "ReadWriteMany"
	CacheReadWriteOnce CacheAccessMode = "ReadWriteOnce"
)

// ImageVolumeSource is an OCI artifact or image that is mounted into the pods.
type ImageVolumeSource struct {
	// reference of the image, best with its digest: registry/models/iris@sha256:….
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:Pattern=`^[^\s]+$`
	Reference string `json:"reference"`
	// path of the model in it: of a file such as iris/model.pkl; for triton of the directory
	// with config.pbtxt, for tfserving of the one with saved_model.pb.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="!self.startsWith('/') && !self.matches('(^|/)[.][.](/|$)')",message="path is relative to the root of the volume, without .."
	Path string `json:"path"`
	// pullPolicy is when the image is pulled.
	// +optional
	// +kubebuilder:validation:Enum=Always;IfNotPresent;Never
	PullPolicy corev1.PullPolicy `json:"pullPolicy,omitempty"`
}

// ClaimSource is an existing volume that holds the model.
type ClaimSource struct {
	// name of the PersistentVolumeClaim, in the namespace of the Model. It is mounted
	// read-only.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	Name string `json:"name"`
	// path of the model in it: of a file such as iris/model.pkl; for triton of the directory
	// with config.pbtxt, for tfserving of the one with saved_model.pb.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="!self.startsWith('/') && !self.matches('(^|/)[.][.](/|$)')",message="path is relative to the root of the volume, without .."
	Path string `json:"path"`
}

// ImageSource is an image that holds the server and the model.
type ImageSource struct {
	// reference of the image, best with its digest.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:Pattern=`^[^\s]+$`
	Reference string `json:"reference"`
	// path of the model file in the image, if the image itself does not say.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Path string `json:"path,omitempty"`
}
