package serve

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

// State is what a model version is doing, by the names of the V2 repository
// extension.
type State string

// The states of a model version.
const (
	StateLoading     State = "LOADING"
	StateReady       State = "READY"
	StateUnavailable State = "UNAVAILABLE"
)

// Status is what the registry knows of one version of a model.
type Status struct {
	Name, Version string
	State         State
	// Reason says why the version is unavailable, or why its last reload failed
	// while the former content is still served.
	Reason string
	// Default is true for the version that answers when none is named.
	Default bool
	// Served is set when the state is READY.
	Served *Served
}

// Registry holds the model versions that are served. Reading it takes no lock:
// a change makes a new table and swaps it in, so that a request sees either the
// old model or the new one, whole.
type Registry struct {
	table atomic.Pointer[table]
	mu    sync.Mutex // serialises changes
}

// table is immutable.
type table struct {
	models map[string]*versions
	// only is what answers when no model is named; nil if nothing does, or
	// several could.
	only *Served
}

// versions are those of one model, by version.
type versions struct {
	all map[string]Status
	// latest is the highest version that is ready; nil if none is.
	latest *Served
}

// NewRegistry returns an empty registry.
func NewRegistry() *Registry {
	r := &Registry{}
	r.table.Store(&table{models: map[string]*versions{}})
	return r
}

// Get returns a model version that is ready. An empty name means the one model
// that is served, an empty version the highest that is ready. Errors are
// *UnknownModelError and *NotReadyError.
func (r *Registry) Get(name, version string) (*Served, error) {
	t := r.table.Load()
	if name == "" {
		if t.only != nil && (version == "" || version == t.only.Version) {
			return t.only, nil
		}
		if name = t.onlyName(); name == "" {
			if len(t.models) == 0 {
				return nil, &NotReadyError{State: StateLoading}
			}
			return nil, &UnknownModelError{Known: t.nameable()}
		}
	}
	v, ok := t.models[name]
	if !ok {
		return nil, &UnknownModelError{Name: name, Known: t.names()}
	}
	if version == "" {
		if v.latest == nil {
			return nil, v.notReady(name)
		}
		return v.latest, nil
	}
	s, ok := v.all[version]
	if !ok {
		return nil, &UnknownModelError{Name: name, Version: version, Known: v.numbers()}
	}
	if s.Served == nil {
		return nil, &NotReadyError{Name: name, Version: version, State: s.State, Reason: s.Reason}
	}
	return s.Served, nil
}

// List returns all versions of all models, by name and ascending version.
func (r *Registry) List() []Status {
	t := r.table.Load()
	var out []Status
	for _, name := range t.names() {
		out = append(out, t.models[name].list()...)
	}
	return out
}

// Versions returns the versions of one model, ascending; nil if it is unknown.
func (r *Registry) Versions(name string) []Status {
	if v, ok := r.table.Load().models[name]; ok {
		return v.list()
	}
	return nil
}

// Put makes a version answer, in place of what had its name and version before.
func (r *Registry) Put(s *Served) {
	r.change(func(models map[string]map[string]Status) {
		set(models, Status{Name: s.Name, Version: s.Version, State: StateReady, Served: s})
	})
}

// Loading announces a version; one that answers already goes on doing so.
func (r *Registry) Loading(name, version string) {
	r.change(func(models map[string]map[string]Status) {
		if models[name][version].Served == nil {
			set(models, Status{Name: name, Version: version, State: StateLoading})
		}
	})
}

// Fail records why a version could not be loaded; one that answers already goes
// on doing so.
func (r *Registry) Fail(name, version string, err error) {
	r.change(func(models map[string]map[string]Status) {
		s := models[name][version]
		if s.Served == nil {
			s = Status{Name: name, Version: version, State: StateUnavailable}
		}
		s.Reason = err.Error()
		set(models, s)
	})
}

// Unload makes a version stop answering, but keeps it in the list with a reason.
func (r *Registry) Unload(name, version, reason string) {
	r.change(func(models map[string]map[string]Status) {
		set(models, Status{Name: name, Version: version, State: StateUnavailable, Reason: reason})
	})
}

// Remove forgets a version.
func (r *Registry) Remove(name, version string) {
	r.change(func(models map[string]map[string]Status) {
		delete(models[name], version)
		if len(models[name]) == 0 {
			delete(models, name)
		}
	})
}

func set(models map[string]map[string]Status, s Status) {
	if models[s.Name] == nil {
		models[s.Name] = map[string]Status{}
	}
	models[s.Name][s.Version] = s
}

// change applies a change to a copy of the table and swaps it in.
func (r *Registry) change(apply func(map[string]map[string]Status)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	models := map[string]map[string]Status{}
	for name, v := range r.table.Load().models {
		models[name] = maps.Clone(v.all)
	}
	apply(models)
	next := &table{models: make(map[string]*versions, len(models))}
	for name, all := range models {
		next.models[name] = newVersions(all)
	}
	if name := next.onlyName(); name != "" {
		next.only = next.models[name].latest
	}
	r.table.Store(next)
}

func newVersions(all map[string]Status) *versions {
	v := &versions{all: all}
	for _, s := range all {
		if s.Served != nil && (v.latest == nil || CompareVersions(s.Version, v.latest.Version) > 0) {
			v.latest = s.Served
		}
	}
	for key, s := range all {
		s.Default = s.Served != nil && s.Served == v.latest
		all[key] = s
	}
	return v
}

// onlyName returns the name of the model that is meant when none is named: the
// one there is, or the only one that is not unavailable: a broken model beside a
// good one does not take the good one's callers away. It is "" if several could be
// meant.
func (t *table) onlyName() string {
	only := ""
	for name, v := range t.models {
		if len(t.models) > 1 && v.unavailable() {
			continue
		}
		if only != "" {
			return ""
		}
		only = name
	}
	return only
}

// nameable returns the models that a caller could name and get an answer from; all
// if there are none.
func (t *table) nameable() []string {
	names := slices.DeleteFunc(t.names(), func(name string) bool { return t.models[name].unavailable() })
	if len(names) == 0 {
		return t.names()
	}
	return names
}

// unavailable reports whether no version answers, or will in a moment.
func (v *versions) unavailable() bool {
	for _, s := range v.all {
		if s.State != StateUnavailable {
			return false
		}
	}
	return true
}

func (t *table) names() []string { return slices.Sorted(maps.Keys(t.models)) }

func (v *versions) numbers() []string {
	return slices.SortedFunc(maps.Keys(v.all), CompareVersions)
}

func (v *versions) list() []Status {
	out := make([]Status, 0, len(v.all))
	for _, number := range v.numbers() {
		out = append(out, v.all[number])
	}
	return out
}

// notReady explains why no version of a model answers.
func (v *versions) notReady(name string) error {
	err := &NotReadyError{Name: name, State: StateUnavailable}
	for _, s := range v.list() {
		if s.State == StateLoading {
			return &NotReadyError{Name: name, State: StateLoading}
		}
		err.Reason = s.Reason
	}
	return err
}
