package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Bytes is a number of bytes; it is written with a unit, such as 10MiB.
type Bytes int64

var units = []struct {
	name string
	size Bytes
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}, {"B", 1}}

// String writes the number in the largest binary unit that keeps it whole.
func (b Bytes) String() string {
	for _, u := range units[:3] {
		if b != 0 && b%u.size == 0 {
			return strconv.FormatInt(int64(b/u.size), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(b), 10) + "B"
}

// ParseBytes reads a number of bytes: 1048576, 1MiB, 1.5 GB, 512k.
func ParseBytes(text string) (Bytes, error) {
	digits := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ")
	unit := strings.ToUpper(strings.TrimSpace(text[len(digits):]))
	size, ok := Bytes(1), unit == ""
	for _, u := range units {
		long := strings.ToUpper(u.name)
		if unit == long || unit != "" && unit+"IB" == long {
			size, ok = u.size, true
		}
	}
	n, err := strconv.ParseFloat(digits, 64)
	if err != nil || !ok || n < 0 || math.IsNaN(n) || n*float64(size) >= 1<<62 {
		return 0, fmt.Errorf("%q is no size; write a number and a unit, such as 10MiB", text)
	}
	return Bytes(n * float64(size)), nil
}

// Set implements pflag.Value.
func (b *Bytes) Set(text string) (err error) {
	*b, err = ParseBytes(text)
	return err
}

// Type implements pflag.Value.
func (*Bytes) Type() string { return "size" }

// parse reads text into what target points to.
func parse(target any, text string) error {
	switch p := target.(type) {
	case *string:
		*p = text
	case *[]string:
		v := split(text)
		if text != "" && len(v) == 0 { // a key that was left out must not open the server
			return fmt.Errorf("%q holds nothing", text)
		}
		*p = v
	case *bool:
		v, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", text)
		}
		*p = v
	case *int:
		v, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("%q is no whole number", text)
		}
		*p = v
	case *int64:
		v, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return fmt.Errorf("%q is no whole number", text)
		}
		*p = v
	case *float64:
		v, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("%q is no number", text)
		}
		*p = v
	case *time.Duration:
		v, err := time.ParseDuration(text)
		if text == "0" {
			v, err = 0, nil
		}
		if seconds, numErr := strconv.ParseFloat(text, 64); err != nil && numErr == nil && text != "0" {
			return fmt.Errorf("%q has no unit; write %gs for seconds", text, seconds)
		}
		if err != nil {
			return fmt.Errorf("%q is no duration; write a number and a unit, such as 30s or 5m", text)
		}
		*p = v
	case *Bytes:
		v, err := ParseBytes(text)
		if err != nil {
			return err
		}
		*p = v
	default:
		return fmt.Errorf("a field of type %T cannot be configured", target)
	}
	return nil
}

// format is the inverse of parse.
func format(target any) string {
	switch p := target.(type) {
	case *string:
		return *p
	case *[]string:
		return strings.Join(*p, ",")
	case *bool:
		return strconv.FormatBool(*p)
	case *int:
		return strconv.Itoa(*p)
	case *int64:
		return strconv.FormatInt(*p, 10)
	case *float64:
		return strconv.FormatFloat(*p, 'g', -1, 64)
	case *time.Duration:
		return shortDuration(*p)
	case *Bytes:
		return p.String()
	}
	return ""
}

// shortDuration writes 10m0s as 10m.
func shortDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// split reads a list: commas or white space stand between its parts.
func split(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool {
		return r == ',' || r == ' ' || r == '\t' || r == '\n' || r == '\r'
	})
}

// kindName names the type of a value in a flag's help.
func kindName(target any) string {
	switch target.(type) {
	case *bool:
		return "bool" // pflag leaves that out
	case *int, *int64:
		return "number"
	case *float64:
		return "number"
	case *time.Duration:
		return "duration"
	case *Bytes:
		return "size"
	case *[]string:
		return "list"
	}
	return "text"
}
