package config

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"mizzen.dev/internal/golden"
)

const referenceHead = `# Configuration of mizzen serve

Every setting can be given in three ways; a later one is stronger: a line of a
YAML file (` + "`--config FILE` or `MIZZEN_CONFIG`" + `), an environment variable, a flag.
The names in the file are those of the flags. A name that does not exist is an
error. Durations are written with a unit (` + "`30s`, `5m`" + `), sizes too (` + "`10MiB`" + `); lists
have commas between their parts, or are lists in the file.

    # mizzen.yaml
    model: /models
    port: 8080
    drain-delay: 5s
    auth-exempt: [probes, metrics, docs]

Tracing follows the variables of OpenTelemetry (` + "`OTEL_EXPORTER_OTLP_ENDPOINT`" + ` and
the others); without them nothing is traced.

This page is made from the table in internal/config/fields.go:
` + "`go test ./internal/config -update`" + `.
`

// TestReference keeps docs/configuration.md equal to the table.
func TestReference(t *testing.T) {
	var b strings.Builder
	b.WriteString(referenceHead)
	section := ""
	for _, f := range Fields() {
		if f.Section != section {
			section = f.Section
			fmt.Fprintf(&b, "\n## %s\n\n| setting | variable | default | meaning |\n|---|---|---|---|\n", section)
		}
		name := "`--" + f.Name + "`"
		if f.Secret {
			name = "`" + f.Name + "` (file only)"
		}
		value := f.Value(Default())
		if value != "" {
			value = "`" + value + "`"
		}
		if strings.Contains(f.Usage, "(default") {
			value = ""
		}
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s |\n", name, f.Env, value, f.Usage)
	}
	golden.Compare(t, filepath.Join("..", "..", "docs", "configuration.md"), b.String())
}
