// Package nearest finds what somebody probably meant to write.
package nearest

// Name returns the known name that is closest to what was written, by edit
// distance, or "" if none is within a third of its length (two letters for a
// short one).
func Name(written string, known []string) string {
	best, distance := "", len(written)+1
	for _, k := range known {
		if d := edits([]rune(written), []rune(k)); d < distance && d <= max(2, len(k)/3) {
			best, distance = k, d
		}
	}
	return best
}

// DidYouMean returns "; did you mean NAME?" for the nearest name, or "".
func DidYouMean(written string, known []string) string {
	if name := Name(written, known); name != "" {
		return "; did you mean " + name + "?"
	}
	return ""
}

// maxLength bounds the names that are compared: nobody mistypes a longer one.
const maxLength = 200

// edits is the Levenshtein distance.
func edits(a, b []rune) int {
	if len(a) > maxLength || len(b) > maxLength {
		return 2 * maxLength
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i, x := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j, y := range b {
			cost := diagonal
			if x != y {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
