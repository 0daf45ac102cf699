package operator

import (
	"crypto/sha256"
	"encoding/json"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/operator/ownership"
)

// memory is what the operator remembers of its own writes. Losing it costs at most a
// write that changes nothing.
type memory struct {
	mu     sync.Mutex
	models map[types.NamespacedName]map[id]written
	// reports are the Models as the operator last wrote their status.
	reports map[types.NamespacedName]*v1alpha1.Model
	// pending is since when there has been something to tell of a Model that was not written.
	pending map[types.NamespacedName]time.Time
}

type written struct {
	uid types.UID
	// version is what the object became by the write. A cache that is behind it tells
	// of the past.
	version string
	// desired is a hash of what was applied.
	desired [sha256.Size]byte
	// settled are the differences that the API server's answer still had: what it makes
	// of the object is its own will, and asking again would not change it.
	settled map[string]bool
}

func newMemory() *memory {
	return &memory{models: map[types.NamespacedName]map[id]written{}, reports: map[types.NamespacedName]*v1alpha1.Model{},
		pending: map[types.NamespacedName]time.Time{}}
}

// reported remembers a Model whose status was written.
func (m *memory) reported(model *v1alpha1.Model) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reports[client.ObjectKeyFromObject(model)] = &v1alpha1.Model{ObjectMeta: metav1.ObjectMeta{UID: model.UID,
		ResourceVersion: model.ResourceVersion}, Status: *model.Status.DeepCopy()}
	delete(m.pending, client.ObjectKeyFromObject(model))
}

// untold remembers that there is something to tell of a Model that is not written now,
// and returns since when.
func (m *memory) untold(model types.NamespacedName, now time.Time) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	since, ok := m.pending[model]
	if !ok {
		since = now
		m.pending[model] = since
	}
	return since
}

// told remembers that the status of a Model says all.
func (m *memory) told(model types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.pending, model)
}

// recall gives a Model from a cache that is behind the status that was written. A cache
// that has caught up is the better witness.
func (m *memory) recall(model *v1alpha1.Model) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := client.ObjectKeyFromObject(model)
	last := m.reports[key]
	if last == nil {
		return
	}
	if last.UID == model.UID && older(model.ResourceVersion, last.ResourceVersion) {
		last.Status.DeepCopyInto(&model.Status)
		return
	}
	delete(m.reports, key)
}

// older says whether one version of an object came before another.
func older(version, than string) bool {
	order, err := resourceversion.CompareResourceVersion(version, than)
	return err == nil && order < 0
}

func (m *memory) forget(model types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.models, model)
	delete(m.reports, model)
	delete(m.pending, model)
}

func (m *memory) get(model types.NamespacedName, i id) (written, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	w, ok := m.models[model][i]
	return w, ok
}

// wrote remembers that desired was applied, and what came of it.
func (m *memory) wrote(model types.NamespacedName, desired, answer *unstructured.Unstructured) error {
	w := written{uid: answer.GetUID(), version: answer.GetResourceVersion(), desired: hashOf(desired)}
	left, err := ownership.Compare(desired, answer, FieldManager)
	if err != nil {
		return err
	}
	for _, d := range left {
		if w.settled == nil {
			w.settled = map[string]bool{}
		}
		w.settled[d.Path] = true
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.models[model] == nil {
		m.models[model] = map[id]written{}
	}
	m.models[model][idOf(desired)] = w
	return nil
}

// behind says whether an object that was read is older than what was written.
func (w *written) behind(live *unstructured.Unstructured) bool {
	return w.uid == live.GetUID() && older(live.GetResourceVersion(), w.version)
}

// unsettled leaves out the differences that an earlier apply of the same could not
// remove.
func (w *written) unsettled(live, desired *unstructured.Unstructured, found []ownership.Difference) []ownership.Difference {
	if w.uid != live.GetUID() || w.desired != hashOf(desired) {
		return found
	}
	var left []ownership.Difference
	for _, d := range found {
		if !w.settled[d.Path] {
			left = append(left, d)
		}
	}
	return left
}

// hashOf is over an object as JSON, whose keys are sorted.
func hashOf(o *unstructured.Unstructured) [sha256.Size]byte {
	raw, err := json.Marshal(o.Object)
	if err != nil { // it came from JSON
		panic(err)
	}
	return sha256.Sum256(raw)
}
