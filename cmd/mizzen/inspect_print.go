package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"mizzen.dev/internal/command"
	"mizzen.dev/model"
	"mizzen.dev/model/frame"
)

// What the text form lists before it says "and N more"; -o json has all.
const (
	listedFeatures = 40
	listedValues   = 12
	listedRunes    = 60 // of one value
)

// print writes the text form.
func (in *inspection) print(w io.Writer) error {
	out := bufio.NewWriter(w)
	bold := command.NewPalette(w).Bold

	fmt.Fprintln(out, bold(command.Printable(in.File)))
	columns(out, in.printSummary)
	if in.Estimators != nil {
		fmt.Fprintf(out, "\n%s\n", bold("Estimators"))
		columns(out, func(table io.Writer) { printTree(table, in.Estimators) })
	}
	if in.Servable {
		fmt.Fprintf(out, "\n%s\n", bold(in.featureHeading()))
		columns(out, in.printFeatures)
		fmt.Fprintf(out, "\n%s\n", bold("Outputs"))
		columns(out, in.printOutputs)
	}
	return out.Flush()
}

// columns writes rows of cells, which end in tabs, as columns without spaces at
// the end of lines.
func columns(w io.Writer, write func(table io.Writer)) {
	var out bytes.Buffer
	table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	write(table)
	table.Flush()
	for line := range strings.Lines(out.String()) {
		fmt.Fprintln(w, strings.TrimRight(line, " \n"))
	}
}

func (in *inspection) printSummary(table io.Writer) {
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(table, "  %s\t%s\n", name, command.Printable(value))
		}
	}
	if in.Library != "" && (in.Servable || in.LibraryVersion != "") {
		version := in.LibraryVersion
		if version == "" {
			version = "(the file does not tell the version)"
		}
		row("written by", in.Library+" "+version)
	}
	row("format", in.Format)
	row("size", byteCount(uint64(in.Size)))
	if in.Memory > 0 {
		row("memory", "about "+byteCount(in.Memory))
	}
	row("digest", in.Digest)
}

// byteCount writes a number of bytes with one digit behind the point, if it is
// not 0.
func byteCount(n uint64) string {
	if n < 1000 {
		return fmt.Sprintf("%d bytes", n)
	}
	size, unit := float64(n)/1e3, "kB"
	for _, larger := range []string{"MB", "GB"} {
		if size >= 1000 {
			size, unit = size/1e3, larger
		}
	}
	return strings.TrimSuffix(strconv.FormatFloat(size, 'f', 1, 64), ".0") + " " + unit
}

// printTree writes the estimators, one a line, children below their parents.
func printTree(table io.Writer, root *model.Node) {
	var walk func(n *model.Node, first, rest string)
	walk = func(n *model.Node, first, rest string) {
		name := n.Class
		if n.Name != "" {
			name = n.Name + ": " + name
		}
		facts := make([]string, 0, len(n.Details)+1)
		for _, d := range n.Details {
			facts = append(facts, fact(d))
		}
		if !n.Read && !unread(n.Children) {
			facts = append(facts, "cannot be read")
		}
		fmt.Fprintf(table, "  %s%s", first, command.Printable(name))
		if len(facts) > 0 {
			fmt.Fprintf(table, "\t%s", command.Printable(strings.Join(facts, " · ")))
		}
		fmt.Fprintln(table)
		for i, c := range n.Children {
			if i == len(n.Children)-1 {
				walk(c, rest+"└── ", rest+"    ")
			} else {
				walk(c, rest+"├── ", rest+"│   ")
			}
		}
	}
	walk(root, "", "")
}

func fact(d model.Detail) string {
	text := ""
	switch v := d.Value.(type) {
	case int:
		text = strconv.Itoa(v)
		if d.Name == "memory" {
			text = byteCount(uint64(v))
		}
	case string:
		text = shorten(v)
	case []float64:
		text = floats(v)
	case []frame.Value:
		text = rounded(v)
	default:
		text = fmt.Sprint(v)
	}
	return d.Name + " " + text
}

func floats(numbers []float64) string {
	cells := make([]frame.Value, len(numbers))
	for i, f := range numbers {
		cells[i] = frame.Float(f)
	}
	return rounded(cells)
}

// rounded lists the first few cells with as many digits as people read.
func rounded(cells []frame.Value) string {
	short := slices.Clone(cells[:min(len(cells), listedValues)])
	for i, v := range short {
		if f, ok := v.Float64(); ok && v.Kind() == frame.KindFloat {
			f, _ = strconv.ParseFloat(strconv.FormatFloat(f, 'g', 4, 64), 64) // what was just written
			short[i] = frame.Float(f)
		}
	}
	return some(short, len(cells))
}

// unread reports whether one of the nodes is why its parent could not be read.
func unread(nodes []*model.Node) bool {
	return slices.ContainsFunc(nodes, func(n *model.Node) bool { return !n.Read })
}

func (in *inspection) featureHeading() string {
	switch {
	case in.Width == nil:
		return "Features (any number)"
	case in.values:
		return "Input (one value a sample)"
	}
	return fmt.Sprintf("Features (%d)", *in.Width)
}

func (in *inspection) printFeatures(table io.Writer) {
	listed := 0
	for i := 0; i < len(in.Features); listed++ {
		if listed == listedFeatures {
			fmt.Fprintf(table, "  … and %d more (-o json lists all)\n", len(in.Features)-i)
			return
		}
		f, first := in.Features[i], i
		for i++; i < len(in.Features) && f.plain() && in.Features[i].plain() && in.Features[i].Missing == f.Missing; {
			i++ // features that differ in nothing share a line
		}
		position := strconv.Itoa(first)
		if i > first+1 {
			position += "–" + strconv.Itoa(i-1)
		}
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\n", position, command.Printable(f.Name), f.Type, command.Printable(f.notes()))
	}
}

// plain reports whether there is nothing to say of the feature but that it is a
// number.
func (f *feature) plain() bool {
	return f.Name == "" && f.Type == frame.Number && !f.Unused && len(f.Categories) == 0
}

func (f *feature) notes() string {
	var notes []string
	if f.Missing {
		notes = append(notes, "may be missing")
	}
	if f.Unused {
		notes = append(notes, "not used")
	}
	if len(f.Categories) > 0 {
		which := "such as "
		if f.Closed {
			which = "one of "
		}
		notes = append(notes, which+values(f.Categories))
	}
	return strings.Join(notes, "; ")
}

func (in *inspection) printOutputs(table io.Writer) {
	for _, o := range in.Outputs {
		shape := "depends on the input"
		switch {
		case o.Columns == nil && len(o.Classes) > 0:
			widths := make([]string, len(o.Classes))
			for i, c := range o.Classes {
				widths[i] = strconv.Itoa(len(c))
			}
			shape = strings.Join(widths, " | ") + " a row"
		case o.Columns == nil:
		case *o.Columns == 0:
			shape = "one a row"
		default:
			shape = strconv.Itoa(*o.Columns) + " a row"
		}
		labels := make([]string, len(o.Classes))
		for i, c := range o.Classes {
			labels[i] = values(c)
		}
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\n", o.Method, o.Type, shape, command.Printable(strings.Join(labels, " | ")))
	}
}

// values lists the first few cells.
func values(cells []frame.Value) string {
	return some(cells[:min(len(cells), listedValues)], len(cells))
}

// some lists cells, which are the first of so many.
func some(cells []frame.Value, all int) string {
	texts := make([]string, len(cells))
	for i, v := range cells {
		texts[i] = v.String()
		if s, ok := v.Text(); ok {
			texts[i] = shorten(s)
		}
	}
	list := strings.Join(texts, ", ")
	if all > len(cells) {
		list += fmt.Sprintf(" … %d in all", all)
	}
	return list
}

// shorten cuts text that would fill the line.
func shorten(s string) string {
	if runes := []rune(s); len(runes) > listedRunes {
		return string(runes[:listedRunes]) + "…"
	}
	return s
}
