package chart

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	yamlv3 "go.yaml.in/yaml/v3"
)

func sortedKeys[K ~string, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// valuesFile writes values.yaml: what the chart is with no value changed.
func valuesFile(vars []*variable) ([]byte, error) {
	root := &yamlv3.Node{Kind: yamlv3.MappingNode}
	for _, v := range vars {
		for _, val := range v.values {
			at := root
			for _, key := range val.path[:len(val.path)-1] {
				at = member(at, key)
			}
			name := &yamlv3.Node{Kind: yamlv3.ScalarNode, Value: val.path[len(val.path)-1], HeadComment: val.comment}
			now := &yamlv3.Node{}
			if err := now.Encode(val.now); err != nil {
				return nil, err
			}
			at.Content = append(at.Content, name, now)
		}
	}
	var b bytes.Buffer
	b.WriteString("# What differs between environments. All else is as the Model has it: change the\n# Model and make the chart again.\n\n")
	enc := yamlv3.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(root); err != nil {
		return nil, err
	}
	return b.Bytes(), enc.Close()
}

// member returns a mapping of a mapping, which it adds if there is none.
func member(of *yamlv3.Node, key string) *yamlv3.Node {
	for i := 0; i < len(of.Content); i += 2 {
		if of.Content[i].Value == key {
			return of.Content[i+1]
		}
	}
	m := &yamlv3.Node{Kind: yamlv3.MappingNode}
	of.Content = append(of.Content, &yamlv3.Node{Kind: yamlv3.ScalarNode, Value: key}, m)
	return m
}

// schemaFile writes values.schema.json, with the bounds that the API server has for
// the Model's own fields.
func schemaFile(vars []*variable) ([]byte, error) {
	root := objectSchema()
	for _, v := range vars {
		for _, val := range v.values {
			at := root
			for _, key := range val.path[:len(val.path)-1] {
				properties := at["properties"].(map[string]any)
				if properties[key] == nil {
					properties[key] = objectSchema()
					at["required"] = append(at["required"].([]any), key)
				}
				at = properties[key].(map[string]any)
			}
			name := val.path[len(val.path)-1]
			leaf := maps.Clone(val.schema)
			if val.comment != "" {
				leaf["description"] = val.comment
			}
			at["properties"].(map[string]any)[name] = leaf
			at["required"] = append(at["required"].([]any), name)
		}
	}
	root["$schema"] = "http://json-schema.org/draft-07/schema#"
	root["properties"].(map[string]any)["global"] = map[string]any{"type": "object", "description": "Set by charts that have this one as a part."}
	written, err := json.MarshalIndent(root, "", "  ")
	return append(written, '\n'), err
}

func objectSchema() map[string]any {
	return map[string]any{"type": "object", "additionalProperties": false, "properties": map[string]any{}, "required": []any{}}
}

// checks are templates that fail where two values contradict each other.
func checks(vars []*variable) string {
	actions := map[string]string{}
	for _, v := range vars {
		actions[v.name()] = v.action
	}
	least, most := actions["scale.minReplicas"], actions["scale.maxReplicas"]
	if least == "" || most == "" {
		return ""
	}
	return fmt.Sprintf("{{- if gt %s %s }}\n{{- fail %q }}\n{{- end }}\n", least, most, strings.TrimSpace("scale.minReplicas must not be above scale.maxReplicas"))
}
