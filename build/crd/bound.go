package main

import (
	"math"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// Bounds for what the types of Kubernetes itself (tolerations, affinity, peers,
// behavior) leave open. They are well above what anybody writes.
const (
	maxItems      = 64
	maxLength     = 1024
	maxProperties = 64
	maxQuantity   = 32
	maxDuration   = 32
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
		if s.Format == "duration" && s.Pattern == "" {
			s.Pattern, s.MaxLength = durationPattern, pointer(maxDuration)
		}
		if s.MaxLength == nil && len(s.Enum) == 0 && s.Format == "" {
			s.MaxLength = pointer(maxLength)
		}
	case "object":
		if s.AdditionalProperties != nil && s.MaxProperties == nil {
			s.MaxProperties = pointer(maxProperties)
		}
	}
	if s.XIntOrString {
		boundIntOrString(s)
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

// What the API server would accept and Go's types would not: an operator that reads
// all Models at once would stop at the first such one.
const (
	// durationPattern leaves out the days and weeks that the format duration knows.
	durationPattern = `^([0-9]{1,5}(\.[0-9]{1,3})?(ms|s|m|h)){1,4}$`
	// quantityPattern leaves out exponents that are fractions, or without end.
	quantityPattern = `^(\+|-)?` + magnitude
	// unsignedPattern is that of quantities that may not be negative.
	unsignedPattern = `^\+?` + magnitude
	magnitude       = `([0-9]{1,18}(\.[0-9]{0,9})?|\.[0-9]{1,9})([KMGTPE]i|[numkMGTPE]|[eE](\+|-)?[0-9]{1,2})?$`
)

// boundIntOrString bounds quantities, which have a pattern, and ports and the like,
// which are 32 bits wide where they are numbers.
func boundIntOrString(s *apiextensions.JSONSchemaProps) {
	if s.Pattern != "" {
		s.Pattern = quantityPattern
		s.MaxLength = pointer(maxQuantity)
		return
	}
	if s.MaxLength == nil {
		s.MaxLength = pointer(maxLength)
	}
	if s.Maximum == nil {
		s.Maximum = new(float64)
		*s.Maximum = math.MaxInt32
	}
}

func pointer(n int64) *int64 { return &n }
