package npy

import (
	"errors"
	"fmt"
	"strconv"
)

// literal parses what numpy writes into the header of an .npy file: a literal
// of Python made of dicts, lists, tuples, strings, integers, True, False and
// None. Nothing is evaluated. Dicts become map[string]any, lists []any, tuples
// tuple, integers int.
type literal struct {
	text string
	at   int
}

type tuple []any

// maxNesting bounds the brackets around a value; numpy writes three.
const maxNesting = 8

// parseLiteral parses text, which may end in spaces and a line end.
func parseLiteral(text string) (any, error) {
	l := &literal{text: text}
	v, err := l.value(0)
	if err != nil {
		return nil, fmt.Errorf("%w at character %d of the header", err, l.at)
	}
	if l.space(); l.at < len(text) {
		return nil, fmt.Errorf("text behind the header's dict, at character %d", l.at)
	}
	return v, nil
}

func (l *literal) space() {
	for l.at < len(l.text) && (l.text[l.at] == ' ' || l.text[l.at] == '\n') {
		l.at++
	}
}

// accept skips spaces, and c if it stands there.
func (l *literal) accept(c byte) bool {
	if l.space(); l.at < len(l.text) && l.text[l.at] == c {
		l.at++
		return true
	}
	return false
}

func (l *literal) value(depth int) (any, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("more than %d levels of nesting", maxNesting)
	}
	l.space()
	if l.at == len(l.text) {
		return nil, errors.New("a value is missing")
	}
	switch c := l.text[l.at]; {
	case c == '{':
		return l.dict(depth)
	case c == '[':
		items, _, err := l.items(']', depth)
		return items, err
	case c == '(':
		items, comma, err := l.items(')', depth)
		if err == nil && len(items) == 1 && !comma {
			return items[0], nil // parentheses, no tuple
		}
		return tuple(items), err
	case c == '\'' || c == '"':
		return l.quoted(c)
	case c == '-' || c >= '0' && c <= '9':
		return l.integer()
	}
	for word, v := range map[string]any{"True": true, "False": false, "None": nil} {
		if len(l.text)-l.at >= len(word) && l.text[l.at:l.at+len(word)] == word {
			l.at += len(word)
			return v, nil
		}
	}
	return nil, errors.New("neither a string, an integer, a list, a tuple nor a dict")
}

// items parses to the closing bracket and reports whether there was a comma.
func (l *literal) items(end byte, depth int) (items []any, comma bool, err error) {
	l.at++
	for !l.accept(end) {
		if len(items) > 0 && !comma {
			return nil, false, errors.New("a comma is missing")
		}
		v, err := l.value(depth + 1)
		if err != nil {
			return nil, false, err
		}
		items = append(items, v)
		comma = l.accept(',')
	}
	return items, comma, nil
}

func (l *literal) dict(depth int) (map[string]any, error) {
	l.at++
	out := make(map[string]any)
	for comma := true; !l.accept('}'); comma = l.accept(',') {
		if !comma {
			return nil, errors.New("a comma is missing")
		}
		k, err := l.value(depth + 1)
		if err != nil {
			return nil, err
		}
		key, ok := k.(string)
		if _, twice := out[key]; !ok || twice {
			return nil, errors.New("a key that is no string or is there twice")
		}
		if !l.accept(':') {
			return nil, errors.New("a colon is missing")
		}
		if out[key], err = l.value(depth + 1); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (l *literal) quoted(quote byte) (string, error) {
	start := l.at + 1
	for l.at = start; l.at < len(l.text); l.at++ {
		switch l.text[l.at] {
		case quote:
			l.at++
			return l.text[start : l.at-1], nil
		case '\\', '\n':
			return "", errors.New("a string with an escape or a line end")
		}
	}
	return "", errors.New("a string without an end")
}

func (l *literal) integer() (int, error) {
	start := l.at
	for l.at++; l.at < len(l.text) && l.text[l.at] >= '0' && l.text[l.at] <= '9'; l.at++ {
	}
	text := l.text[start:l.at]
	if l.at < len(l.text) && l.text[l.at] == 'L' { // Python 2
		l.at++
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("the integer %.40s is too large or malformed", text)
	}
	return n, nil
}
