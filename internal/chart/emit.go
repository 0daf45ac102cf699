package chart

import (
	"encoding/json"
	"fmt"
	"strings"

	"sigs.k8s.io/yaml"
)

// emit writes a node as YAML with the actions of a template in it.
func emit(n node) (string, error) {
	lines, err := emitDocument(n)
	if err != nil {
		return "", err
	}
	return strings.Join(lines, "\n") + "\n", nil
}

func emitDocument(n node) ([]string, error) {
	return conditional(n, func(n node) ([]string, error) {
		lines, _, err := block(n)
		return lines, err
	})
}

// conditional writes what a node is under its conditions.
func conditional(n node, write func(node) ([]string, error)) ([]string, error) {
	c, ok := n.(choice)
	if !ok {
		return write(n)
	}
	if c.yes == nil {
		lines, err := conditional(c.no, write)
		return wrap("{{- if not ("+c.when.action()+") }}", lines), err
	}
	lines, err := conditional(c.yes, write)
	if err != nil {
		return nil, err
	}
	if c.no != nil {
		others, err := conditional(c.no, write)
		if err != nil {
			return nil, err
		}
		lines = append(append(lines, "{{- else }}"), others...)
	}
	return wrap("{{- if "+c.when.action()+" }}", lines), nil
}

func wrap(first string, lines []string) []string {
	return append(append([]string{first}, lines...), "{{- end }}")
}

// block returns the lines of a node; inline says that the first of them may follow a
// key on its line.
func block(n node) (lines []string, inline bool, err error) {
	switch n := n.(type) {
	case fixed:
		return literal(n.value)
	case leaf:
		return variableScalar(n.expression)
	case mapping:
		for _, key := range order(n.keys()) {
			name, _, err := literal(key)
			if e := n.names[key]; e != nil {
				name, _, err = variableScalar(e)
			}
			if err != nil {
				return nil, false, err
			}
			more, err := conditional(n.entries[key], func(n node) ([]string, error) { return entry(name[0]+":", n) })
			if err != nil {
				return nil, false, err
			}
			lines = append(lines, more...)
		}
		return lines, false, nil
	case sequence:
		for _, item := range n.items {
			more, err := conditional(item, func(n node) ([]string, error) {
				lines, _, err := block(n)
				return indent("- ", lines), err
			})
			if err != nil {
				return nil, false, err
			}
			lines = append(lines, more...)
		}
		return lines, false, nil
	}
	return nil, false, fmt.Errorf("a template for %T is not known", n)
}

// entry writes a key and its value.
func entry(key string, n node) ([]string, error) {
	lines, inline, err := block(n)
	switch {
	case err != nil:
		return nil, err
	case inline:
		return append([]string{key + " " + lines[0]}, lines[1:]...), nil
	case isList(n):
		return append([]string{key}, lines...), nil
	}
	return append([]string{key}, indent("  ", lines)...), nil
}

func isList(n node) bool {
	switch n := n.(type) {
	case sequence:
		return true
	case fixed:
		_, ok := n.value.([]any)
		return ok
	}
	return false
}

// indent puts prefix before the first line and blanks before the others. Lines with
// conditions stand at the margin where they are.
func indent(prefix string, lines []string) []string {
	indented := make([]string, len(lines))
	for i, line := range lines {
		switch {
		case line == "":
		case i == 0:
			indented[i] = prefix + line
		default:
			indented[i] = strings.Repeat(" ", len(prefix)) + line
		}
	}
	return indented
}

// order puts first what people look for first.
func order(keys []string) []string {
	var first, rest []string
	for _, key := range keys {
		switch key {
		case "apiVersion", "kind", "metadata", "name":
			first = append(first, key)
		default:
			rest = append(rest, key)
		}
	}
	return append(first, rest...)
}

// literal writes a value that does not change. What Helm would take for an action,
// such as the templates of alerts, is escaped.
func literal(value any) (lines []string, inline bool, err error) {
	written, err := yaml.Marshal(value)
	if err != nil {
		return nil, false, err
	}
	switch v := value.(type) {
	case map[string]any:
		inline = len(v) == 0
	case []any:
		inline = len(v) == 0
	default:
		inline = true
	}
	return strings.Split(strings.TrimSuffix(escape(string(written)), "\n"), "\n"), inline, nil
}

func escape(s string) string { return strings.ReplaceAll(s, "{{", "{{ `{{` }}") }

// variableScalar writes a scalar that changes.
func variableScalar(e expression) (lines []string, inline bool, err error) {
	t, isText := e.(text)
	if !isText {
		if isNumber(e) {
			return []string{"{{ " + bare(e.action()) + " }}"}, true, nil
		}
		action := bare(e.action())
		return []string{"{{ " + strings.TrimPrefix(action, "toString ") + " | quote }}"}, true, nil
	}
	var marked strings.Builder
	actions := map[string]string{}
	for i, p := range t.parts {
		if c, ok := p.(constant); ok {
			marked.WriteString(c.value.(string))
			continue
		}
		token := fmt.Sprintf("QZ%dACTION", i)
		actions[token] = "{{ " + bare(p.action()) + " }}"
		marked.WriteString(token)
	}
	written, err := json.Marshal(marked.String())
	if strings.Contains(marked.String(), "\n") {
		written, err = yaml.Marshal(marked.String())
	}
	if err != nil {
		return nil, false, err
	}
	s := escape(strings.TrimSuffix(string(written), "\n"))
	for token, action := range actions {
		s = strings.Replace(s, token, action, 1)
	}
	return strings.Split(s, "\n"), true, nil
}

func isNumber(e expression) bool {
	if r, ok := e.(reference); ok {
		return r.kind == number
	}
	_, isDigest := e.(*digest)
	return !isDigest
}

// bare is an operand that stands alone, without its parentheses.
func bare(action string) string {
	if inner, ok := strings.CutPrefix(action, "("); ok {
		return strings.TrimSuffix(inner, ")")
	}
	return action
}
