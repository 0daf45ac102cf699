package pickle

import (
	"bytes"
	"math/big"
	"strconv"
	"unicode/utf8"
)

// Bounds on the text forms of numbers, in bytes. CPython refuses integers of
// more than 4,300 digits too.
const (
	maxIntText   = 4300
	maxFloatText = 1000
)

func intText(m *machine) error {
	text, err := m.line()
	if err != nil {
		return err
	}
	switch string(text) {
	case "00":
		m.push(false)
		return nil
	case "01":
		m.push(true)
		return nil
	}
	return m.pushInt(text)
}

func longText(m *machine) error {
	text, err := m.line()
	if err != nil {
		return err
	}
	return m.pushInt(bytes.TrimSuffix(text, []byte("L")))
}

func (m *machine) pushInt(text []byte) error {
	if len(text) > maxIntText {
		return m.malformed("an integer of %d digits", len(text))
	}
	if n, err := strconv.ParseInt(string(text), 10, 64); err == nil {
		m.push(n)
		return nil
	}
	n, ok := new(big.Int).SetString(string(text), 10)
	if !ok {
		return m.malformed("%q is not an integer", clip(text))
	}
	m.push(n)
	return nil
}

func floatText(m *machine) error {
	text, err := m.line()
	if err != nil {
		return err
	}
	if len(text) > maxFloatText {
		return m.malformed("a float of %d digits", len(text))
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil && f == 0 { // out of range gives an infinity, as in Python
		return m.malformed("%q is not a float", clip(text))
	}
	m.push(f)
	return nil
}

// stringText reads a quoted str of Python 2 with its escapes.
func stringText(m *machine) error {
	text, err := m.line()
	if err != nil {
		return err
	}
	n := len(text)
	if n < 2 || text[0] != text[n-1] || text[0] != '\'' && text[0] != '"' {
		return m.malformed("a string without quotes")
	}
	b, ok := unescape(text[1 : n-1])
	if !ok {
		return m.malformed("a string with an invalid escape")
	}
	return m.pushASCII(b)
}

var escapes = map[byte]byte{'\\': '\\', '\'': '\'', '"': '"', 'a': 7, 'b': 8, 'f': 12, 'n': 10, 'r': 13, 't': 9, 'v': 11}

// unescape resolves the escapes of a Python 2 string; octal ones have up to
// three digits, hexadecimal ones two.
func unescape(text []byte) ([]byte, bool) {
	out := make([]byte, 0, len(text))
	for len(text) > 0 {
		if text[0] != '\\' {
			out, text = append(out, text[0]), text[1:]
			continue
		}
		if len(text) < 2 {
			return nil, false
		}
		c := text[1]
		text = text[2:]
		switch {
		case c == 'x':
			if len(text) < 2 {
				return nil, false
			}
			v, err := strconv.ParseUint(string(text[:2]), 16, 8)
			if err != nil {
				return nil, false
			}
			out, text = append(out, byte(v)), text[2:]
		case c >= '0' && c <= '7':
			v := int(c - '0')
			for n := 1; n < 3 && len(text) > 0 && text[0] >= '0' && text[0] <= '7'; n++ {
				v, text = v*8+int(text[0]-'0'), text[1:]
			}
			out = append(out, byte(v))
		case escapes[c] != 0:
			out = append(out, escapes[c])
		default:
			out = append(out, '\\', c)
		}
	}
	return out, true
}

// unicodeText reads Python's raw-unicode-escape: Latin-1 with \uXXXX and
// \UXXXXXXXX.
func unicodeText(m *machine) error {
	text, err := m.line()
	if err != nil {
		return err
	}
	out := make([]byte, 0, len(text))
	for len(text) > 0 {
		c := text[0]
		text = text[1:]
		if c != '\\' || len(text) == 0 {
			out = utf8.AppendRune(out, rune(c))
			continue
		}
		digits := map[byte]int{'u': 4, 'U': 8}[text[0]]
		if digits == 0 {
			out = utf8.AppendRune(append(out, '\\'), rune(text[0]))
			text = text[1:]
			continue
		}
		if len(text) <= digits {
			return m.malformed("a string with an escape cut short")
		}
		code, err := strconv.ParseUint(string(text[1:1+digits]), 16, 32)
		if err != nil || code > utf8.MaxRune || !utf8.ValidRune(rune(code)) {
			return m.malformed("a string with an invalid escape")
		}
		out = utf8.AppendRune(out, rune(code))
		text = text[1+digits:]
	}
	m.push(string(out))
	return nil
}

func putText(m *machine) error {
	i, err := m.index()
	if err != nil {
		return err
	}
	return m.memoize(i)
}

func getText(m *machine) error {
	i, err := m.index()
	if err != nil {
		return err
	}
	return m.recall(i)
}

// index reads a memo number as text.
func (m *machine) index() (uint64, error) {
	text, err := m.line()
	if err != nil {
		return 0, err
	}
	i, err := strconv.ParseUint(string(text), 10, 63)
	if err != nil {
		return 0, m.malformed("%q is not a memo number", clip(text))
	}
	return i, nil
}

// names reads the module and the name of a class, a line each.
func (m *machine) names() (any, error) {
	module, err := m.line()
	if err != nil {
		return nil, err
	}
	name, err := m.line()
	if err != nil {
		return nil, err
	}
	if !utf8.Valid(module) || !utf8.Valid(name) {
		return nil, m.malformed("a class name that is not valid UTF-8")
	}
	return m.global(string(module), string(name))
}

// clip shortens text for an error.
func clip(text []byte) []byte {
	if len(text) > 40 {
		return append(bytes.Clone(text[:40]), "..."...)
	}
	return text
}

// twosComplement converts a little-endian integer; nothing is 0.
func twosComplement(b []byte) any {
	if len(b) <= 8 {
		var v uint64
		for i, c := range b {
			v |= uint64(c) << (8 * i)
		}
		if n := len(b); n > 0 && n < 8 && b[n-1]&0x80 != 0 {
			v |= ^uint64(0) << (8 * n)
		}
		return int64(v)
	}
	be := make([]byte, len(b))
	for i, c := range b {
		be[len(b)-1-i] = c
	}
	n := new(big.Int).SetBytes(be)
	if b[len(b)-1]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return normal(n)
}

// normal returns an integer as int64 if it fits.
func normal(n *big.Int) any {
	if n.IsInt64() {
		return n.Int64()
	}
	return n
}
