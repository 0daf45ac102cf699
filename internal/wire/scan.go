package wire

import (
	"math"
	"strconv"
	"unicode/utf8"

	"mizzen.dev/internal/nearest"
	"mizzen.dev/model/frame"
)

// scanner reads JSON, with NaN, Infinity and -Infinity as Python's json.dumps
// writes them. Strings are parts of the body, or of the arena where they held
// escapes.
type scanner struct {
	b     []byte
	i     int
	depth int // how deep a value may be nested
	arena *frame.Arena
}

// newScanner returns a scanner at the first byte of the first value. It is part
// of the request.
func (r *Request) newScanner(body []byte) *scanner {
	s := &r.scan
	*s = scanner{b: body, depth: r.Schema.Limits.Depth, arena: r.Arena}
	if len(body) >= 3 && body[0] == 0xef && body[1] == 0xbb && body[2] == 0xbf { // a byte-order mark
		s.i = 3
	}
	return s
}

// peek skips white space and returns the next byte; 0 at the end.
func (s *scanner) peek() byte {
	for s.i < len(s.b) {
		c := s.b[s.i]
		if c > ' ' || c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c
		}
		s.i++
	}
	return 0
}

// end checks that nothing follows the value.
func (s *scanner) end() error {
	if s.peek(); s.i < len(s.b) {
		return invalid("", "malformed JSON at byte %d: %s after the end of the body's object", s.i, quoteByte(s.b[s.i:]))
	}
	return nil
}

// malformed returns the error of a text that is no JSON at s.i.
func (s *scanner) malformed(expected string) error {
	if s.i >= len(s.b) {
		return invalid("", "the JSON ends at byte %d, where %s was expected", len(s.b), expected)
	}
	return invalid("", "malformed JSON at byte %d: expected %s, found %s", s.i, expected, quoteByte(s.b[s.i:]))
}

// quoteByte shows the first character of b.
func quoteByte(b []byte) string {
	r, n := utf8.DecodeRune(b)
	if r == utf8.RuneError && n == 1 {
		return "byte 0x" + strconv.FormatUint(uint64(b[0]), 16)
	}
	return strconv.QuoteRune(r)
}

// element moves to element n of the list in which s stands: behind '[' for the
// first, behind the last element for others. more is false at the list's end.
func (s *scanner) element(n int) (more bool, err error) {
	c := s.peek()
	if c == ']' {
		s.i++
		return false, nil
	}
	if n == 0 {
		return true, nil
	}
	if c != ',' {
		return false, s.malformed("',' or ']'")
	}
	s.i++
	if s.peek() == ']' {
		return false, s.malformed("a value behind the comma")
	}
	return true, nil
}

// member moves to the value of member n of the object in which s stands.
func (s *scanner) member(n int) (key string, more bool, err error) {
	c := s.peek()
	switch {
	case c == '}':
		s.i++
		return "", false, nil
	case n > 0 && c != ',':
		return "", false, s.malformed("',' or '}'")
	case n > 0:
		s.i++
		c = s.peek()
	}
	if c != '"' {
		return "", false, s.malformed("a key in double quotes")
	}
	if key, err = s.str(); err != nil {
		return "", false, err
	}
	if s.peek() != ':' {
		return "", false, s.malformed("':'")
	}
	s.i++
	s.peek()
	return key, true, nil
}

// newMember is member where a key may stand only once: keys are those of the
// object so far.
func (s *scanner) newMember(keys *keySet, n int) (key string, more bool, err error) {
	key, more, err = s.member(n)
	if more && !keys.add(key) {
		err = invalid("", "the key %q is there twice", clip(key))
	}
	return key, more, err
}

// literal reads a word that must stand at s.i.
func (s *scanner) literal(word string) bool {
	if len(s.b)-s.i < len(word) || text(s.b[s.i:s.i+len(word)]) != word {
		return false
	}
	s.i += len(word)
	return true
}

// cell reads the value at s.i, which must not be a list or an object. whole
// numbers stay whole.
func (s *scanner) cell() (frame.Value, error) {
	switch c := s.peek(); c {
	case '"':
		v, err := s.str()
		return frame.String(v), err
	case 't':
		if s.literal("true") {
			return frame.Bool(true), nil
		}
	case 'f':
		if s.literal("false") {
			return frame.Bool(false), nil
		}
	case 'n':
		if s.literal("null") {
			return frame.None(), nil
		}
	case 'N':
		if s.literal("NaN") {
			return frame.Float(math.NaN()), nil
		}
	case 'I':
		if s.literal("Infinity") {
			return frame.Float(math.Inf(1)), nil
		}
	case '[', '{':
		return frame.None(), invalid("", "expected a value, found %s", s.found())
	default:
		if c == '-' || c-'0' <= 9 {
			return s.numberCell()
		}
	}
	return frame.None(), s.malformed("a value")
}

func (s *scanner) numberCell() (frame.Value, error) {
	if s.literal("-Infinity") {
		return frame.Float(math.Inf(-1)), nil
	}
	start := s.i
	f, next, state := scanNumber(s.b, s.i)
	s.i = next
	switch state {
	case notNumber:
		return frame.None(), s.malformed("a digit of a number")
	case hugeNumber:
		return frame.None(), invalid("", "the number %s is out of range", clip(text(s.b[start:next])))
	case whole:
		if i, err := strconv.ParseInt(text(s.b[start:next]), 10, 64); err == nil {
			return frame.Int(i), nil
		}
	}
	return frame.Float(f), nil
}

// number reads a cell of a column of numbers: null is a missing one, booleans
// are 1 and 0.
func (s *scanner) number() (float64, error) {
	c := s.peek()
	if c == '-' || c-'0' <= 9 {
		f, next, state := scanNumber(s.b, s.i)
		if state == whole || state == fraction {
			s.i = next
			return f, nil
		}
	}
	if c == '"' || c == '[' || c == '{' {
		return 0, s.expected("a number")
	}
	v, err := s.cell()
	if err != nil {
		return 0, err
	}
	f, _ := cellNumber(v)
	return f, nil
}

// expected returns the error of a value of the wrong type at s.i; the value's
// own fault goes first.
func (s *scanner) expected(what string) error {
	c, at := s.peek(), s.i
	if at >= len(s.b) {
		return s.malformed(what)
	}
	if c == '"' {
		v, err := s.str()
		if err != nil {
			return err
		}
		return invalid("", "expected %s, found %s", what, quoteCell(frame.String(v)))
	}
	if c != '[' && c != '{' {
		if _, err := s.cell(); err != nil {
			return err
		}
	}
	s.i = at
	return invalid("", "expected %s, found %s", what, s.found())
}

// found describes the value at s.i.
func (s *scanner) found() string {
	switch c := s.peek(); c {
	case '[':
		return "a list"
	case '{':
		return "an object"
	default:
		at := s.i
		v, err := s.cell()
		s.i = at
		if err != nil {
			return quoteByte(s.b[s.i:])
		}
		return quoteCell(v)
	}
}

// skip reads over a value of any type, which must be JSON all the same.
func (s *scanner) skip() error { return s.skipBelow(s.depth) }

func (s *scanner) skipBelow(depth int) error {
	c := s.peek()
	if c != '[' && c != '{' {
		_, err := s.cell()
		return err
	}
	if depth == 0 {
		return invalid("", "nested more than %d deep at byte %d (--max-json-depth)", s.depth, s.i)
	}
	s.i++
	if c == '[' {
		for n := 0; ; n++ {
			more, err := s.element(n)
			if err != nil || !more {
				return err
			}
			if err := s.skipBelow(depth - 1); err != nil {
				return err
			}
		}
	}
	var seen keySet
	for n := 0; ; n++ {
		_, more, err := s.newMember(&seen, n)
		if err != nil || !more {
			return err
		}
		if err := s.skipBelow(depth - 1); err != nil {
			return err
		}
	}
}

// skipKey skips a member that the protocol does not have, unless it looks like one
// that it has, misspelt; of many such keys only the first are looked at so.
func (s *scanner) skipKey(key string, keys *keySet, known []string) error {
	if keys.many == nil && nearest.Name(key, known) != "" {
		return unknownKey(key, known)
	}
	return s.skip()
}

// keySet finds keys that stand twice in an object: a few by comparing them, many
// by a map.
type keySet struct {
	few  [8]string
	n    int
	many map[string]struct{}
}

// add reports whether the key is new.
func (k *keySet) add(key string) bool {
	for _, have := range k.few[:k.n] {
		if have == key {
			return false
		}
	}
	if k.n < len(k.few) {
		k.few[k.n] = key
		k.n++
		return true
	}
	if k.many == nil {
		k.many = map[string]struct{}{}
	}
	if _, ok := k.many[key]; ok {
		return false
	}
	k.many[key] = struct{}{}
	return true
}
