package serve

import (
	"fmt"
	"net/http"
	"strings"

	"mizzen.dev/internal/config"
	"mizzen.dev/internal/nearest"
	"mizzen.dev/internal/wire"
)

// endpoint is what answers at a path. Either codec is set (inference) or serve.
type endpoint struct {
	methods []string // HEAD goes with GET
	group   string   // of package config; "" always needs a key

	serve func(w http.ResponseWriter, r *http.Request, at target) error

	codec     wire.Codec
	protocol  Protocol
	operation string
}

// target is what a path names.
type target struct{ model, version string }

// endpoints returns those of a path that names nothing. find knows the others.
func (h *handler) endpoints() map[string]*endpoint {
	return map[string]*endpoint{
		"/predict":     infer(Native, wire.Native{}, "POST /predict"),
		"/invocations": infer(Invocations, wire.Invocations{}, "POST /invocations"),

		"/healthz":         get(config.GroupProbes, h.healthz),
		"/readyz":          get(config.GroupProbes, h.readyz),
		"/ping":            get(config.GroupProbes, h.ping),
		"/v2/health/live":  get(config.GroupProbes, h.liveV2),
		"/v2/health/ready": get(config.GroupProbes, h.readyV2),
		"/metrics":         get(config.GroupMetrics, h.metrics()),

		"/":             get(config.GroupDocs, h.landing),
		"/version":      get(config.GroupDocs, h.version),
		"/openapi.json": get(config.GroupDocs, h.openapi),
		"/docs":         get(config.GroupDocs, h.docs()),

		"/v1/models":           get(config.GroupMetadata, h.listModels),
		"/v2":                  get(config.GroupMetadata, h.serverMetadata),
		"/v2/models":           get(config.GroupMetadata, h.listModels),
		"/v2/repository/index": {methods: []string{http.MethodPost, http.MethodGet}, group: config.GroupMetadata, serve: h.repositoryIndex},
	}
}

func get(group string, serve func(http.ResponseWriter, *http.Request, target) error) *endpoint {
	return &endpoint{methods: []string{http.MethodGet}, group: group, serve: serve}
}

func infer(p Protocol, codec wire.Codec, operation string) *endpoint {
	return &endpoint{methods: []string{http.MethodPost}, protocol: p, codec: codec, operation: operation}
}

func (e *endpoint) allows(method string) bool {
	for _, m := range e.methods {
		if m == method || m == http.MethodGet && method == http.MethodHead {
			return true
		}
	}
	return false
}

// allow is the value of the Allow header.
func (e *endpoint) allow() string {
	all := strings.Join(e.methods, ", ")
	if e.allows(http.MethodHead) {
		all += ", " + http.MethodHead
	}
	return all
}

// find returns what answers at a path, and what the path names; nil if nothing
// does. It allocates nothing.
func (h *handler) find(path string) (*endpoint, target) {
	if e, ok := h.exact[path]; ok {
		return e, target{}
	}
	for _, p := range prefixes {
		if rest, ok := strings.CutPrefix(path, p.path); ok {
			if kind, at, ok := p.parse(strings.TrimSuffix(rest, "/")); ok {
				return h.named[kind], at
			}
		}
	}
	if trimmed, ok := strings.CutSuffix(path, "/"); ok {
		if e, ok := h.exact[trimmed]; ok {
			return e, target{}
		}
	}
	return nil, target{}
}

// kind is a form of path that names a model.
type kind uint8

const (
	nativePredict kind = iota
	predictV1
	modelV1
	modelV2
	readyModelV2
	inferV2
	loadModel
	unloadModel
	docsFile
	numKinds = iota
)

// namedEndpoints are those of paths that name a model.
func (h *handler) namedEndpoints() [numKinds]*endpoint {
	return [numKinds]*endpoint{
		nativePredict: infer(Native, wire.Native{}, "POST /predict/{model}"),
		predictV1:     infer(V1, wire.V1{}, "POST /v1/models/{model}:predict"),
		inferV2:       infer(V2, wire.V2{}, "POST /v2/models/{model}/infer"),
		modelV1:       get(config.GroupMetadata, h.modelV1),
		modelV2:       get(config.GroupMetadata, h.modelV2),
		readyModelV2:  get(config.GroupMetadata, h.readyModelV2),
		loadModel:     {methods: []string{http.MethodPost}, serve: h.load},
		unloadModel:   {methods: []string{http.MethodPost}, serve: h.unload},
		docsFile:      get(config.GroupDocs, h.docs()),
	}
}

// prefixes are the forms of paths that name a model, by how they start.
var prefixes = []struct {
	path  string
	parse func(rest string) (kind, target, bool)
}{
	{"/predict/", parseNative},
	{"/v2/models/", parseV2},
	{"/v1/models/", parseV1},
	{"/v2/repository/models/", parseRepository},
	{"/docs/", func(string) (kind, target, bool) { return docsFile, target{}, true }},
}

// parseNative reads MODEL or MODEL/versions/VERSION.
func parseNative(rest string) (kind, target, bool) {
	at, rest, ok := parseModel(rest)
	return nativePredict, at, ok && rest == ""
}

// parseV1 reads MODEL, MODEL:predict and both with /versions/VERSION.
func parseV1(rest string) (kind, target, bool) {
	k := modelV1
	if i := strings.LastIndexByte(rest, ':'); i >= 0 {
		if rest[i:] != ":predict" {
			return 0, target{}, false
		}
		k, rest = predictV1, rest[:i]
	}
	at, rest, ok := parseModel(rest)
	return k, at, ok && rest == ""
}

// parseV2 reads MODEL[/versions/VERSION][/infer|/ready].
func parseV2(rest string) (kind, target, bool) {
	at, rest, ok := parseModel(rest)
	if !ok {
		return 0, target{}, false
	}
	switch rest {
	case "":
		return modelV2, at, true
	case "infer":
		return inferV2, at, true
	case "ready":
		return readyModelV2, at, true
	}
	return 0, target{}, false
}

// parseRepository reads MODEL/load and MODEL/unload.
func parseRepository(rest string) (kind, target, bool) {
	name, verb, _ := strings.Cut(rest, "/")
	switch verb {
	case "load":
		return loadModel, target{model: name}, name != ""
	case "unload":
		return unloadModel, target{model: name}, name != ""
	}
	return 0, target{}, false
}

// parseModel reads MODEL[/versions/VERSION][/REST].
func parseModel(path string) (at target, rest string, ok bool) {
	at.model, rest, _ = strings.Cut(path, "/")
	if v, found := strings.CutPrefix(rest, "versions/"); found {
		at.version, rest, _ = strings.Cut(v, "/")
		if at.version == "" {
			return at, rest, false
		}
	}
	return at, rest, at.model != ""
}

// wrongMethod says which methods there are.
func (h *handler) wrongMethod(w http.ResponseWriter, r *http.Request, e *endpoint) {
	w.Header().Set("Allow", e.allow())
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	reason := fmt.Sprintf("%s is not possible here: use %s", r.Method, e.allow())
	if e.codec != nil {
		h.core.Metrics.unnamed.count(e.protocol, http.StatusMethodNotAllowed)
		reason += ` with a JSON body; GET /docs shows how`
	}
	h.fail(w, r, &wire.Error{Status: http.StatusMethodNotAllowed, Reason: reason})
}

// unknownPath explains a path at which there is nothing.
func (h *handler) unknownPath(r *http.Request) error {
	paths := []string{"/v1/models/MODEL:predict", "/v2/models/MODEL/infer"}
	for p := range h.exact {
		paths = append(paths, p)
	}
	hint := nearest.DidYouMean(r.URL.Path, paths)
	if hint == "" {
		hint = "; POST /predict predicts, GET /docs lists all paths"
	}
	path := r.URL.Path
	if len(path) > maxShownPath {
		path = path[:maxShownPath] + "…"
	}
	return &wire.Error{Status: http.StatusNotFound, Reason: fmt.Sprintf("there is nothing at %q%s", path, hint)}
}

// maxShownPath bounds what an error repeats of a path.
const maxShownPath = 100
