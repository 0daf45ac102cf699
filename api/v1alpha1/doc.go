// Package v1alpha1 is the Model resource: what a platform engineer writes, and what
// the operator reports about it. The types carry the schema that the API server
// validates and defaults by; crd.yaml is made from them.
//
// Rules of the whole schema: every list and string is bounded, durations and
// quantities have their own types, a choice is a union of which exactly one member
// is set, and what may one day have a third state is an enum and no boolean.
//
// +kubebuilder:object:generate=true
// +groupName=mizzen.dev
package v1alpha1

//go:generate go run mizzen.dev/build/crd
