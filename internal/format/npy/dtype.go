// Package npy reads numpy's arrays: dtypes, the .npy header, and elements of
// every type that estimators hold. Data stays where it is until it is asked for.
package npy

import (
	"fmt"
	"strconv"
	"strings"
)

// Dtype is the type of an array's elements.
type Dtype struct {
	// Kind is numpy's letter: b bool, i and u integers, f float, c complex,
	// S bytes, U string, V void or structured, O object, M and m times.
	Kind byte
	// Size is the number of bytes of an element (U: four a character).
	Size      int
	BigEndian bool
	// Fields are those of a structured dtype, in order of their offsets.
	Fields []Field
	// Unit is that of M and m: ns, us, D, 25s ...
	Unit string
}

// Field is one field of a structured [Dtype].
type Field struct {
	Name   string
	Dtype  Dtype
	Offset int // of the field's first byte in an element
}

// MaxFields bounds the fields of a structured dtype; estimators have up to 15.
const MaxFields = 256

// maxSize bounds the bytes of one element, so that sizes never overflow.
const maxSize = 1 << 31

// Field returns the field of that name.
func (d *Dtype) Field(name string) (Field, bool) {
	for _, f := range d.Fields {
		if f.Name == name {
			return f, true
		}
	}
	return Field{}, false
}

// String returns numpy's short name of the type, such as <f8 or |V64.
func (d Dtype) String() string {
	order := "<"
	if d.BigEndian {
		order = ">"
	}
	size := d.Size
	switch d.Kind {
	case 'U':
		size /= 4
	case 'O':
		return "object"
	case 'b', 'S', 'V':
		order = "|"
	case 'M', 'm':
		if d.Unit != "" {
			return fmt.Sprintf("%s%c%d[%s]", order, d.Kind, size, d.Unit)
		}
	}
	return fmt.Sprintf("%s%c%d", order, d.Kind, size)
}

// ParseDtype reads numpy's short name of a type: kind and size with or without
// the byte order, such as f8, <f8, |V64 or M8[ns]. Without one it is little.
func ParseDtype(s string) (Dtype, error) {
	var d Dtype
	rest := s
	if rest != "" && strings.IndexByte("<>|=", rest[0]) >= 0 {
		d.BigEndian = rest[0] == '>'
		rest = rest[1:]
	}
	if rest == "" {
		return d, fmt.Errorf("dtype %q has no kind", s)
	}
	d.Kind, rest = rest[0], rest[1:]
	if d.Kind == '?' && rest == "" {
		return Dtype{Kind: 'b', Size: 1}, nil
	}
	if i := strings.IndexByte(rest, '['); i >= 0 && (d.Kind == 'M' || d.Kind == 'm') && strings.HasSuffix(rest, "]") {
		d.Unit, rest = rest[i+1:len(rest)-1], rest[:i]
	}
	if rest == "" {
		if d.Kind != 'O' {
			return d, fmt.Errorf("dtype %q has no size", s)
		}
		rest = "8"
	}
	size, err := strconv.ParseUint(rest, 10, 31)
	if err != nil {
		return d, fmt.Errorf("dtype %q has no valid size", s)
	}
	d.Size = int(size)
	if d.Kind == 'U' {
		d.Size *= 4
	}
	if d.Size >= maxSize {
		return d, fmt.Errorf("dtype %q: an element of %d bytes is too large", s, d.Size)
	}
	if !validSize(d.Kind, d.Size) {
		return d, fmt.Errorf("dtype %q does not exist", s)
	}
	return d, nil
}

// validSize reports whether numpy has a type of that kind and size.
func validSize(kind byte, size int) bool {
	switch kind {
	case 'b':
		return size == 1
	case 'i', 'u':
		return size == 1 || size == 2 || size == 4 || size == 8
	case 'f': // 12 and 16 are long double
		return size == 2 || size == 4 || size == 8 || size == 12 || size == 16
	case 'c':
		return size == 8 || size == 16 || size == 24 || size == 32
	case 'M', 'm':
		return size == 8
	case 'O':
		return size == 4 || size == 8
	case 'S', 'U', 'V':
		return true
	}
	return false
}

// Structured returns a structured dtype of size bytes. Fields must lie inside,
// must not overlap and must have names of their own; a field may be structured
// itself, but no deeper. Objects inside a structure are refused.
func Structured(size int, fields []Field) (Dtype, error) {
	d := Dtype{Kind: 'V', Size: size, Fields: fields}
	if size < 0 || size >= maxSize {
		return d, fmt.Errorf("a structure of %d bytes", size)
	}
	if len(fields) > MaxFields {
		return d, fmt.Errorf("a structure of %d fields; at most %d are supported", len(fields), MaxFields)
	}
	end := 0
	seen := make(map[string]bool, len(fields))
	for _, f := range fields {
		switch {
		case seen[f.Name]:
			return d, fmt.Errorf("field %q twice", f.Name)
		case f.Offset < end:
			return d, fmt.Errorf("field %q at %d overlaps the one before it", f.Name, f.Offset)
		case f.Dtype.Size > size-f.Offset:
			return d, fmt.Errorf("field %q of %d bytes at %d ends outside its structure of %d", f.Name, f.Dtype.Size, f.Offset, size)
		case f.Dtype.Kind == 'O':
			return d, fmt.Errorf("field %q holds objects, which is not supported", f.Name)
		}
		for _, inner := range f.Dtype.Fields {
			if inner.Dtype.Fields != nil {
				return d, fmt.Errorf("field %q is nested more than two deep", f.Name)
			}
		}
		seen[f.Name] = true
		end = f.Offset + f.Dtype.Size
	}
	return d, nil
}
