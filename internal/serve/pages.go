package serve

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"

	"mizzen.dev/internal/openapi"
	"mizzen.dev/internal/version"
	"mizzen.dev/internal/wire"
)

func (h *handler) healthz(w http.ResponseWriter, _ *http.Request, _ target) error {
	writeJSON(w, http.StatusOK, []byte(`{"status":"live"}`))
	return nil
}

func (h *handler) readyz(w http.ResponseWriter, _ *http.Request, _ target) error {
	if err := h.core.Ready(); err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, []byte(`{"status":"ready"}`))
	return nil
}

// ping is how SageMaker and MLflow ask for health.
func (h *handler) ping(w http.ResponseWriter, _ *http.Request, _ target) error {
	if err := h.core.Ready(); err != nil {
		return err
	}
	return writeText(w, "\n")
}

func (h *handler) version(w http.ResponseWriter, _ *http.Request, _ target) error {
	return writeText(w, version.Get().Version+"\n")
}

func writeText(w http.ResponseWriter, text string) error {
	w.Header()["Content-Type"] = typeText
	_, _ = w.Write([]byte(text))
	return nil
}

func (h *handler) metrics() func(http.ResponseWriter, *http.Request, target) error {
	return wrap(h.core.Metrics.handler())
}

func wrap(handler http.Handler) func(http.ResponseWriter, *http.Request, target) error {
	return func(w http.ResponseWriter, r *http.Request, _ target) error {
		handler.ServeHTTP(w, r)
		return nil
	}
}

// landing sends people to the documentation and tells programs where things are.
func (h *handler) landing(w http.ResponseWriter, r *http.Request, _ target) error {
	header := w.Header()
	header["Vary"] = append(header["Vary"], "Accept", "X-Forwarded-Prefix", "X-Envoy-Original-Path")
	prefix := forwardedPrefix(r)
	if strings.Contains(r.Header.Get("Accept"), "text/html") {
		docs := "docs/" // relative: a proxy may have taken a prefix off the path
		if prefix != "" {
			docs = prefix + "/docs/"
		}
		header.Set("Location", docs)
		w.WriteHeader(http.StatusFound)
		return nil
	}
	names, _ := h.names()
	return writeValue(w, struct {
		Status  string   `json:"status"` // what KServe's V1 client looks for
		Server  string   `json:"server"`
		Version string   `json:"version"`
		Models  []string `json:"models"`
		Predict string   `json:"predict"`
		Docs    string   `json:"docs"`
		OpenAPI string   `json:"openapi"`
	}{"alive", wire.ServerName, version.Get().Version, names, prefix + "/predict", prefix + "/docs/", prefix + "/openapi.json"})
}

func writeValue(w http.ResponseWriter, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, body)
	return nil
}

// docs returns the handler of the interactive page, which is made when somebody
// first asks for it.
func (h *handler) docs() func(http.ResponseWriter, *http.Request, target) error {
	page := sync.OnceValues(openapi.Docs)
	return func(w http.ResponseWriter, r *http.Request, _ target) error {
		handler, err := page()
		if err != nil {
			return err
		}
		handler.ServeHTTP(w, r)
		return nil
	}
}

// document is the OpenAPI document of what is served.
type document struct {
	mu   sync.Mutex
	of   *table // of which it was made
	data []byte
}

// openapi answers with the document, which is made when it is first asked for
// and again when the registry has changed.
func (h *handler) openapi(w http.ResponseWriter, _ *http.Request, _ target) error {
	data, err := h.doc.get(h.core)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-cache")
	writeJSON(w, http.StatusOK, data)
	return nil
}

func (d *document) get(c *Core) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := c.Registry.table.Load()
	if d.of == now {
		return d.data, nil
	}
	server := openapi.Server{Version: version.Get().Version, Keys: c.keys != nil, Exempt: c.Config.AuthExempt, Load: c.Config.AllowLoad}
	for _, name := range now.names() {
		if latest := now.models[name].latest; latest != nil {
			server.Models = append(server.Models, latest.Schema)
		}
	}
	data, err := openapi.Document(server)
	if err != nil {
		return nil, err
	}
	d.of, d.data = now, data
	return data, nil
}
