package chart

import (
	"fmt"
	"strings"

	"mizzen.dev/api/v1alpha1"
)

// reference of an image in its parts.
type imageReference struct{ repository, tag, digest string }

func parseImage(s string) imageReference {
	var i imageReference
	s, i.digest, _ = strings.Cut(s, "@")
	i.repository = s
	if colon := strings.LastIndexByte(s, ':'); colon > strings.LastIndexByte(s, '/') {
		i.repository, i.tag = s[:colon], s[colon+1:]
	}
	return i
}

func (i imageReference) String() string {
	s := i.repository
	if i.tag != "" {
		s += ":" + i.tag
	}
	if i.digest != "" {
		s += "@" + i.digest
	}
	return s
}

// image adds the image that the pods run: the one of the rendering. It is one variable,
// of three values. Where the Model names no image, neither does the chart until a value
// is changed.
func (b *builder) image(model *v1alpha1.Model, rendered string) {
	named := namedImage(model)
	parts := parseImage(rendered)
	set := func(m *v1alpha1.Model, s string) {
		switch {
		case m.Spec.Source.Image != nil:
			m.Spec.Source.Image.Reference = s
		case m.Spec.Runtime != nil:
			m.Spec.Runtime.Image = s
		default:
			m.Spec.Runtime = &v1alpha1.Runtime{Name: v1alpha1.RuntimeMizzen, Image: s}
		}
	}
	v := b.text([]string{"image", "repository"}, "The image of the server.", named, nil, "registry.qzmark.example/server:1.2.3", set)
	v.action = fmt.Sprintf("(include %q .)", model.Name+".image")
	v.values = []value{
		{[]string{"image", "repository"}, parts.repository, "The image of the server.",
			map[string]any{"type": "string", "minLength": 1, "maxLength": 512, "pattern": `^[A-Za-z0-9][-A-Za-z0-9._/:]*$`}},
		{[]string{"image", "tag"}, parts.tag, "", map[string]any{"type": "string", "maxLength": 128, "pattern": `^[-A-Za-z0-9_.]*$`}},
		{[]string{"image", "digest"}, parts.digest, "It wins over the tag.",
			map[string]any{"type": "string", "pattern": `^(sha256:[a-f0-9]{64})?$`}},
	}
}

// namedImage is the image that the Model asks for, "" where it leaves that to the
// platform or the runtime.
func namedImage(model *v1alpha1.Model) string {
	if s := model.Spec.Source.Image; s != nil {
		return s.Reference
	}
	if model.Spec.Runtime != nil {
		return model.Spec.Runtime.Image
	}
	return ""
}

// imageTemplate puts the values of the image together. It is empty for an image that
// the Model does not name, which is no part of the revision.
func imageTemplate(model *v1alpha1.Model, rendered string) string {
	body := `{{ .repository }}{{ with .tag }}:{{ . }}{{ end }}{{ with .digest }}@{{ . }}{{ end }}`
	if namedImage(model) == "" {
		compose := `print .repository (ternary (print ":" .tag) "" (ne .tag "")) (ternary (print "@" .digest) "" (ne .digest ""))`
		body = fmt.Sprintf("{{ with %s }}{{ if ne . %q }}{{ . }}{{ end }}{{ end }}", compose, rendered)
	}
	return fmt.Sprintf("{{- define %q -}}\n{{- with .Values.image }}%s{{ end -}}\n{{- end }}\n", model.Name+".image", body)
}
