// Package chart makes a Helm chart from a Model. The templates are not written by
// hand: the Model is rendered again and again with one thing changed at a time, what
// changes in the objects is explained by a few known forms of templates, and what
// none of them explains is an error. So a value of the chart gives the objects that
// the Model changed likewise gives (docs/decisions/0008-charts-are-learnt.md).
package chart

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/platform"
	"mizzen.dev/internal/render"
)

// Input is what a chart is made from.
type Input struct {
	// Model, defaulted and valid. It is not changed.
	Model *v1alpha1.Model
	// Platform of the clusters that the chart is for. It is not changed.
	Platform *platform.Platform
}

// Make returns the files of a chart by their paths in it.
func Make(in Input) (map[string][]byte, error) {
	m := &maker{Input: in}
	vars, objects, err := m.learn()
	if err != nil {
		return nil, fmt.Errorf("making a chart of %s: %w", in.Model.Name, err)
	}
	files := map[string][]byte{
		".helmignore":            []byte(".git/\n*.swp\n*.orig\n"),
		"templates/_helpers.tpl": []byte(m.helpers()),
		"templates/NOTES.txt":    []byte(m.notes(vars)),
	}
	if files["Chart.yaml"], err = m.metadata(); err != nil {
		return nil, err
	}
	if files["values.yaml"], err = valuesFile(vars); err != nil {
		return nil, err
	}
	if files["values.schema.json"], err = schemaFile(vars); err != nil {
		return nil, err
	}
	for _, o := range objects {
		written, err := emit(o.node)
		if err != nil {
			return nil, fmt.Errorf("making a chart of %s: %s: %w", in.Model.Name, o.file, err)
		}
		if strings.HasPrefix(o.file, "horizontalpodautoscaler") || strings.HasPrefix(o.file, "scaledobject") {
			written = checks(vars) + written
		}
		files[path.Join("templates", o.file)] = []byte(written)
	}
	return files, nil
}

// madeHere is how the description of a chart ends that was made here.
const madeHere = ", made by mizzenctl render --to helm"

// maker makes one chart.
type maker struct {
	Input
	learner learner
	url     string
	image   string    // that the pods run
	digests []*digest // those that change, in the order in which they need each other
}

// object of the chart.
type object struct {
	file string
	node node
}

func (m *maker) metadata() ([]byte, error) {
	version := m.Model.Spec.Version
	if !semantic.MatchString(version) {
		version = "0.1.0"
	}
	return yaml.Marshal(map[string]any{
		"apiVersion":  "v2",
		"type":        "application",
		"name":        m.Model.Name,
		"description": "The model " + m.Model.Name + madeHere,
		"version":     version,
		"appVersion":  m.Model.Spec.Version,
		"kubeVersion": ">=1.30.0-0",
	})
}

// helpers are the templates of the image, and of the hashes that depend on values.
func (m *maker) helpers() string {
	var b strings.Builder
	b.WriteString("{{/* The image, put together from its values. */}}\n")
	b.WriteString(imageTemplate(m.Model, m.image))
	for _, d := range m.digests {
		fmt.Fprintf(&b, "\n{{/* The hash of what the %s is made of. */}}\n", d.name)
		fmt.Fprintf(&b, "{{- define %q -}}\n{{- %s | sha256sum | trunc %d -}}\n{{- end }}\n",
			d.template, bare(d.of.action()), d.digits)
	}
	for _, v := range m.learner.variables {
		if v.derived != nil {
			b.WriteString(v.derived.template(m.Model.Name + ".startup"))
		}
	}
	return b.String()
}

// notes are what Helm prints after an installation.
func (m *maker) notes(vars []*variable) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "The model %s, version %s, is installed in the namespace {{ .Release.Namespace }}.\n\n", m.Model.Name, m.Model.Spec.Version)
	fmt.Fprintf(&b, "Watch its pods become ready:\n\n    kubectl --namespace {{ .Release.Namespace }} rollout status deployment/%s\n", m.Model.Name)
	url := "http://localhost:8080"
	if e := m.Model.Spec.Expose; e != nil {
		scheme, _, _ := strings.Cut(m.url, ":")
		for _, v := range vars {
			// A name that may be empty is that of a certificate; a default issuer stands in for it.
			if v.kind == words && slices.Contains(v.probes, any("")) && m.Platform.Defaults.IssuerRef == nil {
				scheme = "http{{ if " + access(v.values[0].path) + " }}s{{ end }}"
			}
		}
		host := e.Host
		if slices.ContainsFunc(vars, func(v *variable) bool { return v.name() == "expose.host" }) {
			host = "{{ .Values.expose.host }}"
		}
		url = scheme + "://" + host + strings.TrimSuffix(e.Path, "/")
	} else {
		fmt.Fprintf(&b, "\nIt can be called from within the cluster. To call it from here, leave this running:\n\n")
		fmt.Fprintf(&b, "    kubectl --namespace {{ .Release.Namespace }} port-forward service/%s 8080:80\n", m.Model.Name)
	}
	fmt.Fprintf(&b, "\nIt answers at %s", url)
	if render.RuntimeName(&m.Model.Spec) == v1alpha1.RuntimeMizzen {
		fmt.Fprintf(&b, ", and %s/docs says how to call it", url)
	}
	b.WriteString(".\n")
	return b.String()
}
