package main

import apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

// Bounds for what the types of Kubernetes itself (tolerations, affinity, peers,
// behavior) leave open. They are well above what anybody writes.
const (
	maxItems      = 64
	maxLength     = 1024
	maxProperties = 64
)

// bound gives every list, string and map below a schema a size, and every list a
// type, where there is none yet.
func bound(s *apiextensions.JSONSchemaProps) {
	switch s.Type {
	case "array":
		if s.MaxItems == nil {
			s.MaxItems = pointer(maxItems)
		}
		if s.XListType == nil {
			s.XListType = new(string)
			*s.XListType = "atomic"
		}
	case "string":
		if s.MaxLength == nil && len(s.Enum) == 0 && s.Format == "" {
			s.MaxLength = pointer(maxLength)
		}
	case "object":
		if s.AdditionalProperties != nil && s.MaxProperties == nil {
			s.MaxProperties = pointer(maxProperties)
		}
	}
	if s.XIntOrString && s.MaxLength == nil {
		s.MaxLength = pointer(maxLength)
	}
	for name, p := range s.Properties {
		bound(&p)
		s.Properties[name] = p
	}
	if s.Items != nil && s.Items.Schema != nil {
		bound(s.Items.Schema)
	}
	if s.AdditionalProperties != nil && s.AdditionalProperties.Schema != nil {
		bound(s.AdditionalProperties.Schema)
	}
}

func pointer(n int64) *int64 { return &n }
