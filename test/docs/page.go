package docs

import (
	"regexp"
	"strings"
)

// Block is a fenced block of a page.
type Block struct {
	Line int // of its first line of text, from 1
	// Language is the first word behind the fence.
	Language string
	// File is the file that readers are asked to write, with a + behind it if they add to
	// it: a further word with a dot in it, or a comment in the first line; "" if it is none.
	File string
	// Reasons are the other words: for what a Model in the block is refused or doubted.
	Reasons []string
	Text    string
}

var fileComment = regexp.MustCompile(`^# ([A-Za-z0-9._/-]+\.ya?ml)\n`)

// Blocks returns the fenced blocks of a page.
func Blocks(page string) []Block {
	var all []Block
	var open *Block
	line := 0
	for text := range strings.Lines(page) {
		line++
		info, fence := strings.CutPrefix(strings.TrimSpace(text), "```")
		switch {
		case fence && open == nil:
			open = opened(line+1, strings.Fields(info))
		case fence:
			if m := fileComment.FindStringSubmatch(open.Text); m != nil && open.File == "" {
				open.File = m[1]
			}
			all = append(all, *open)
			open = nil
		case open != nil:
			open.Text += text
		}
	}
	return all
}

func opened(line int, words []string) *Block {
	b := &Block{Line: line}
	for i, word := range words {
		switch {
		case i == 0:
			b.Language = word
		case strings.Contains(word, "."):
			b.File = word
		default:
			b.Reasons = append(b.Reasons, word)
		}
	}
	return b
}

// Documents are the parts of a block of YAML.
func (b Block) Documents() []string { return strings.Split(b.Text, "\n---\n") }

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ +(.*?)\s*$`)
	fenced  = regexp.MustCompile("(?ms)^ *```.*?^ *```")
	code    = regexp.MustCompile("`[^`\n]*`")
	left    = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
)

// Links returns where a page's links lead, without those to other sites.
func Links(page string) []string {
	var all []string
	for _, m := range link.FindAllStringSubmatch(code.ReplaceAllString(fenced.ReplaceAllString(page, ""), ""), -1) {
		if !strings.Contains(m[1], "://") && !strings.HasPrefix(m[1], "mailto:") {
			all = append(all, m[1])
		}
	}
	return all
}

// Headings returns the names by which links reach the headings of a page, as GitHub makes
// them.
func Headings(page string) []string {
	var all []string
	for _, m := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(page, ""), -1) {
		name := left.ReplaceAllString(strings.ToLower(m[1]), "")
		all = append(all, strings.ReplaceAll(name, " ", "-"))
	}
	return all
}
