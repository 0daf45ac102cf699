package v1alpha1

import _ "embed" // the resource definition

// CRD is the CustomResourceDefinition of Model, in YAML.
//
//go:embed crd.yaml
var CRD []byte
