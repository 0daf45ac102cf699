package serve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"mizzen.dev/internal/config"
	"mizzen.dev/internal/store"
	"mizzen.dev/internal/wire"
	"mizzen.dev/model"
)

// loader keeps the registry in step with the files: load, verify, warm, swap. A
// file that cannot be loaded leaves what is served as it is.
type loader struct {
	core    *Core
	log     *slog.Logger
	private string // a directory of our own for what is fetched; "" if there is none

	mu       sync.Mutex // one change at a time
	files    map[id]*file
	unloaded map[string]bool // models that were unloaded on request
	failed   bool            // the directory could not be read the last time
}

type id struct{ name, version string }

// file is what the loader remembers of a model version.
type file struct {
	// tried is the state of the file that was loaded last, or failed to.
	tried fingerprint
	// seen is its state at the last look: a file that still changes is not
	// complete, and is waited for.
	seen fingerprint
	// gone is true if it was not there at the last look.
	gone bool
}

func newLoader(c *Core) *loader {
	return &loader{core: c, log: c.Log, files: map[id]*file{}, unloaded: map[string]bool{}}
}

// why says what made the loader look at the files.
type why uint8

const (
	starting  why = iota
	polling       // what has changed, and has settled
	requested     // all, at once
)

// start loads everything for the first time. It fails if nothing can be served.
func (l *loader) start(ctx context.Context) error {
	if err := l.fetch(ctx); err != nil {
		return err
	}
	places, err := l.places()
	if err != nil {
		return err
	}
	if len(places) == 0 {
		return &NoModelError{Path: l.core.Config.Path}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	first := l.sync(ctx, places, starting)
	for _, s := range l.core.Registry.List() {
		if s.State == StateReady {
			return nil
		}
	}
	return first
}

// poll loads what has changed and has settled since.
func (l *loader) poll(ctx context.Context) {
	l.mu.Lock()
	defer l.mu.Unlock()
	places, err := l.places()
	if err != nil {
		if !l.failed { // once, and not at every look
			l.log.Error("cannot look for models; what is loaded stays", "error", err)
		}
		l.failed = true
		return
	}
	l.failed = false
	_ = l.sync(ctx, places, polling) // it is logged, and the former models go on answering
}

// reload looks at all files at once, and fetches the one that comes from a URL.
func (l *loader) reload(ctx context.Context) error {
	if err := l.fetch(ctx); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	places, err := l.places()
	if err != nil {
		return err
	}
	return l.sync(ctx, places, requested)
}

// load loads one model, all its versions, on request.
func (l *loader) load(ctx context.Context, name string) error {
	if err := l.fetch(ctx); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	places, err := l.places()
	if err != nil {
		return err
	}
	var known []string
	for _, p := range places {
		known = append(known, p.name)
	}
	if !slices.Contains(known, name) {
		return &UnknownModelError{Name: name, Known: slices.Compact(slices.Sorted(slices.Values(known)))}
	}
	if l.unloaded[name] {
		delete(l.unloaded, name)
		for _, p := range places {
			if p.name == name {
				delete(l.files, id{p.name, p.version})
			}
		}
	}
	places = slices.DeleteFunc(places, func(p place) bool { return p.name != name })
	var errs []error
	for _, p := range places {
		errs = append(errs, l.refresh(ctx, p, requested))
	}
	return errors.Join(errs...)
}

// unload stops serving a model on request, until a load is requested.
func (l *loader) unload(name string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	versions := l.core.Registry.Versions(name)
	if versions == nil {
		_, err := l.core.Registry.Get(name, "")
		return err
	}
	l.unloaded[name] = true
	for _, s := range versions {
		l.core.Registry.Unload(name, s.Version, "unloaded on request")
		l.core.Metrics.unloaded(name, s.Version)
		l.log.Info("unloaded", "model", name, "model_version", s.Version)
	}
	l.core.changed.notify()
	return nil
}

// fetch brings the file of MODEL_URL, if there is one.
func (l *loader) fetch(ctx context.Context) error {
	c := l.core.Config
	if c.URL == "" {
		return nil
	}
	start := time.Now()
	result, err := store.Fetch(ctx, store.Request{
		URI: c.URL, Path: l.path(), Digest: c.Digest, MaxBytes: c.Limits.WithDefaults().Bytes, Timeout: c.Download.Timeout,
		Options: store.Options{Credentials: c.Download.Credentials, Anonymous: c.Download.Anonymous, PlainHTTP: c.Download.PlainHTTP, Log: l.log},
	})
	if err != nil {
		if _, statErr := os.Stat(l.path()); statErr == nil {
			l.log.Error("cannot fetch the model; the file that is there stays", "path", l.path(), "error", err)
			return nil
		}
		return err
	}
	l.log.Info("fetched", "path", l.path(), "digest", result.Digest, "size", result.Bytes, "there_already", !result.Fetched, "duration", time.Since(start))
	return nil
}

// path is the file or directory that is served.
func (l *loader) path() string {
	c := l.core.Config
	if c.Path != "" && !l.into() {
		return c.Path
	}
	return filepath.Join(cmp.Or(c.Path, c.Download.Dir, l.private), filepath.Base(store.Path(c.URL)))
}

// into reports whether what is fetched goes into the directory that is configured
// as the model's place, as a volume at /models is.
func (l *loader) into() bool {
	c := l.core.Config
	if c.URL == "" || c.Path == "" {
		return false
	}
	info, err := os.Stat(c.Path)
	return err == nil && info.IsDir() || os.IsPathSeparator(c.Path[len(c.Path)-1])
}

// makePrivate makes a directory for what is fetched, if none is configured.
// Others must not be able to put a file there.
func (l *loader) makePrivate() error {
	c := l.core.Config
	if c.URL == "" || c.Path != "" || c.Download.Dir != "" {
		return nil
	}
	dir, err := os.MkdirTemp("", "mizzen-")
	if err != nil {
		return &store.VolumeError{Path: filepath.Join(os.TempDir(), "mizzen-…"), Setting: "--download-dir (MIZZEN_DOWNLOAD_DIR)", Err: err}
	}
	l.private = dir
	return nil
}

// clean removes what was fetched to a directory of our own.
func (l *loader) clean() {
	if l.private != "" {
		_ = os.RemoveAll(l.private)
	}
}

// places returns where all models are.
func (l *loader) places() ([]place, error) {
	c := l.core.Config
	path := l.path()
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		places, err := find(path, c.Version)
		if err != nil {
			return nil, err
		}
		return configured(places, c)
	}
	name := c.Name
	if name == "" {
		name = ModelName(path)
		if c.URL != "" && (c.Path == "" || l.into()) {
			name = urlName(c.URL)
		}
	}
	return []place{{name: name, version: c.Version, path: path, warmup: c.Warmup}}, nil
}

// configured gives the one model of a directory the name and the warm-up file of
// the configuration; several it leaves as they are, or refuses if that cannot be
// what was meant.
func configured(places []place, c *config.Config) ([]place, error) {
	setting := "--name"
	if c.Name == "" {
		setting = "--warmup"
	}
	for _, p := range places {
		if p.name != places[0].name && (c.Name != "" || c.Warmup != "") {
			return nil, fmt.Errorf("%s is for one model, but %s holds several: %s and %s", setting, c.Path, places[0].name, p.name)
		}
	}
	for i := range places {
		places[i].name = cmp.Or(c.Name, places[i].name)
		places[i].warmup = cmp.Or(c.Warmup, places[i].warmup)
	}
	return distinct(places), nil
}

// sync brings the registry in step with the places. It returns the first error;
// all are logged. The caller holds the lock.
func (l *loader) sync(ctx context.Context, places []place, w why) error {
	errs := make([]error, len(places))
	if w == starting {
		// Many models are read on all processors; each is in the registry before,
		// so that a call that comes early is told to come back.
		for _, p := range places {
			l.core.Registry.Loading(p.name, p.version)
			l.files[id{p.name, p.version}] = &file{}
		}
		l.parallel(places, func(i int, p place) { errs[i] = l.refresh(ctx, p, w) })
	} else {
		for i, p := range places {
			errs[i] = l.refresh(ctx, p, w)
		}
		l.forget(places, w)
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) parallel(places []place, work func(int, place)) {
	var group sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, p := range places {
		slots <- struct{}{}
		group.Go(func() {
			work(i, p)
			<-slots
		})
	}
	group.Wait()
}

// refresh loads a version if its file is not the one that was tried last.
func (l *loader) refresh(ctx context.Context, p place, w why) error {
	if l.unloaded[p.name] {
		return nil
	}
	key := id{p.name, p.version}
	f := l.files[key]
	if f == nil {
		f = &file{}
		l.files[key] = f
	}
	f.gone = false
	print, err := fingerprintOf(p.path)
	if err != nil && p.err == nil {
		p.err = err
	}
	if w == polling {
		settled := print == f.seen
		f.seen = print
		if !settled || print == f.tried {
			return nil
		}
	}
	if l.same(p) {
		f.seen, f.tried = print, print
		return nil
	}
	if w != starting {
		l.log.Info("reloading", "model", p.name, "model_version", p.version, "path", p.path)
	}
	f.seen, f.tried = print, print
	start := time.Now()
	served, err := l.open(ctx, p)
	if err == nil && w != starting {
		if now, statErr := fingerprintOf(p.path); statErr != nil || now != print {
			f.tried = fingerprint{} // it was written while it was read: look again
			return nil
		}
	}
	if err != nil {
		l.fail(p, err)
		return err
	}
	took := time.Since(start)
	former, _ := l.core.Registry.Get(p.name, p.version)
	l.core.Registry.Put(served)
	l.core.Metrics.loaded(served, former, took)
	l.core.changed.notify()
	sig := served.Model.Signature()
	l.log.Info("loaded", "model", p.name, "model_version", p.version, "class", sig.Class, "digest", sig.Digest,
		"size", sig.Size, "duration", took, "path", p.path)
	return nil
}

// same reports whether the file holds what is served already: it was touched, or
// replaced by its like, or changed back. An old complaint is then settled.
func (l *loader) same(p place) bool {
	current, err := l.core.Registry.Get(p.name, p.version)
	if err != nil || p.err != nil {
		return false
	}
	digest, err := store.Digest(p.path)
	if err != nil || digest != current.Model.Signature().Digest {
		return false
	}
	l.core.Registry.Put(current) // without the complaint
	return true
}

// fail records that a version could not be loaded.
func (l *loader) fail(p place, err error) {
	l.core.Registry.Fail(p.name, p.version, err)
	l.core.Metrics.failed(p.name, p.version)
	l.core.changed.notify()
	message := "cannot load the model"
	if s, getErr := l.core.Registry.Get(p.name, p.version); getErr == nil && s != nil {
		message = "cannot load the new model; the former one stays"
	}
	l.log.Error(message, "model", p.name, "model_version", p.version, "path", p.path, "error", err)
}

// forget unloads the versions whose files are gone: at once if that was asked
// for, else if they were gone at the last look, too. One model in a file of its
// own stays: whoever replaces it in two steps means no harm.
func (l *loader) forget(places []place, w why) {
	there := map[id]bool{}
	for _, p := range places {
		there[id{p.name, p.version}] = true
	}
	for key, f := range l.files {
		if there[key] {
			continue
		}
		if !f.gone && w == polling {
			f.gone = true
			continue
		}
		delete(l.files, key)
		l.core.Registry.Remove(key.name, key.version)
		l.core.Metrics.unloaded(key.name, key.version)
		l.core.changed.notify()
		l.log.Info("removed", "model", key.name, "model_version", key.version)
	}
}

// open loads a version and warms it up.
func (l *loader) open(ctx context.Context, p place) (*Served, error) {
	if p.err != nil {
		return nil, p.err
	}
	c := l.core.Config
	m, err := model.Open(ctx, p.path, model.Options{Select: c.Select, Limits: c.Limits, Digest: c.Digest})
	if err != nil {
		return nil, err
	}
	schema := wire.NewSchema(p.name, p.version, m.Signature(), wire.Limits{Rows: c.MaxRows, Elements: c.MaxValues, Depth: c.MaxJSONDepth})
	s := &Served{Name: p.name, Version: p.version, Model: m, Schema: schema}
	start := time.Now()
	calls, err := warm(ctx, s, p.warmup)
	if err != nil {
		return nil, fmt.Errorf("warming up: %w", err)
	}
	s.metrics = l.core.Metrics.served(p.name, p.version, m.Signature()) // not before: a bad file leaves no series
	l.log.Info("warm", "model", p.name, "model_version", p.version, "calls", calls, "duration", time.Since(start))
	return s, nil
}

// urlName returns the name of the model at a URL: of a file called model.*, the
// path element before it.
func urlName(raw string) string {
	return ModelName(store.Path(raw))
}
