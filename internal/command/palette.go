package command

import (
	"io"
	"os"
)

// Palette colours text for people: not where the output is no terminal, and not where
// https://no-color.org asks for that.
type Palette struct{ on bool }

// NewPalette returns the palette for what is written to w.
func NewPalette(w io.Writer) Palette {
	return Palette{on: IsTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
}

func (p Palette) paint(code, s string) string {
	if !p.on || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// Bold is for headings.
func (p Palette) Bold(s string) string { return p.paint("1", s) }

// Dim is for what need not be read.
func (p Palette) Dim(s string) string { return p.paint("2", s) }

// Red is for what is wrong, or goes.
func (p Palette) Red(s string) string { return p.paint("31", s) }

// Green is for what is right, or comes.
func (p Palette) Green(s string) string { return p.paint("32", s) }

// Yellow is for what is not decided, or changes.
func (p Palette) Yellow(s string) string { return p.paint("33", s) }

// Cyan is for what can be copied, and for places in a diff.
func (p Palette) Cyan(s string) string { return p.paint("36", s) }
