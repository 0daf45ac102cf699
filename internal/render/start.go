package render

import (
	"errors"

	"mizzen.dev/api/v1alpha1"
)

// newRenderer checks the input and works out what all parts share.
func newRenderer(in Input) (*renderer, error) {
	if in.Model == nil || in.Platform == nil {
		return nil, errors.New("rendering needs a Model and a platform")
	}
	if in.Model.Name == "" || in.Model.Namespace == "" {
		return nil, errors.New("rendering needs a Model with a name and a namespace: set metadata.name and metadata.namespace")
	}
	r := &renderer{Input: in, spec: &in.Model.Spec}
	r.result.Revision = r.revision()
	r.result.Image = r.image()
	r.model = r.place()
	r.profile = r.newProfile()
	r.result.URL = "http://" + r.serviceHost() // exposure may know another
	r.checkSource()
	return r, nil
}

// RuntimeName is the runtime of a Model; mizzen unless said otherwise.
func RuntimeName(s *v1alpha1.ModelSpec) v1alpha1.RuntimeName {
	if s.Runtime == nil || s.Runtime.Name == "" {
		return v1alpha1.RuntimeMizzen
	}
	return s.Runtime.Name
}

// RunsMizzen says that a container of a Model's pods runs Mizzen's program, so that its exit
// codes have a meaning.
func RunsMizzen(s *v1alpha1.ModelSpec, container string) bool {
	return container == FetchContainer || RuntimeName(s) == v1alpha1.RuntimeMizzen
}

func (r *renderer) runtimeName() v1alpha1.RuntimeName { return RuntimeName(r.spec) }

func (r *renderer) isMizzen() bool { return r.runtimeName() == v1alpha1.RuntimeMizzen }

// namedImage is the image that the Model itself asks for; "" if it leaves that to
// the platform.
func (r *renderer) namedImage() string {
	if s := r.spec.Source.Image; s != nil {
		return s.Reference
	}
	if r.spec.Runtime != nil {
		return r.spec.Runtime.Image
	}
	return ""
}

// image of the server's container; "" if nobody names one.
func (r *renderer) image() string {
	switch {
	case r.Image != "":
		return r.Image
	case r.namedImage() != "":
		return r.namedImage()
	case r.isMizzen():
		return r.Platform.Image
	}
	return vendorImage(r.runtimeName(), r.spec.GPU != nil)
}

// fetchImage is the image of the init container, which is mizzen under any runtime.
// Where the server is mizzen, too, a node pulls one image for both.
func (r *renderer) fetchImage() string {
	if r.isMizzen() {
		return r.result.Image
	}
	return r.Platform.Image
}

// serviceHost is the name of the Service in the cluster's DNS.
func (r *renderer) serviceHost() string {
	domain := r.Platform.ClusterDomain
	if domain == "" {
		domain = "cluster.local"
	}
	return r.Model.Name + "." + r.Model.Namespace + ".svc." + domain
}
