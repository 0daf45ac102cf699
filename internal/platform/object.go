package platform

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// object is any object that has a spec and nothing beside it: no status that it does not
// have yet.
type object[S any] struct {
	metav1.TypeMeta `json:",inline"`
	Metadata        metav1.ObjectMeta `json:"metadata"`
	Spec            S                 `json:"spec"`
}

// newObject returns an object with a spec.
func newObject[S any](apiVersion, kind string, metadata metav1.ObjectMeta, spec S) *object[S] {
	return &object[S]{TypeMeta: metav1.TypeMeta{APIVersion: apiVersion, Kind: kind}, Metadata: metadata, Spec: spec}
}

// plain turns an object, a pointer to a struct or a map, into the form that is written
// and applied.
func plain(o any) (*unstructured.Unstructured, error) {
	content, isMap := o.(map[string]any)
	if !isMap {
		var err error
		if content, err = runtime.DefaultUnstructuredConverter.ToUnstructured(o); err != nil {
			return nil, fmt.Errorf("converting %T: %w", o, err)
		}
	}
	return &unstructured.Unstructured{Object: content}, nil
}
