package chart

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// maxSplits bounds how many conditions one part of an object may depend on.
const maxSplits = 3

// assignment gives every variable a value: int64 or string.
type assignment map[*variable]any

// sample is what a place in the objects is under one assignment; absent if there is
// nothing.
type sample struct {
	*rendering
	value any
}

type nothing struct{}

// absent is the value of a place that is not there.
var absent any = nothing{}

// learner works out, from samples, how a place in the objects depends on the
// variables. It knows few forms and refuses what is none of them: what it returns is
// right for every sample.
type learner struct {
	namespace *variable
	variables []*variable
	digests   map[string]*digest
}

// unexplainedError says that a place changes in a way that no template is known for.
type unexplainedError struct{ path string }

func (e *unexplainedError) Error() string {
	return fmt.Sprintf("%s changes in a way that a template cannot follow", e.path)
}

// gapError asks for a sample between two values of a number, to find where the form
// changes.
type gapError struct {
	unexplainedError
	variable  *variable
	low, high int64
	at        assignment
}

// learn returns the node for a place, nil if it is absent in all samples.
func (l *learner) learn(path string, samples []sample, splits int) (node, error) {
	first := samples[0].value
	if !slices.ContainsFunc(samples, func(s sample) bool { return !reflect.DeepEqual(s.value, first) }) {
		if first == absent {
			return nil, nil
		}
		if s, ok := first.(string); ok && l.hasDigest(s) {
			return l.leafOf(path, samples, splits)
		}
		if !l.digestWithin(first) {
			return fixed{first}, nil
		}
	}
	switch {
	case all[map[string]any](samples):
		return l.learnMapping(path, samples, splits)
	case all[[]any](samples):
		n, err := l.learnSequence(path, samples, splits)
		if err == nil {
			return n, nil
		}
		if other, splitErr := l.split(path, samples, splits); splitErr == nil {
			return other, nil
		}
		return nil, err // it names the place
	case slices.ContainsFunc(samples, func(s sample) bool { return s.value == absent }):
		return l.split(path, samples, splits)
	}
	return l.leafOf(path, samples, splits)
}

func (l *learner) leafOf(path string, samples []sample, splits int) (node, error) {
	if e := l.express(samples); e != nil {
		return leaf{e}, nil
	}
	return l.split(path, samples, splits)
}

func all[T any](samples []sample) bool {
	return !slices.ContainsFunc(samples, func(s sample) bool { _, ok := s.value.(T); return !ok })
}

func (l *learner) learnMapping(path string, samples []sample, splits int) (node, error) {
	m := mapping{entries: map[string]node{}}
	samples, m.names = l.nameEntries(samples)
	for _, s := range samples {
		for key := range s.value.(map[string]any) {
			if _, done := m.entries[key]; done {
				continue
			}
			n, err := l.learn(path+"."+key, within(samples, key), splits)
			if err != nil {
				return nil, err
			}
			m.entries[key] = n
		}
	}
	return m, nil
}

// nameEntries gives entries whose names have the namespace in them one name in all
// samples.
func (l *learner) nameEntries(samples []sample) ([]sample, map[string]expression) {
	if sameKeys(samples) {
		return samples, nil
	}
	v := l.namespace
	token := digestToken("namespace")
	names := map[string]expression{}
	renamed := make([]sample, len(samples))
	for i, s := range samples {
		entries := map[string]any{}
		for key, value := range s.value.(map[string]any) {
			everywhere := !slices.ContainsFunc(samples, func(o sample) bool { _, ok := o.value.(map[string]any)[key]; return !ok })
			if general := strings.ReplaceAll(key, s.at[v].(string), token); !everywhere && general != key {
				names[general] = text{replace([]expression{constant{general}}, token, reference{v})}
				key = general
			}
			entries[key] = value
		}
		renamed[i] = sample{s.rendering, entries}
	}
	return renamed, names
}

func sameKeys(samples []sample) bool {
	first := samples[0].value.(map[string]any)
	return !slices.ContainsFunc(samples, func(s sample) bool {
		entries := s.value.(map[string]any)
		for key := range entries {
			if _, ok := first[key]; !ok {
				return true
			}
		}
		return len(entries) != len(first)
	})
}

// within returns the samples of an entry.
func within(samples []sample, key string) []sample {
	entries := make([]sample, len(samples))
	for i, s := range samples {
		value, ok := s.value.(map[string]any)[key]
		if !ok {
			value = absent
		}
		entries[i] = sample{s.rendering, value}
	}
	return entries
}

// learnSequence compares lists item by item: by place where all are as long, else by
// the names of the items.
func (l *learner) learnSequence(path string, samples []sample, splits int) (node, error) {
	length := len(samples[0].value.([]any))
	if !slices.ContainsFunc(samples, func(s sample) bool { return len(s.value.([]any)) != length }) {
		seq := sequence{make([]node, length)}
		for i := range length {
			items := make([]sample, len(samples))
			for j, s := range samples {
				items[j] = sample{s.rendering, s.value.([]any)[i]}
			}
			var err error
			if seq.items[i], err = l.learn(fmt.Sprintf("%s[%d]", path, i), items, splits); err != nil {
				return nil, err
			}
		}
		return seq, nil
	}
	return l.learnNamed(path, samples, splits)
}

// learnNamed compares lists whose items have names, some of which come and go.
func (l *learner) learnNamed(path string, samples []sample, splits int) (node, error) {
	var order []string
	entries := make([]sample, len(samples))
	for i, s := range samples {
		named := map[string]any{}
		at := 0 // where an item that is new stands in the order
		for _, item := range s.value.([]any) {
			object, _ := item.(map[string]any)
			name, ok := itemName(object)
			if _, twice := named[name]; !ok || twice {
				return nil, &unexplainedError{path}
			}
			named[name] = item
			if known := slices.Index(order, name); known >= 0 {
				at = known + 1
				continue
			}
			order = slices.Insert(order, at, name)
			at++
		}
		entries[i] = sample{s.rendering, named}
	}
	seq := sequence{make([]node, len(order))}
	for i, name := range order {
		var err error
		if seq.items[i], err = l.learn(fmt.Sprintf("%s[name=%s]", path, name), within(entries, name), splits); err != nil {
			return nil, err
		}
	}
	return seq, nil
}

// itemName is what an item of a list is called: containers and ports by name, rules by
// the alert or the series that they make.
func itemName(object map[string]any) (string, bool) {
	for _, key := range []string{"name", "alert", "record"} {
		if name, ok := object[key].(string); ok {
			severity, _, _ := unstructured.NestedString(object, "labels", "severity") // one alert in several severities
			return name + " " + severity, true
		}
	}
	return "", false
}

// split looks for conditions under which all parts of the samples can be learnt, as
// few as possible: with more, chance would explain anything.
func (l *learner) split(path string, samples []sample, splits int) (node, error) {
	if splits == maxSplits {
		l = &learner{l.namespace, relevant(l.variables, samples), l.digests}
	}
	for depth := range splits {
		var gap *gapError
		for _, v := range l.variables {
			n, err := l.splitOn(v, path, samples, depth)
			if n != nil {
				return n, nil
			}
			if gap == nil {
				errors.As(err, &gap)
			}
		}
		if gap != nil {
			return nil, gap
		}
	}
	return nil, &unexplainedError{path}
}

// relevant are the variables that change the place when they alone change.
func relevant(variables []*variable, samples []sample) []*variable {
	changes := map[*variable]bool{}
	start := map[int]any{}
	for _, s := range samples {
		if s.changed == nil {
			start[s.group] = s.value
		}
	}
	for _, s := range samples {
		from, ok := start[s.group]
		if s.changed != nil && ok && !reflect.DeepEqual(from, s.value) {
			changes[s.changed] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(variables), func(v *variable) bool {
		return !changes[v] && (v.derived == nil || !changes[v.derived.memory])
	})
}

// splitOn splits by one variable, or by how it compares to another; both parts may be
// split further.
func (l *learner) splitOn(v *variable, path string, samples []sample, splits int) (node, error) {
	for _, w := range l.variables {
		if v.kind == number && w.kind == number && v != w && v.derived == nil && w.derived == nil {
			if n := l.parts(predicate{variable: v, over: w}, path, samples, splits); n != nil {
				return n, nil
			}
		}
	}
	var gap error
	for _, bound := range bounds(v, samples) {
		when := predicate{variable: v, atLeast: bound.high}
		n := l.parts(when, path, samples, splits)
		if n == nil {
			continue
		}
		if v.kind == number && bound.low+1 < bound.high {
			_, no := partition(when, samples)
			gap = &gapError{unexplainedError{path}, v, bound.low, bound.high, no[0].at}
			continue
		}
		return n, nil
	}
	return nil, gap
}

// parts learns both parts of the samples, and returns nil if one cannot be learnt.
func (l *learner) parts(when predicate, path string, samples []sample, splits int) node {
	yes, no := partition(when, samples)
	if len(yes) == 0 || len(no) == 0 {
		return nil
	}
	a, err := l.learn(path, yes, splits)
	if err != nil {
		return nil
	}
	b, err := l.learn(path, no, splits)
	if err != nil {
		return nil
	}
	return choice{when, a, b}
}

// interval is between two neighbouring values of a number in the samples.
type interval struct{ low, high int64 }

// bounds returns where samples can be told apart by a variable.
func bounds(v *variable, samples []sample) []interval {
	if v.kind != number {
		return []interval{{}}
	}
	var values []int64
	for _, s := range samples {
		values = append(values, s.at[v].(int64))
	}
	slices.Sort(values)
	values = slices.Compact(values)
	var between []interval
	for i := 1; i < len(values); i++ {
		between = append(between, interval{values[i-1], values[i]})
	}
	return between
}

func partition(p predicate, samples []sample) (yes, no []sample) {
	for _, s := range samples {
		if p.holds(s.at) {
			yes = append(yes, s)
		} else {
			no = append(no, s)
		}
	}
	return yes, no
}
