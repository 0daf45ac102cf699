package serve

import (
	"encoding/json"
	"io"
	"net/http"

	"mizzen.dev/internal/version"
	"mizzen.dev/internal/wire"
)

// names returns the models that are known; ready are those that answer.
func (h *handler) names() (all, ready []string) {
	for _, s := range h.core.Registry.List() {
		if len(all) == 0 || all[len(all)-1] != s.Name {
			all = append(all, s.Name)
		}
		if s.Default {
			ready = append(ready, s.Name)
		}
	}
	return all, ready
}

// listModels answers GET /v1/models and GET /v2/models.
func (h *handler) listModels(w http.ResponseWriter, _ *http.Request, _ target) error {
	_, ready := h.names()
	writeJSON(w, http.StatusOK, wire.AppendModels(nil, ready))
	return nil
}

// findReady finds a model for those who ask whether it is ready, as KServe's probes
// do: while the server drains none is.
func (h *handler) findReady(at target) (*Served, error) {
	s, err := h.core.Find(at.model, at.version)
	if err == nil {
		err = h.core.Ready()
	}
	return s, err
}

func (h *handler) modelV1(w http.ResponseWriter, _ *http.Request, at target) error {
	s, err := h.findReady(at)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, wire.AppendReadyV1(nil, s.Name, true))
	return nil
}

func (h *handler) liveV2(w http.ResponseWriter, _ *http.Request, _ target) error {
	writeJSON(w, http.StatusOK, []byte(`{"live":true}`))
	return nil
}

func (h *handler) readyV2(w http.ResponseWriter, _ *http.Request, _ target) error {
	if err := h.core.Ready(); err != nil {
		errorHeaders(w.Header(), err)
		writeJSON(w, StatusOf(err), []byte(`{"ready":false}`))
		return nil
	}
	writeJSON(w, http.StatusOK, []byte(`{"ready":true}`))
	return nil
}

func (h *handler) serverMetadata(w http.ResponseWriter, _ *http.Request, _ target) error {
	writeJSON(w, http.StatusOK, wire.AppendServerMetadata(nil, version.Get().Version))
	return nil
}

func (h *handler) modelV2(w http.ResponseWriter, _ *http.Request, at target) error {
	s, err := h.core.Find(at.model, at.version)
	if err != nil {
		return err
	}
	metadata := s.Schema.Metadata()
	metadata.Versions = nil
	for _, v := range h.core.Registry.Versions(s.Name) {
		if v.State == StateReady {
			metadata.Versions = append(metadata.Versions, v.Version)
		}
	}
	return writeValue(w, metadata)
}

func (h *handler) readyModelV2(w http.ResponseWriter, _ *http.Request, at target) error {
	s, err := h.findReady(at)
	if err != nil {
		return err
	}
	return writeValue(w, struct {
		Name  string `json:"name"`
		Ready bool   `json:"ready"`
	}{s.Name, true})
}

// maxIndexBody bounds the body of a request for the index.
const maxIndexBody = 4 << 10

// repositoryIndex lists what is in the repository, also what could not be
// loaded, and why.
func (h *handler) repositoryIndex(w http.ResponseWriter, r *http.Request, _ target) error {
	var query struct {
		Ready bool `json:"ready"`
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxIndexBody))
	if err == nil && len(body) > 0 {
		err = json.Unmarshal(body, &query)
	}
	if err != nil {
		return &wire.Error{Status: http.StatusBadRequest, Reason: `the body must be empty or such as {"ready":true}`}
	}
	type entry struct {
		Name    string `json:"name"`
		Version string `json:"version"`
		State   State  `json:"state"`
		Reason  string `json:"reason"`
	}
	index := []entry{}
	for _, s := range h.core.Registry.List() {
		if s.State == StateReady || !query.Ready {
			index = append(index, entry{s.Name, s.Version, s.State, s.Reason})
		}
	}
	return writeValue(w, index)
}

// load answers POST /v2/repository/models/NAME/load.
func (h *handler) load(w http.ResponseWriter, r *http.Request, at target) error {
	if err := h.core.Load(r.Context(), credentials(r), at.model); err != nil {
		return loadError(err)
	}
	return writeValue(w, struct {
		Name string `json:"name"`
		Load bool   `json:"load"`
	}{at.model, true})
}

// unload answers POST /v2/repository/models/NAME/unload.
func (h *handler) unload(w http.ResponseWriter, r *http.Request, at target) error {
	if err := h.core.Unload(credentials(r), at.model); err != nil {
		return loadError(err)
	}
	return writeValue(w, struct {
		Name   string `json:"name"`
		Unload bool   `json:"unload"`
	}{at.model, true})
}

// loadError makes the reason why a file cannot be loaded one for the caller: it
// has shown that it may know.
func loadError(err error) error {
	if StatusOf(err) != http.StatusInternalServerError {
		return err
	}
	return &wire.Error{Status: http.StatusUnprocessableEntity, Reason: err.Error()}
}
