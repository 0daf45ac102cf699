package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Group, version and kind of the resource.
const (
	Group   = "mizzen.dev"
	Version = "v1alpha1"
	Kind    = "Model"
)

// ModelLabel names the Model that an object is of.
const ModelLabel = Group + "/model"

// GroupVersion returns the group and version of the types of this package.
func GroupVersion() schema.GroupVersion { return schema.GroupVersion{Group: Group, Version: Version} }

// AddToScheme tells a scheme the types of this package.
func AddToScheme(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion(), &Model{}, &ModelList{})
	metav1.AddToGroupVersion(s, GroupVersion())
	return nil
}
