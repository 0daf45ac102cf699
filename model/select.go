package model

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"mizzen.dev/internal/format/pickle"
	"mizzen.dev/internal/sklearn/base"
)

// SelectError says that a file holds several things, and what they are; or that
// what was selected is not among them.
type SelectError struct {
	// Selected is what was asked for; empty if nothing was.
	Selected string
	// Container is Python's name of what the file holds, and where if that is not
	// the whole file: a dict, a tuple, a list at ["models"].
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
		fmt.Fprintf(&b, "; pick the model: --select %s", quoted(key))
	}
	return b.String()
}

// quoted returns a key as a shell takes it.
func quoted(key string) string {
	if strings.IndexFunc(key, func(r rune) bool {
		return !strings.ContainsRune("._-/", r) && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) < 0 {
		return key
	}
	return strconv.Quote(key)
}

// suggestion returns the first thing that looks like a model.
func (e *SelectError) suggestion() string {
	for _, item := range e.Items {
		if item.Key != "" && strings.HasPrefix(item.Type, "sklearn.") {
			return item.Key
		}
	}
	return ""
}

// pick walks to the selected thing in value and returns it with its place in
// Python's notation.
func pick(value any, selection string) (picked any, path string, err error) {
	way := "" // what was selected so far, with the dot behind it
	for way != selection+"." && selection != "" {
		items, keys, name := contents(value)
		next := step(keys, selection[len(way):])
		if next < 0 {
			if name == "" {
				name = pickle.TypeName(value)
			}
			return nil, "", &SelectError{Selected: selection, Container: at(path, name), Items: list(items, keys, way)}
		}
		if _, dict := value.(*pickle.Dict); dict {
			path += fmt.Sprintf("[%q]", keys[next])
		} else {
			path += "[" + keys[next] + "]"
		}
		way += keys[next] + "."
		value = items[next]
	}
	if items, keys, name := contents(value); name != "" {
		return nil, "", &SelectError{Container: at(path, name), Items: list(items, keys, way)}
	}
	return value, path, nil
}

// step returns the position of the key with which a selection begins. Keys may
// have dots in them: the longest that fits is meant.
func step(keys []string, selection string) int {
	best := -1
	for k, key := range keys {
		if (selection == key || strings.HasPrefix(selection, key+".")) && (best < 0 || len(key) > len(keys[best])) {
			best = k
		}
	}
	return best
}

// at says what is at a path in the file.
func at(path, name string) string {
	if path == "" {
		return name
	}
	return name + " at " + path
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
		return items, keys, pickle.TypeName(value)
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
	return pickle.TypeName(k)
}

// list returns the items with what is to be selected for each: its key behind the
// way to the container.
func list(items []any, keys []string, way string) []Item {
	out := make([]Item, len(items))
	for i := range items {
		out[i] = Item{Key: way + keys[i], Type: strings.TrimPrefix(pickle.TypeName(items[i]), "a ")}
	}
	return out
}
