package wire

import "unicode/utf8"

// str reads the string at whose opening quote s stands.
func (s *scanner) str() (string, error) {
	start := s.i + 1
	var high byte
	for i := start; i < len(s.b); i++ {
		switch c := s.b[i]; {
		case c == '"':
			s.i = i + 1
			if high >= utf8.RuneSelf && !utf8.Valid(s.b[start:i]) {
				s.i = start
				return "", invalid("", "the string at byte %d is not valid UTF-8", start-1)
			}
			return text(s.b[start:i]), nil
		case c == '\\':
			return s.escaped(start, i)
		case c < ' ':
			s.i = i
			return "", invalid("", "malformed JSON at byte %d: a control character in a string must be escaped", i)
		default:
			high |= c
		}
	}
	s.i = len(s.b)
	return "", s.malformed("the end of a string")
}

// escaped is str for a string whose first backslash is at i.
func (s *scanner) escaped(start, i int) (string, error) {
	end := i // of the string: an unescaped quote
	for ; end < len(s.b) && s.b[end] != '"'; end++ {
		if s.b[end] == '\\' {
			end++
		}
	}
	if end >= len(s.b) {
		s.i = len(s.b)
		return "", s.malformed("the end of a string")
	}
	out := s.arena.Bytes(end - start)[:0] // escapes are longer than what they mean
	out = append(out, s.b[start:i]...)
	for i < end {
		c := s.b[i]
		switch {
		case c < ' ':
			s.i = i
			return "", invalid("", "malformed JSON at byte %d: a control character in a string must be escaped", i)
		case c != '\\':
			out = append(out, c)
			i++
		default:
			var err error
			if out, i, err = s.unescape(out, i, end); err != nil {
				return "", err
			}
		}
	}
	s.i = end + 1
	if !utf8.Valid(out) {
		return "", invalid("", "the string at byte %d is not valid UTF-8", start-1)
	}
	return text(out), nil
}

// unescape appends what the escape at s.b[i] means, and returns the place
// behind it.
func (s *scanner) unescape(out []byte, i, end int) ([]byte, int, error) {
	switch c := s.b[i+1]; c { // i+1 <= end: the quote at end is not escaped
	case '"', '\\', '/':
		return append(out, c), i + 2, nil
	case 'b':
		return append(out, '\b'), i + 2, nil
	case 'f':
		return append(out, '\f'), i + 2, nil
	case 'n':
		return append(out, '\n'), i + 2, nil
	case 'r':
		return append(out, '\r'), i + 2, nil
	case 't':
		return append(out, '\t'), i + 2, nil
	case 'u':
		return s.unicode(out, i, end)
	}
	s.i = i
	return nil, 0, invalid("", "malformed JSON at byte %d: unknown escape \\%s", i, clip(string(s.b[i+1:i+2])))
}

func (s *scanner) unicode(out []byte, i, end int) ([]byte, int, error) {
	r, ok := hex4(s.b[i+2 : end])
	if !ok {
		s.i = i
		return nil, 0, invalid("", "malformed JSON at byte %d: \\u needs four hexadecimal digits", i)
	}
	i += 6
	if r < 0xd800 || r > 0xdfff {
		return utf8.AppendRune(out, r), i, nil
	}
	if r < 0xdc00 && i+6 <= end && s.b[i] == '\\' && s.b[i+1] == 'u' {
		if low, ok := hex4(s.b[i+2 : end]); ok && low >= 0xdc00 && low <= 0xdfff {
			return utf8.AppendRune(out, 0x10000+(r-0xd800)<<10+(low-0xdc00)), i + 6, nil
		}
	}
	s.i = i - 6
	return nil, 0, invalid("", "malformed JSON at byte %d: half of a surrogate pair", s.i)
}

func hex4(b []byte) (r rune, ok bool) {
	if len(b) < 4 {
		return 0, false
	}
	for _, c := range b[:4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
