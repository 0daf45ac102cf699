package command

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

// Cell is a part of a row, and how it is coloured.
type Cell struct {
	Text  string
	Paint func(string) string
}

// Table aligns rows of cells. Colours, which tabwriter would count as text, are put on
// afterwards.
type Table struct {
	// Indent stands before each row.
	Indent string
	rows   [][]Cell
}

// Row adds a row. What others wrote is made printable.
func (t *Table) Row(cells ...Cell) {
	for i := range cells {
		cells[i].Text = Printable(cells[i].Text)
	}
	t.rows = append(t.rows, cells)
}

// Below adds text under the last row, which is not part of any column.
func (t *Table) Below(text string) { t.rows = append(t.rows, []Cell{{Text: text}}) }

// Write writes the rows, with two spaces between columns and none at the ends of lines.
func (t *Table) Write(w io.Writer) {
	var widths []int
	for _, row := range t.rows {
		if len(row) == 1 {
			continue
		}
		for i, c := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(c.Text))
		}
	}
	for _, row := range t.rows {
		line := t.Indent
		gap := ""
		for i, c := range row {
			line += gap
			text := c.Text
			gap = ""
			if len(row) > 1 {
				gap = strings.Repeat(" ", widths[i]-utf8.RuneCountInString(text)+2)
			}
			if c.Paint != nil {
				text = c.Paint(text)
			}
			if text == "" && i < len(row)-1 {
				line += gap
				gap = ""
				continue
			}
			line += text
		}
		fmt.Fprintln(w, strings.TrimRight(line, " "))
	}
}

// plainWidth is how wide text gets where nobody says how wide it may be: nothing is
// broken there, so that programs find it.
const plainWidth = 0

// Width returns the width of the terminal that w is; 0 if it is none.
func Width(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok {
		return plainWidth
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return plainWidth
	}
	return width
}

// Wrap breaks text into lines of at most width, between words; width 0 breaks nothing.
// The lines after the first begin with indent.
func Wrap(text string, width int, indent string) string {
	const least = 20
	if width <= 0 {
		return text
	}
	width = max(width-utf8.RuneCountInString(indent), least)
	var b strings.Builder
	n := 0
	for i, word := range strings.Fields(text) {
		l := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case n+1+l > width:
			b.WriteString("\n" + indent)
			n = 0
		default:
			b.WriteByte(' ')
			n++
		}
		b.WriteString(word)
		n += l
	}
	return b.String()
}
