package openapi

import (
	"bytes"
	"encoding/json"
)

// The objects of the OpenAPI Specification 3.1 that Mizzen writes, by the names
// that they have there: https://spec.openapis.org/oas/v3.1.1.html

type document struct {
	OpenAPI    string              `json:"openapi"`
	Info       info                `json:"info"`
	Servers    []server            `json:"servers"`
	Tags       []tag               `json:"tags"`
	Paths      ordered[*pathItem]  `json:"paths"`
	Components components          `json:"components"`
	Security   []map[string]scopes `json:"security,omitempty"`
}

// scopes is written as [], not null.
type scopes []string

type info struct {
	Title       string `json:"title"`
	Description string `json:"description"`
	Version     string `json:"version"`
}

type server struct {
	URL         string `json:"url"`
	Description string `json:"description,omitempty"`
}

type tag struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
}

type pathItem struct {
	Get  *operation `json:"get,omitempty"`
	Post *operation `json:"post,omitempty"`
}

type operation struct {
	Tags        []string            `json:"tags"`
	OperationID string              `json:"operationId"`
	Summary     string              `json:"summary"`
	Description string              `json:"description,omitempty"`
	Parameters  []parameter         `json:"parameters,omitempty"`
	RequestBody *requestBody        `json:"requestBody,omitempty"`
	Responses   ordered[response]   `json:"responses"`
	Security    []map[string]scopes `json:"security,omitempty"`

	group string // of paths that can be exempt from keys; empty for predictions
}

type parameter struct {
	Name        string `json:"name"`
	In          string `json:"in"`
	Description string `json:"description,omitempty"`
	Required    bool   `json:"required"`
	Schema      schema `json:"schema"`
	Example     any    `json:"example,omitempty"`
}

type requestBody struct {
	Required bool               `json:"required"`
	Content  ordered[mediaType] `json:"content"`
}

type mediaType struct {
	Schema   *schema          `json:"schema,omitempty"`
	Examples ordered[example] `json:"examples,omitzero"`
}

type example struct {
	Summary string `json:"summary"`
	Value   any    `json:"value"`
}

type response struct {
	Description string             `json:"description"`
	Content     ordered[mediaType] `json:"content,omitzero"`
}

type components struct {
	Schemas         ordered[schema]           `json:"schemas"`
	SecuritySchemes map[string]securityScheme `json:"securitySchemes,omitempty"`
}

type securityScheme struct {
	Type        string `json:"type"`
	Scheme      string `json:"scheme,omitempty"`
	In          string `json:"in,omitempty"`
	Name        string `json:"name,omitempty"`
	Description string `json:"description,omitempty"`
}

// schema is a JSON Schema, draft 2020-12.
type schema struct {
	Ref         string          `json:"$ref,omitempty"`
	Title       string          `json:"title,omitempty"`
	Description string          `json:"description,omitempty"`
	Type        any             `json:"type,omitempty"` // a string or a []string
	Const       any             `json:"const,omitempty"`
	Enum        []any           `json:"enum,omitempty"`
	AnyOf       []schema        `json:"anyOf,omitempty"`
	Items       *schema         `json:"items,omitempty"`
	PrefixItems []schema        `json:"prefixItems,omitempty"`
	MinItems    *int            `json:"minItems,omitempty"`
	MaxItems    *int            `json:"maxItems,omitempty"`
	Properties  ordered[schema] `json:"properties,omitzero"`
	Required    []string        `json:"required,omitempty"`
	// Additional is the schema of further properties, or a bool.
	Additional any   `json:"additionalProperties,omitempty"`
	Minimum    *int  `json:"minimum,omitempty"`
	Maximum    *int  `json:"maximum,omitempty"`
	Examples   []any `json:"examples,omitempty"`
}

// ordered is an object whose members keep the order in which they were added:
// features stand in training order, paths in the order of their use.
type ordered[T any] struct{ members []member[T] }

type member[T any] struct {
	name  string
	value T
}

// object returns an object with one member.
func object[T any](name string, value T) ordered[T] {
	return ordered[T]{[]member[T]{{name, value}}}
}

func (o *ordered[T]) add(name string, value T) {
	o.members = append(o.members, member[T]{name, value})
}

// IsZero makes omitzero leave out an object without members.
func (o ordered[T]) IsZero() bool { return len(o.members) == 0 }

// MarshalJSON writes the members in their order.
func (o ordered[T]) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o.members {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
