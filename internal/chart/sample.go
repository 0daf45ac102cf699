package chart

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"mizzen.dev/internal/render"
)

// Bounds of how long a chart is learnt, and how it is checked.
const (
	maxRefinements = 64
	jointChecks    = 48
)

// refined is the group of the renderings between others.
const refined = -1

var semantic = regexp.MustCompile(`^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-.]+)?(\+[0-9A-Za-z-.]+)?$`)

// rendering is what the Model is under one assignment.
type rendering struct {
	at assignment
	// group is what was changed: the Model as it is, the Model with all variables at
	// their marks, or something else; changed is the one variable that is not so.
	group   int
	changed *variable
	objects []*unstructured.Unstructured
	texts   []render.Hashed
	result  *render.Result
}

func (m *maker) render(at assignment) (*rendering, error) {
	model := m.Model.DeepCopy()
	for _, v := range m.learner.variables {
		switch {
		case v.derived != nil:
			at[v] = v.derived.of(at)
		case at[v] != v.now:
			v.set(model, at[v])
		}
	}
	result, err := render.Render(render.Input{Model: model, Platform: m.Platform})
	if err != nil {
		return nil, err
	}
	if refused := result.Refusals(); len(refused) > 0 {
		return nil, refused[0]
	}
	return &rendering{at: at, objects: result.Objects, texts: result.Hashed, result: result}, nil
}

// everything that stands in the objects and is hashed, as one text.
func (r *rendering) everything() (string, error) {
	written, err := json.Marshal(contents(r.objects))
	var b strings.Builder
	b.Write(written)
	for _, hashed := range r.texts {
		b.WriteString(hashed.Text)
	}
	return b.String(), err
}

// learn returns the variables that change something and the objects as functions of
// them.
func (m *maker) learn() ([]*variable, []object, error) {
	first, err := m.render(assignment{})
	if err != nil {
		return nil, nil, err
	}
	m.url, m.image = first.result.URL, first.result.Image
	effective, err := first.result.ServerResources()
	if err != nil {
		return nil, nil, err
	}
	m.learner.variables = variables(m.Model, first.result.Image, effective, m.Platform)
	texts, err := first.everything()
	if err != nil {
		return nil, nil, err
	}
	setApart(m.learner.variables, texts)
	m.learner.namespace = m.learner.variables[0]
	if s := newStartup(m.Model, m.learner.variables); s != nil {
		m.learner.variables = append(m.learner.variables, &variable{kind: number, derived: s,
			action: fmt.Sprintf("(int64 (include %q .))", m.Model.Name+".startup")})
	}
	renderings, err := m.probe()
	if err != nil {
		return nil, nil, err
	}
	for range maxRefinements {
		objects, err := m.explain(renderings)
		var gap *gapError
		if errors.As(err, &gap) {
			between, err := m.render(gap.between())
			if err != nil {
				return nil, nil, err
			}
			between.group = refined
			renderings = append(renderings, between)
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		return m.effective(renderings), objects, m.check(objects)
	}
	return nil, nil, fmt.Errorf("the objects change in more than %d places", maxRefinements)
}

// probe renders the Model as it is, with each variable changed alone, with all of
// them changed, and with all but one.
func (m *maker) probe() ([]*rendering, error) {
	now, marked := assignment{}, assignment{}
	for _, v := range m.independent() {
		now[v], marked[v] = v.now, v.mark()
	}
	var renderings []*rendering
	add := func(group int, at assignment, changed *variable) error {
		r, err := m.render(at)
		if err != nil {
			return err
		}
		r.group, r.changed = group, changed
		renderings = append(renderings, r)
		return nil
	}
	for group, from := range []assignment{now, marked} {
		if err := add(group, maps.Clone(from), nil); err != nil {
			return nil, err
		}
		for _, v := range m.independent() {
			for _, probe := range append(slices.Clone(v.probes), v.now) {
				if probe == from[v] {
					continue
				}
				at := maps.Clone(from)
				at[v] = probe
				if err := add(group, at, v); err != nil {
					return nil, err
				}
			}
		}
	}
	return renderings, nil
}

// independent are the variables that can be set.
func (m *maker) independent() []*variable {
	return slices.DeleteFunc(slices.Clone(m.learner.variables), func(v *variable) bool { return v.derived != nil })
}

// between is an assignment in the middle of the gap.
func (g *gapError) between() assignment {
	at := maps.Clone(g.at)
	middle := g.low + (g.high-g.low)/2
	if s := g.variable.derived; s != nil {
		at[s.memory] = s.memoryFor(middle)
	} else {
		at[g.variable] = middle
	}
	return at
}

// explain learns the hashes, and then the objects.
func (m *maker) explain(renderings []*rendering) ([]object, error) {
	m.digests, m.learner.digests = nil, map[string]*digest{}
	for _, hashed := range renderings[0].texts {
		samples := make([]sample, len(renderings))
		for i, r := range renderings {
			samples[i] = sample{r, m.tokens(r, m.text(r, hashed.Name))}
		}
		if all := slices.ContainsFunc(samples, func(s sample) bool { return s.value != samples[0].value }); !all {
			continue // it stands in the objects as it is
		}
		e := m.learner.express(samples)
		if e == nil {
			return nil, &unexplainedError{"the text of " + hashed.Name}
		}
		d := &digest{hashed.Name, m.Model.Name + "." + hashed.Name, len(hashed.Hash), e}
		m.digests = append(m.digests, d)
		m.learner.digests[d.name] = d
	}
	return m.explainObjects(renderings)
}

// text that a hash of a rendering is over.
func (m *maker) text(r *rendering, name string) any {
	for _, hashed := range r.texts {
		if hashed.Name == name {
			return hashed.Text
		}
	}
	return absent
}

// tokens puts tokens where hashes of the rendering are.
func (m *maker) tokens(r *rendering, value any) any {
	switch v := value.(type) {
	case string:
		for _, hashed := range r.texts {
			if m.learner.digests[hashed.Name] != nil {
				v = strings.ReplaceAll(v, hashed.Hash, digestToken(hashed.Name))
			}
		}
		return v
	case []any:
		items := make([]any, len(v))
		for i := range v {
			items[i] = m.tokens(r, v[i])
		}
		return items
	case map[string]any:
		entries := make(map[string]any, len(v))
		for key, entry := range v {
			entries[key] = m.tokens(r, entry)
		}
		return entries
	}
	return value
}

// explainObjects learns each object, in the order in which they are applied.
func (m *maker) explainObjects(renderings []*rendering) ([]object, error) {
	var order []string
	byKey := make([]map[string]any, len(renderings))
	for i, r := range renderings {
		byKey[i] = map[string]any{}
		at := 0
		for _, o := range r.objects {
			content := m.tokens(r, o.Object)
			key := m.fileName(&unstructured.Unstructured{Object: content.(map[string]any)})
			byKey[i][key] = content
			if known := slices.Index(order, key); known >= 0 {
				at = known + 1
				continue
			}
			order = slices.Insert(order, at, key)
			at++
		}
	}
	var objects []object
	for _, key := range order {
		samples := make([]sample, len(renderings))
		for i, r := range renderings {
			samples[i] = sample{r, absent}
			if content, ok := byKey[i][key]; ok {
				samples[i].value = content
			}
		}
		n, err := m.learner.learn(strings.TrimSuffix(key, path.Ext(key)), samples, maxSplits)
		if err != nil {
			return nil, err
		}
		objects = append(objects, object{key, n})
	}
	return objects, nil
}

var notInFileNames = regexp.MustCompile(`[^a-z0-9]+`)

// fileName of an object: its kind, and what its name has besides that of the Model
// and hashes.
func (m *maker) fileName(o *unstructured.Unstructured) string {
	name := strings.ToLower(o.GetKind())
	rest := strings.Trim(notInFileNames.ReplaceAllString(strings.TrimPrefix(o.GetName(), m.Model.Name), "-"), "-")
	for _, d := range m.digests {
		rest = strings.TrimSuffix(strings.TrimSuffix(rest, d.name), "-")
	}
	if rest != "" {
		name += "-" + rest
	}
	return name + ".yaml"
}

// effective are the variables that change something: a threshold of an autoscaler
// that the platform does not have is no value.
func (m *maker) effective(renderings []*rendering) []*variable {
	var vars []*variable
	for _, v := range m.independent() {
		changes := slices.ContainsFunc(renderings, func(r *rendering) bool {
			return differOnlyIn(v, r.at, renderings[0].at) && !reflect.DeepEqual(r.objects, renderings[0].objects)
		})
		if changes || len(v.values) == 0 {
			vars = append(vars, v)
		}
	}
	return vars
}

func differOnlyIn(v *variable, a, b assignment) bool {
	for w, value := range a {
		if w.derived != nil {
			continue
		}
		if (w == v) == (value == b[w]) {
			return false
		}
	}
	return true
}

// check renders with many variables changed at once and compares with what was learnt.
func (m *maker) check(objects []object) error {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // it chooses examples, the same every time
	for range jointChecks {
		at := assignment{}
		for _, v := range m.independent() {
			candidates := append(slices.Clone(v.probes), v.now)
			at[v] = candidates[random.IntN(len(candidates))]
		}
		r, err := m.render(at)
		if err != nil {
			return err
		}
		var got []any
		for _, o := range objects {
			if value, ok := o.node.eval(at); ok {
				got = append(got, value)
			}
		}
		if place := firstDifference(got, contents(r.objects)); place != "" {
			return &unexplainedError{place}
		}
	}
	return nil
}

func contents(objects []*unstructured.Unstructured) []any {
	values := make([]any, len(objects))
	for i, o := range objects {
		values[i] = o.Object
	}
	return values
}

// firstDifference returns the path of a place where two values differ, "" if none.
func firstDifference(a, b any) string {
	if reflect.DeepEqual(a, b) {
		return ""
	}
	switch x := a.(type) {
	case map[string]any:
		if y, ok := b.(map[string]any); ok {
			for _, key := range sortedKeys(both(x, y)) {
				if place := firstDifference(x[key], y[key]); place != "" {
					return "." + key + place
				}
			}
		}
	case []any:
		if y, ok := b.([]any); ok && len(x) == len(y) {
			for i := range x {
				if place := firstDifference(x[i], y[i]); place != "" {
					return fmt.Sprintf("[%d]%s", i, place)
				}
			}
		}
	}
	return fmt.Sprintf(" (%v, not %v)", a, b)
}

// both has the keys of two maps.
func both(a, b map[string]any) map[string]any {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}
