package main

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"mizzen.dev/model"
	"mizzen.dev/model/frame"
)

// What the text form lists before it says "and N more"; -o json has all.
const (
	listedFeatures = 40
	listedValues   = 12
)

// print writes the text form.
func (in *inspection) print(w io.Writer) error {
	out := bufio.NewWriter(w)
	bold := style(w)

	fmt.Fprintln(out, bold(printable(in.File)))
	in.printSummary(out)
	if in.Estimators != nil {
		fmt.Fprintf(out, "\n%s\n", bold("Estimators"))
		printTree(out, in.Estimators)
	}
	if in.Servable {
		fmt.Fprintf(out, "\n%s\n", bold(in.featureHeading()))
		in.printFeatures(out)
		fmt.Fprintf(out, "\n%s\n", bold("Outputs"))
		in.printOutputs(out)
	}
	return out.Flush()
}

func (in *inspection) printSummary(w io.Writer) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(table, "  %s\t%s\n", name, printable(value))
		}
	}
	if in.Library != "" {
		version := in.LibraryVersion
		if version == "" {
			version = "(the file does not tell the version)"
		}
		row("written by", in.Library+" "+version)
	}
	row("format", in.Format)
	row("size", byteCount(uint64(in.Size)))
	if in.Memory > 0 {
		row("memory", byteCount(in.Memory))
	}
	row("digest", in.Digest)
	table.Flush()
}

func byteCount(n uint64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d bytes", n)
	case n < 1000*1000:
		return fmt.Sprintf("%.1f kB", float64(n)/1000)
	case n < 1000*1000*1000:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.1f GB", float64(n)/1e9)
}

// printTree writes the estimators, one a line, children below their parents.
func printTree(w io.Writer, root *model.Node) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	var walk func(n *model.Node, first, rest string)
	walk = func(n *model.Node, first, rest string) {
		name := n.Class
		if n.Name != "" {
			name = n.Name + ": " + name
		}
		facts := make([]string, 0, len(n.Details)+1)
		for _, d := range n.Details {
			facts = append(facts, fmt.Sprintf("%s %v", d.Name, d.Value))
		}
		if !n.Read && !unread(n.Children) {
			facts = append(facts, "cannot be read")
		}
		fmt.Fprintf(table, "  %s%s", first, printable(name))
		if len(facts) > 0 {
			fmt.Fprintf(table, "\t%s", printable(strings.Join(facts, " · ")))
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
	table.Flush()
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

func (in *inspection) printFeatures(w io.Writer) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i, f := range in.Features {
		if i == listedFeatures {
			fmt.Fprintf(table, "  … and %d more (-o json lists all)\n", len(in.Features)-i)
			break
		}
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
		fmt.Fprintf(table, "  %d\t%s\t%s\t%s\n", i, printable(f.Name), f.Type, printable(strings.Join(notes, "; ")))
	}
	table.Flush()
}

func (in *inspection) printOutputs(w io.Writer) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, o := range in.Outputs {
		shape := "depends on the input"
		switch {
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
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\n", o.Method, o.Type, shape, printable(strings.Join(labels, " | ")))
	}
	table.Flush()
}

// values lists the first few cells.
func values(cells []frame.Value) string {
	var b strings.Builder
	for i, v := range cells {
		if i == listedValues {
			fmt.Fprintf(&b, " … %d in all", len(cells))
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		if s, ok := v.Text(); ok {
			b.WriteString(s)
		} else {
			b.WriteString(v.String())
		}
	}
	return b.String()
}
