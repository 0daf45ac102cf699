package chart

import (
	"fmt"
	"slices"
	"strings"
)

// express returns an expression that is right for all samples of a scalar, nil if
// none of the known forms is.
func (l *learner) express(samples []sample) expression {
	switch {
	case all[int64](samples):
		return l.expressNumber(samples)
	case all[string](samples):
		return l.expressText(samples)
	}
	return nil
}

func explains(e expression, samples []sample) bool {
	return !slices.ContainsFunc(samples, func(s sample) bool { return e.eval(s.at) != s.value })
}

// maxDivisor is the longest period, in seconds, that a time is divided into.
const maxDivisor = 10

func (l *learner) expressNumber(samples []sample) expression {
	var numbers []*variable
	for _, v := range l.variables {
		if v.kind == number {
			numbers = append(numbers, v)
		}
	}
	for _, v := range numbers {
		if e := expressLinear(v, samples); e != nil {
			return e
		}
		for divisor := int64(2); divisor <= maxDivisor; divisor++ {
			if e := (ceiling{v, divisor}); explains(e, samples) {
				return e
			}
		}
	}
	lowest, highest := samples[0].value.(int64), samples[0].value.(int64)
	for _, s := range samples {
		lowest, highest = min(lowest, s.value.(int64)), max(highest, s.value.(int64))
	}
	for _, v := range numbers {
		others := []extreme{{true, reference{v}, constant{lowest}}, {false, reference{v}, constant{highest}}}
		for _, w := range numbers {
			if w != v {
				others = append(others, extreme{true, reference{v}, reference{w}}, extreme{false, reference{v}, reference{w}})
			}
		}
		for _, e := range others {
			if explains(e, samples) {
				return e
			}
		}
	}
	return nil
}

// expressLinear fits a line through two samples and looks whether all are on it.
func expressLinear(v *variable, samples []sample) expression {
	x0, y0 := samples[0].at[v].(int64), samples[0].value.(int64)
	for _, s := range samples[1:] {
		x, y := s.at[v].(int64), s.value.(int64)
		if x == x0 {
			continue
		}
		if (y-y0)%(x-x0) != 0 || y == y0 {
			return nil
		}
		factor := (y - y0) / (x - x0)
		if e := (linear{v, factor, y0 - factor*x0}); explains(e, samples) {
			return e
		}
		return nil
	}
	return nil
}

// expressText finds the values of variables in a string: first of those alone that are
// seen to change it, since the mark of another can be in it by chance, in a version or
// in one of the digests.
func (l *learner) expressText(samples []sample) expression {
	if e := l.substitute(changing(l.variables, samples), samples); e != nil {
		return e
	}
	return l.substitute(l.variables, samples)
}

// changing are the variables that change the place when they alone change, as far as
// the samples show it. Longer marks come first: one can be the start of another.
func changing(variables []*variable, samples []sample) []*variable {
	type series struct {
		group   int
		changed *variable
	}
	first, start := map[series]any{}, map[int]any{}
	for _, s := range samples {
		if s.group != refined && s.changed == nil {
			start[s.group] = s.value
		}
	}
	changes := map[*variable]bool{}
	for _, s := range samples {
		if s.group == refined || s.changed == nil {
			continue
		}
		in := series{s.group, s.changed}
		from, ok := start[s.group]
		if !ok {
			if from, ok = first[in]; !ok {
				first[in] = s.value
				continue
			}
		}
		if from != s.value {
			changes[s.changed] = true
		}
	}
	found := slices.DeleteFunc(slices.Clone(variables), func(v *variable) bool { return !changes[v] })
	slices.SortStableFunc(found, func(v, w *variable) int { return len(fmt.Sprint(w.mark())) - len(fmt.Sprint(v.mark())) })
	return found
}

// substitute puts variables into a string where their values are: into that of the
// sample whose values are least like anything else, from which it takes the constant
// parts.
func (l *learner) substitute(variables []*variable, samples []sample) expression {
	marked := slices.MaxFunc(samples, func(a, b sample) int { return l.marks(a.at) - l.marks(b.at) })
	parts := []expression{constant{marked.value}}
	for name, d := range l.digests {
		parts = replace(parts, digestToken(name), d)
	}
	for _, v := range variables {
		if v.derived != nil || marked.at[v] != v.mark() {
			continue
		}
		value := fmt.Sprint(marked.at[v])
		if quotes := (quoted{constant{value}}); v.free {
			parts = replace(parts, fmt.Sprint(quotes.eval(nil)), quoted{reference{v}})
		}
		parts = replace(parts, value, reference{v})
	}
	var e expression = text{parts}
	if len(parts) == 1 {
		e = parts[0]
	}
	if r, ok := e.(reference); ok && r.kind == number {
		e = text{parts} // a number as a string
	}
	resolved := make([]sample, len(samples))
	for i, s := range samples {
		resolved[i] = sample{s.rendering, l.resolve(s)}
	}
	if !explains(e, resolved) {
		return nil
	}
	return e
}

// marks counts the variables that have their mark as a value.
func (l *learner) marks(at assignment) int {
	n := 0
	for _, v := range l.variables {
		if v.derived == nil && at[v] == v.mark() {
			n++
		}
	}
	return n
}

// replace puts an expression for each occurrence of a value in the constant parts.
func replace(parts []expression, value string, e expression) []expression {
	var result []expression
	for _, p := range parts {
		c, ok := p.(constant)
		if !ok || value == "" {
			result = append(result, p)
			continue
		}
		for i, piece := range strings.Split(c.value.(string), value) {
			if i > 0 {
				result = append(result, e)
			}
			if piece != "" {
				result = append(result, constant{piece})
			}
		}
	}
	return result
}

// Where rendering puts a hash into a string, samples have a token for it.
func digestToken(name string) string { return "\ue000" + name + "\ue001" }

func (l *learner) hasDigest(s string) bool { return strings.Contains(s, "\ue000") }

// digestWithin says whether a subtree has a token in it.
func (l *learner) digestWithin(value any) bool {
	switch v := value.(type) {
	case string:
		return l.hasDigest(v)
	case []any:
		return slices.ContainsFunc(v, l.digestWithin)
	case map[string]any:
		for _, entry := range v {
			if l.digestWithin(entry) {
				return true
			}
		}
	}
	return false
}

// resolve returns the string of a sample with the hashes in it.
func (l *learner) resolve(s sample) string {
	value := s.value.(string)
	for name, d := range l.digests {
		if token := digestToken(name); strings.Contains(value, token) {
			value = strings.ReplaceAll(value, token, fmt.Sprint(d.eval(s.at)))
		}
	}
	return value
}
