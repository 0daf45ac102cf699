package serve

import (
	"cmp"
	"strings"
)

// CompareVersions orders versions as people number them: 2 < 10, v1.9 < v1.10,
// 1.0.0-rc1 < 1.0.0, 20240131 < 20240201. Versions that are equal in that sense
// are ordered by their letters, so that the order is total.
func CompareVersions(a, b string) int {
	x, y := strings.TrimPrefix(a, "v"), strings.TrimPrefix(b, "v")
	for x != "" && y != "" {
		var p, q string
		p, x = part(x)
		q, y = part(y)
		if order := compareParts(p, q); order != 0 {
			return order
		}
	}
	switch {
	case x != "":
		return longer(x)
	case y != "":
		return -longer(y)
	}
	return cmp.Compare(a, b)
}

// longer orders a version that goes on with rest after another one ends: a
// pre-release comes before its release.
func longer(rest string) int {
	if rest[0] == '-' {
		return -1
	}
	return 1
}

// part splits off the leading run of digits or of other bytes.
func part(s string) (first, rest string) {
	n := 1
	for n < len(s) && digit(s[n]) == digit(s[0]) {
		n++
	}
	return s[:n], s[n:]
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func compareParts(p, q string) int {
	if !digit(p[0]) || !digit(q[0]) {
		return cmp.Compare(p, q)
	}
	p, q = strings.TrimLeft(p, "0"), strings.TrimLeft(q, "0")
	if order := cmp.Compare(len(p), len(q)); order != 0 {
		return order
	}
	return cmp.Compare(p, q)
}
