package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	yamlnode "go.yaml.in/yaml/v3"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"
)

// Bounds of what is read. An API server takes objects of 1.5 MiB.
const (
	maxFile      = 8 << 20
	maxDocument  = 1 << 20
	maxDocuments = 1000
)

// document is one of the parts of a file, which lines of --- separate.
type document struct {
	text []byte
	// line of the file in which text starts, from 1.
	line int
	// root is the tree of text, with lines; nil until a line is asked for.
	root *yamlnode.Node
}

// readAll reads a file of bounded size.
func readAll(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("it is larger than %d MiB", maxFile>>20)
	}
	return data, nil
}

// split returns the parts of a file that hold more than blanks and comments.
func split(data []byte) ([]document, error) {
	var docs []document
	start, line, startLine := 0, 1, 1
	end := func(at int) error {
		text := data[start:at]
		if empty(text) {
			return nil
		}
		if len(text) > maxDocument {
			return fmt.Errorf("the document of line %d is larger than %d MiB", startLine, maxDocument>>20)
		}
		if len(docs) == maxDocuments {
			return fmt.Errorf("it has more than %d documents", maxDocuments)
		}
		docs = append(docs, document{text: text, line: startLine})
		return nil
	}
	for at := 0; at < len(data); line++ {
		next := len(data)
		if i := bytes.IndexByte(data[at:], '\n'); i >= 0 {
			next = at + i + 1
		}
		if separates(data[at:next]) {
			if err := end(at); err != nil {
				return nil, err
			}
			start, startLine = next, line+1
		}
		at = next
	}
	return docs, end(len(data))
}

// separates says whether a line is --- and nothing else but a comment.
func separates(line []byte) bool {
	rest, ok := bytes.CutPrefix(line, []byte("---"))
	if !ok {
		return false
	}
	trimmed := bytes.TrimSpace(rest)
	return len(trimmed) == 0 || trimmed[0] == '#' && (rest[0] == ' ' || rest[0] == '\t')
}

func empty(text []byte) bool {
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			return false
		}
	}
	return true
}

// parse returns the object of a document, YAML or JSON, with whole numbers as int64.
func (d *document) parse() (map[string]any, error) {
	text, err := yaml.YAMLToJSONStrict(d.text)
	if err != nil {
		return nil, err
	}
	var value any
	if err := utiljson.Unmarshal(text, &value); err != nil {
		return nil, err
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New("expected fields of a Model, such as apiVersion and kind")
	}
	return object, nil
}

// segment of the path of a field: a name, or an index of a list.
type segment struct {
	name  string
	index int // -1 if it is a name
}

// segments reads spec.secrets[0].name and spec.config[KEY].
func segments(path string) []segment {
	var all []segment
	for path != "" {
		if path[0] == '[' {
			inside, rest, ok := strings.Cut(path[1:], "]")
			if !ok {
				return all
			}
			if i, err := strconv.Atoi(inside); err == nil && i >= 0 {
				all = append(all, segment{index: i})
			} else {
				all = append(all, segment{name: strings.Trim(inside, `"`), index: -1})
			}
			path = strings.TrimPrefix(rest, ".")
			continue
		}
		end := strings.IndexAny(path, ".[")
		if end < 0 {
			end = len(path)
		}
		all = append(all, segment{name: path[:end], index: -1})
		path = strings.TrimPrefix(path[end:], ".")
	}
	return all
}

// lineOf returns the line of the file in which a field stands, or of the nearest
// field around it if it is not there.
func (d *document) lineOf(path []segment) int {
	if d.root == nil {
		d.root = &yamlnode.Node{}
		if err := yamlnode.Unmarshal(d.text, d.root); err != nil { // it has been parsed before
			d.root = &yamlnode.Node{}
		}
	}
	if len(d.root.Content) == 0 {
		return d.line
	}
	at := d.root.Content[0]
	line := at.Line
	for _, seg := range path {
		if at.Kind == yamlnode.AliasNode {
			at = at.Alias
		}
		key, value := child(at, seg)
		if value == nil {
			break
		}
		at, line = value, key.Line
	}
	return d.line + line - 1
}

// child returns a field's key and value, or an item twice.
func child(at *yamlnode.Node, seg segment) (key, value *yamlnode.Node) {
	if at.Kind == yamlnode.SequenceNode && seg.index >= 0 && seg.index < len(at.Content) {
		return at.Content[seg.index], at.Content[seg.index]
	}
	if at.Kind != yamlnode.MappingNode {
		return nil, nil
	}
	name := seg.name
	if seg.index >= 0 {
		name = strconv.Itoa(seg.index)
	}
	for i := 0; i+1 < len(at.Content); i += 2 {
		if at.Content[i].Value == name {
			return at.Content[i], at.Content[i+1]
		}
	}
	return nil, nil
}
