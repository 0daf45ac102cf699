// Package object writes Kubernetes objects as a person would: with what is wanted,
// without a status, and without what the API server would fill in itself.
package object

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// Object is any object that has a spec and nothing beside it.
type Object[S any] struct {
	metav1.TypeMeta `json:",inline"`
	Metadata        metav1.ObjectMeta `json:"metadata"`
	Spec            S                 `json:"spec"`
}

// New returns an object with a spec.
func New[S any](apiVersion, kind string, metadata metav1.ObjectMeta, spec S) *Object[S] {
	return &Object[S]{TypeMeta: metav1.TypeMeta{APIVersion: apiVersion, Kind: kind}, Metadata: metadata, Spec: spec}
}

// Plain turns an object, a pointer to a struct or a map, into the form that is written
// and applied.
func Plain(o any) (*unstructured.Unstructured, error) {
	content, isMap := o.(map[string]any)
	if !isMap {
		var err error
		if content, err = runtime.DefaultUnstructuredConverter.ToUnstructured(o); err != nil {
			return nil, fmt.Errorf("converting %T: %w", o, err)
		}
	}
	return &unstructured.Unstructured{Object: content}, nil
}
