package v1alpha1_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"mizzen.dev/api/v1alpha1/example"
)

// TestBounds holds for every bound of every field: the example is accepted, and what is
// just beyond the bound is refused, by an API server and offline in the same words.
func TestBounds(t *testing.T) {
	examples, err := example.All()
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string]*apiextensionsv1.JSONSchemaProps{}
	walk(schema(t), "", func(path string, s *apiextensionsv1.JSONSchemaProps) { fields[path] = s })
	j := newJudges(t)
	for _, e := range examples {
		t.Run(e.Path, func(t *testing.T) {
			s := fields[e.Path]
			if s == nil {
				t.Fatal("the schema has no such field")
			}
			with, _ := e.On(over(t, nil))
			if said := j.create(t, with); said != "" {
				t.Errorf("the example is refused: %s", said)
			}
			for name, value := range beyond(t, s, e.Value) {
				if said := j.create(t, e.Set(over(t, nil), value)); said == "" {
					t.Errorf("%s: %.80v is accepted", name, value)
				}
			}
		})
	}
}

// beyond returns values that the schema of one field must refuse, by what is wrong.
func beyond(t *testing.T, s *apiextensionsv1.JSONSchemaProps, good any) map[string]any {
	t.Helper()
	values := map[string]any{}
	switch {
	case s.XIntOrString:
		values["type"] = []any{int64(1)}
		values["width"] = int64(1) << 40
		if s.Pattern != "" { // a quantity has numbers of any width
			delete(values, "width")
			values["pattern"] = "many"
			values["exponent"] = "1e1.5"
		}
	case s.Type == "string":
		values["type"] = int64(1)
		if s.MaxLength != nil {
			values["maxLength"] = strings.Repeat("a", int(*s.MaxLength)+1)
		}
		if s.MinLength != nil {
			values["minLength"] = ""
		}
		if len(s.Enum) > 0 {
			values["enum"] = "Nope"
		}
		if s.Pattern != "" {
			values["pattern"] = unmatched(t, s.Pattern)
		}
		if s.Format == "duration" {
			values["days"] = "1d" // the format has days, Go has none
			values["negative"] = "-1s"
			values["endless"] = "99999999999999h"
		}
	case s.Type == "integer":
		values["type"] = "one"
		if s.Minimum != nil {
			values["minimum"] = int64(*s.Minimum) - 1
		}
		if s.Maximum != nil {
			values["maximum"] = int64(*s.Maximum) + 1
		}
		if s.Format == "int32" {
			values["width"] = int64(1) << 40
		}
	case s.Type == "array":
		values["type"] = "one"
		item := any("a")
		if list, ok := good.([]any); ok && len(list) > 0 {
			item = list[0]
		}
		values["maxItems"] = many(int(*s.MaxItems)+1, func(int) any { return item })
		if s.XListType != nil && *s.XListType == "set" {
			values["set"] = []any{item, item}
		}
	case s.Type == "object":
		values["type"] = "one"
		fields := map[string]any{}
		for i := range int(*s.MaxProperties) + 1 {
			for _, v := range good.(map[string]any) { //nolint:forcetypeassert // a leaf of this type is a map
				fields[fmt.Sprintf("A%d", i)] = v
			}
		}
		values["maxProperties"] = fields
	}
	return values
}

func unmatched(t *testing.T, pattern string) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	for _, s := range []string{"!", " ", "ä ä", "-", "9", "A b"} {
		if !re.MatchString(s) {
			return s
		}
	}
	t.Fatalf("everything matches %s", pattern)
	return ""
}

func many(n int, item func(int) any) []any {
	list := make([]any, n)
	for i := range list {
		list[i] = item(i)
	}
	return list
}

// TestListBounds holds for lists of objects.
func TestListBounds(t *testing.T) {
	examples, err := example.All()
	if err != nil {
		t.Fatal(err)
	}
	j := newJudges(t)
	tested := 0
	walk(schema(t), "", func(path string, s *apiextensionsv1.JSONSchemaProps) {
		if s.Type != "array" || s.Items.Schema.Type != "object" || !strings.HasPrefix(path, "spec.") {
			return
		}
		tested++
		t.Run(path, func(t *testing.T) {
			for _, e := range examples {
				if !strings.HasPrefix(e.Path, path+"[]") {
					continue
				}
				model, _ := e.On(over(t, nil))
				lengthen(model, strings.Split(strings.ReplaceAll(path, "[]", ".[]"), "."), int(*s.MaxItems)+1)
				if said := j.create(t, model); !strings.Contains(said, "must have at most") {
					t.Errorf("said %q", said)
				}
				return
			}
			t.Error("no example has such a list")
		})
	})
	if tested == 0 {
		t.Error("found no lists")
	}
}

// lengthen repeats the first item of a list.
func lengthen(at any, path []string, n int) {
	switch v := at.(type) {
	case []any:
		lengthen(v[0], path[1:], n)
	case map[string]any:
		if len(path) > 1 {
			lengthen(v[path[0]], path[1:], n)
			return
		}
		first := v[path[0]].([]any)[0] //nolint:forcetypeassert // the example has the list
		v[path[0]] = many(n, func(int) any { return first })
	}
}
