// Package openapi describes the server's API for people and programs: an OpenAPI
// 3.1 document made from the models that are served, with their real feature
// names, types and classes, and the page that shows it.
package openapi

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"mizzen.dev/internal/wire"
	"mizzen.dev/model"
)

// Server is what the document tells about.
type Server struct {
	// Version is that of Mizzen.
	Version string
	// Models are those that answer, in the order in which they are listed.
	Models []*wire.Schema
	// Keys is true if calls need an API key; those of the groups in Exempt do
	// not, by the names that the configuration has: probes, metrics, docs,
	// metadata.
	Keys   bool
	Exempt []string
	// Load is true if models may be loaded and unloaded over the network.
	Load bool
}

// Document returns the OpenAPI document as JSON. Addresses in it are relative to
// its own, so that it holds behind any path prefix.
func Document(s Server) ([]byte, error) {
	b := &builder{server: s, names: map[string]bool{}}
	b.doc = document{
		OpenAPI: "3.1.1",
		Info:    info{Title: title(s.Models), Description: description(s.Models), Version: s.Version},
		Servers: []server{{URL: ".", Description: "this server"}},
		Tags: []tag{
			{"predict", "The plain way: rows or records in, labels out."},
			{"v1", "KServe's and TensorFlow Serving's protocol, version 1."},
			{"v2", "The Open Inference Protocol. The same is served over gRPC as inference.GRPCInferenceService."},
			{"mlflow", "As MLflow and SageMaker score."},
			{"operate", "Probes, metrics, and what is served."},
		},
	}
	b.shared()
	for _, m := range s.Models {
		b.model(m)
	}
	b.lists()
	b.operations()
	if s.Keys {
		b.security()
	}
	out, err := json.Marshal(b.doc)
	if err != nil {
		return nil, fmt.Errorf("writing the OpenAPI document: %w", err)
	}
	return out, nil
}

func title(models []*wire.Schema) string {
	if len(models) == 1 {
		return models[0].Name + " on Mizzen"
	}
	return "Models on Mizzen"
}

func description(models []*wire.Schema) string {
	var b strings.Builder
	for _, m := range models {
		sig := m.Signature
		class := sig.Class
		if sig.Final != "" && sig.Final != sig.Class {
			class += " ending in " + sig.Final
		}
		fmt.Fprintf(&b, "- **%s** (version %s): %s", markdown(m.Name), markdown(m.Version), class)
		if sig.Library != "" {
			fmt.Fprintf(&b, ", trained by %s", markdown(strings.TrimSpace(sig.Library+" "+sig.LibraryVersion)))
		}
		fmt.Fprintf(&b, ", `%s`\n", sig.Digest)
	}
	if b.Len() == 0 {
		return "No model is ready."
	}
	return b.String()
}

// markdown escapes text for a description: names come from files.
func markdown(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r < ' ' {
			r = ' '
		}
		if strings.ContainsRune("\\`*_{}[]()<>#|!&", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// builder collects the document.
type builder struct {
	server Server
	doc    document
	names  map[string]bool // prefixes of component names that are taken
}

// entry is one model, with the names that it has in the document.
type entry struct {
	*wire.Schema
	sig *model.Signature
	// path is the name as a part of a path; id makes names of components and
	// operations unique, and is empty if the model is the only one.
	path, id string
}

func (b *builder) model(m *wire.Schema) {
	e := &entry{Schema: m, sig: m.Signature, path: url.PathEscape(m.Name)}
	if len(b.server.Models) > 1 {
		e.id = b.unique(m.Name) + "_"
	}
	b.inputs(e)
	b.answers(e)
	b.native(e)
	b.v1(e)
	b.v2(e)
	if e.id == "" {
		b.invocations(e)
	}
}

// unique returns name with nothing in it that a component's name may not have,
// and not the same for two models.
func (b *builder) unique(name string) string {
	clean := strings.Map(func(r rune) rune {
		if r < 0x80 && (r == '.' || r == '-' || r >= '0' && r <= '9' || r|0x20 >= 'a' && r|0x20 <= 'z') {
			return r
		}
		return '_'
	}, name)
	out := clean
	for i := 2; b.names[out]; i++ {
		out = fmt.Sprintf("%s_%d", clean, i)
	}
	b.names[out] = true
	return out
}

// component names a schema of a model's own.
func (e *entry) component(name string) string { return e.id + name }

// ref refers to a shared schema, or with e.component to a model's own.
func ref(name string) schema { return schema{Ref: "#/components/schemas/" + name} }

func (b *builder) define(name string, s schema) { b.doc.Components.Schemas.add(name, s) }

func (b *builder) get(path string, op *operation) {
	b.doc.Paths.add(path, &pathItem{Get: op})
}

func (b *builder) post(path string, op *operation) {
	b.doc.Paths.add(path, &pathItem{Post: op})
}

// security says that calls need a key, and which do not.
func (b *builder) security() {
	b.doc.Components.SecuritySchemes = map[string]securityScheme{
		"bearer": {Type: "http", Scheme: "bearer", Description: "An API key of this server."},
		"header": {Type: "apiKey", In: "header", Name: "X-API-Key", Description: "An API key of this server."},
	}
	b.doc.Security = []map[string]scopes{{"bearer": {}}, {"header": {}}}
	for _, p := range b.doc.Paths.members {
		for _, op := range []*operation{p.value.Get, p.value.Post} {
			if op == nil {
				continue
			}
			if slices.Contains(b.server.Exempt, op.group) {
				op.Security = []map[string]scopes{{}}
			} else {
				op.Responses.add("401", refused("An API key is needed.", "an API key is needed: send it as Authorization: Bearer KEY or X-API-Key: KEY"))
			}
		}
	}
}

// body is a JSON body without examples.
func body(s schema) ordered[mediaType] {
	return object("application/json", mediaType{Schema: &s})
}

func number(n int) *int { return &n }
