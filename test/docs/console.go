// Package docs runs the examples of the README and the pages under docs/, so
// that what they say is true.
//
// A fenced block marked console holds commands, each behind "$ ", and what they
// print. In the output an … stands for anything in its line; a line of … alone
// stands for any number of lines, none among them.
//
// A block marked go is the body of a function that returns an error; what it prints stands
// in comments.
//
// A block marked yaml with a Model or a platform file in it must be good; the reasons for
// which a Model is refused or doubted stand behind the word yaml. A block that is a file is
// there for the commands that follow: its name stands behind the language, or in a comment
// in its first line.
package docs

import (
	"regexp"
	"slices"
	"strings"
)

// Example is one command of a page and what it prints.
type Example struct {
	Line    int // of the page, from 1
	Command string
	Output  []string
}

// Examples returns the commands in the console blocks of a page.
func Examples(page string) []Example {
	var out []Example
	for _, b := range Blocks(page) {
		if b.Language == "console" {
			out = append(out, b.Examples()...)
		}
	}
	return out
}

// Examples returns the commands of a console block.
func (b Block) Examples() []Example {
	var out []Example
	for i, line := range strings.Split(strings.TrimSuffix(b.Text, "\n"), "\n") {
		switch {
		case strings.HasPrefix(line, "$ "):
			out = append(out, Example{Line: b.Line + i, Command: strings.TrimPrefix(line, "$ ")})
		case len(out) > 0 && strings.HasSuffix(out[len(out)-1].Command, "\\") && len(out[len(out)-1].Output) == 0:
			last := &out[len(out)-1]
			last.Command = strings.TrimSuffix(last.Command, "\\") + strings.TrimSpace(line)
		case len(out) > 0:
			out[len(out)-1].Output = append(out[len(out)-1].Output, line)
		}
	}
	return out
}

// Matches reports whether what a command printed is what the page shows.
func (e Example) Matches(printed string) bool {
	var b strings.Builder
	b.WriteString(`\A`)
	newline := ""
	for i, line := range e.Output {
		if alone(line) && i == 0 {
			b.WriteString(`(?s:.*?\n|)`)
			continue
		}
		if alone(line) {
			b.WriteString(`(?s:\n.*?|)`)
			newline = `\n`
			continue
		}
		b.WriteString(newline)
		newline = `\n`
		for k, part := range strings.Split(line, "…") {
			if k > 0 {
				b.WriteString(`[^\n]*`)
			}
			b.WriteString(regexp.QuoteMeta(part))
		}
	}
	b.WriteString(`\n*\z`)
	return regexp.MustCompile(b.String()).MatchString(strings.TrimRight(printed, "\n") + "\n")
}

// Shown says whether the page shows something that a command prints, or else only that
// it does print, or may.
func (e Example) Shown() bool {
	return slices.ContainsFunc(e.Output, func(line string) bool { return !alone(line) })
}

func alone(line string) bool { return strings.TrimSpace(line) == "…" }
