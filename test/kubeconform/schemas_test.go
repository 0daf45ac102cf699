package kubeconform

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"mizzen.dev/test/cluster/crds"
)

// kubernetes is the module that the schemas of its own kinds are taken from: the API
// server's description of itself.
func kubernetes() crds.Set {
	return crds.Set{Module: "k8s.io/kubernetes", Version: "v1.37.2", Sum: "h1:A2VDEiObzkYqFTKhSsn0ZEb0RlLEXpHWj93gi2HqEwE="}
}

type groupVersionKind struct{ Group, Version, Kind string }

// file is where kubeconform looks for the schema of a kind.
func (k groupVersionKind) file() string {
	name := strings.ToLower(k.Kind)
	if k.Group != "" {
		name += "-" + strings.Split(k.Group, ".")[0]
	}
	return strings.ToLower(name + "-" + k.Version + ".json")
}

// writeSchemas writes a JSON schema for each of Kubernetes's kinds that Mizzen makes,
// and for all kinds of the others. No field is allowed that has none.
func writeSchemas(t *testing.T, dir string, wanted map[groupVersionKind]bool, others []crds.Set) {
	t.Helper()
	root, err := kubernetes().Dir(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var swagger struct {
		Definitions map[string]map[string]any `json:"definitions"`
	}
	decode(t, filepath.Join(root, "api", "openapi-spec", "swagger.json"), &swagger)
	for _, definition := range swagger.Definitions {
		var kinds struct {
			GVK []groupVersionKind `json:"x-kubernetes-group-version-kind"`
		}
		recode(t, definition, &kinds)
		for _, k := range kinds.GVK {
			if wanted[k] {
				encode(t, filepath.Join(dir, k.file()), expand(definition, swagger.Definitions, nil))
			}
		}
	}
	files, err := crds.Files(context.Background(), others...)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, "../../config/crd.yaml") {
		writeDefinition(t, dir, file)
	}
}

// writeDefinition writes the schemas of a CustomResourceDefinition.
func writeDefinition(t *testing.T, dir, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for doc := range strings.SplitSeq(string(text), "\n---\n") {
		var crd struct {
			Kind string `json:"kind"`
			Spec struct {
				Group string `json:"group"`
				Names struct {
					Kind string `json:"kind"`
				} `json:"names"`
				Versions []struct {
					Name   string `json:"name"`
					Schema struct {
						Open map[string]any `json:"openAPIV3Schema"`
					} `json:"schema"`
				} `json:"versions"`
			} `json:"spec"`
		}
		if err := yaml.Unmarshal([]byte(doc), &crd); err != nil || crd.Kind != "CustomResourceDefinition" {
			continue
		}
		for _, v := range crd.Spec.Versions {
			k := groupVersionKind{crd.Spec.Group, v.Name, crd.Spec.Names.Kind}
			encode(t, filepath.Join(dir, k.file()), expand(v.Schema.Open, nil, nil))
		}
	}
}

// expand makes a schema of OpenAPI one that stands alone: references are replaced by
// what they refer to, and objects have no fields but those that are named.
func expand(schema map[string]any, definitions map[string]map[string]any, above []string) map[string]any {
	if ref, ok := schema["$ref"].(string); ok {
		name := strings.TrimPrefix(ref, "#/definitions/")
		for _, a := range above {
			if a == name {
				return map[string]any{} // a definition of itself
			}
		}
		return expand(definitions[name], definitions, append(above, name))
	}
	if format := schema["format"]; format == "int-or-string" || schema["x-kubernetes-int-or-string"] == true {
		return map[string]any{"type": []any{"string", "integer"}}
	}
	if text, ok := schema["description"].(string); ok && schema["type"] == "string" && strings.HasPrefix(text, "Quantity is") {
		return map[string]any{"type": []any{"string", "number"}}
	}
	out := map[string]any{}
	for key, value := range schema {
		switch key {
		case "type", "enum", "required", "pattern", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties":
			out[key] = value
		case "items":
			out[key] = expand(value.(map[string]any), definitions, above)
		case "additionalProperties":
			if s, ok := value.(map[string]any); ok {
				value = expand(s, definitions, above)
			}
			out[key] = value
		}
	}
	if properties, ok := schema["properties"].(map[string]any); ok {
		expanded := map[string]any{}
		for name, value := range properties {
			expanded[name] = expand(value.(map[string]any), definitions, above)
		}
		out["properties"] = expanded
		if schema["x-kubernetes-preserve-unknown-fields"] != true && out["additionalProperties"] == nil {
			out["additionalProperties"] = false
		}
	}
	if schema["nullable"] == true {
		out["type"] = []any{out["type"], "null"}
	}
	return out
}

func decode(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

func encode(t *testing.T, file string, value any) {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
}

func recode(t *testing.T, from map[string]any, into any) {
	t.Helper()
	text, err := json.Marshal(maps.Clone(from))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}
