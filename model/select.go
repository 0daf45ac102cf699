package model

import (
	"fmt"
	"strconv"
	"strings"

	"mizzen.dev/internal/format/pickle"
	"mizzen.dev/internal/sklearn/base"
)

// SelectError says that a file holds several things, and what they are; or that
// what was selected is not among them.
type SelectError struct {
	// Selected is what was asked for; empty if nothing was.
	Selected string
	// Container is Python's name of what the file holds: a dict, a tuple, a list.
	Container string
	// Items are what can be selected, in the order of the file.
	Items []Item
}

// Item is one thing in a file.
type Item struct {
	Key  string // what to select
	Type string // its type, such as sklearn.linear_model._ridge.Ridge
}

// maxItems bounds how many things an error lists.
const maxItems = 20

func (e *SelectError) Error() string {
	var b strings.Builder
	if e.Selected == "" {
		fmt.Fprintf(&b, "the file holds %s, not a model", e.Container)
	} else {
		fmt.Fprintf(&b, "there is no %q in the file, which holds %s", e.Selected, e.Container)
	}
	if len(e.Items) == 0 {
		return b.String() + "; there is nothing in it to select"
	}
	b.WriteString("; in it: ")
	for i, item := range e.Items {
		if i == maxItems {
			fmt.Fprintf(&b, " … and %d more", len(e.Items)-i)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s (%s)", item.Key, item.Type)
	}
	if key := e.suggestion(); key != "" {
		fmt.Fprintf(&b, "; pick the model: --select %s", key)
	}
	return b.String()
}

// suggestion returns the first thing that looks like a model.
func (e *SelectError) suggestion() string {
	for _, item := range e.Items {
		if strings.HasPrefix(item.Type, "sklearn.") {
			return item.Key
		}
	}
	return ""
}

// pick walks to the selected thing in value and returns it with its place in
// Python's notation.
func pick(value any, selection string) (picked any, path string, err error) {
	var steps []string
	if selection != "" {
		steps = strings.Split(selection, ".")
	}
	for i, step := range steps {
		items, keys, name := contents(value)
		if name == "" {
			name = base.TypeName(value)
		}
		next := -1
		for k, key := range keys {
			if key == step {
				next = k
			}
		}
		if next < 0 {
			return nil, "", &SelectError{Selected: strings.Join(steps[:i+1], "."), Container: name, Items: list(items, keys)}
		}
		if _, isIndex := value.(*pickle.Dict); isIndex {
			path += fmt.Sprintf("[%q]", step)
		} else {
			path += "[" + step + "]"
		}
		value = items[next]
	}
	if items, keys, name := contents(value); name != "" {
		if len(steps) > 0 {
			for k := range keys {
				keys[k] = selection + "." + keys[k]
			}
		}
		return nil, "", &SelectError{Container: name, Items: list(items, keys)}
	}
	return value, path, nil
}

// contents returns the things in a container and their keys; name is empty if
// value is none.
func contents(value any) (items []any, keys []string, name string) {
	switch v := value.(type) {
	case *pickle.Dict:
		for i, k := range v.Keys {
			items, keys = append(items, v.Values[i]), append(keys, keyText(k))
		}
		return items, keys, "a dict"
	case *pickle.List, *pickle.Tuple:
		items, _ = base.Items(value)
		for i := range items {
			keys = append(keys, strconv.Itoa(i))
		}
		return items, keys, base.TypeName(value)
	}
	return nil, nil, ""
}

func keyText(k any) string {
	if c, err := base.Cell(k); err == nil {
		if s, ok := c.Text(); ok {
			return s
		}
		return c.String()
	}
	return base.TypeName(k)
}

func list(items []any, keys []string) []Item {
	out := make([]Item, len(items))
	for i := range items {
		out[i] = Item{Key: keys[i], Type: strings.TrimPrefix(base.TypeName(items[i]), "a ")}
	}
	return out
}
