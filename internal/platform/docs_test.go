package platform_test

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"mizzen.dev/internal/platform"
)

// TestDocs holds for docs/platform.md: every field stands in it, in an example that
// is read as the file is.
func TestDocs(t *testing.T) {
	text, err := os.ReadFile("../../docs/platform.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(blocks) < 10 {
		t.Fatalf("only %d examples", len(blocks))
	}
	ca, err := os.ReadFile("testdata/render/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	bundle := regexp.MustCompile(`caBundle: (\S+)`).FindSubmatch(ca)[1]
	key := regexp.MustCompile(`(?s)-----BEGIN PUBLIC KEY-----\n\s+(\S+\n\s+\S+)\n`).FindSubmatch(ca)[1]
	replaced := strings.NewReplacer("LS0tLS1CRUdJTiBD…", string(bundle), "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE…", strings.Join(strings.Fields(string(key)), "\n      "))
	examples := ""
	for _, block := range blocks {
		example := replaced.Replace(block[1])
		examples += example
		if !strings.HasPrefix(example, "apiVersion") {
			example = head + example
		}
		if _, err := platform.Read(strings.NewReader(example), "example"); err != nil {
			t.Errorf("%v\n%s", err, example)
		}
	}
	for path, name := range fieldNames(reflect.TypeFor[platform.Platform](), "") {
		if !regexp.MustCompile(`\b` + name + `\b`).MatchString(examples) {
			t.Errorf("%s stands in no example of docs/platform.md", path)
		}
	}
}

// fieldNames are the names of the fields of a type of this project, and of those
// below, by their paths.
func fieldNames(t reflect.Type, path string) map[string]string {
	names := map[string]string{}
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || !strings.HasPrefix(t.PkgPath(), "mizzen.dev/") {
		return names
	}
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" {
			continue
		}
		below := strings.TrimPrefix(path+"."+name, ".")
		names[below] = name
		for p, n := range fieldNames(f.Type, below) {
			names[p] = n
		}
	}
	return names
}
