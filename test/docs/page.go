package docs

import (
	"regexp"
	"strings"
)

// Block is a fenced block of a page.
type Block struct {
	Line int // of the fence, from 1
	// Words behind the language: the reasons for which a Model in it is refused or
	// doubted.
	Words []string
	Text  string
}

// Blocks returns the blocks of a page in a language.
func Blocks(page, language string) []Block {
	var all []Block
	var open *Block
	inside := false
	for i, line := range strings.Split(page, "\n") {
		if info, fence := strings.CutPrefix(strings.TrimSpace(line), "```"); fence {
			words := strings.Fields(info)
			switch {
			case !inside && len(words) > 0 && words[0] == language:
				open = &Block{Line: i + 1, Words: words[1:]}
			case inside && open != nil:
				all = append(all, *open)
				open = nil
			}
			inside = !inside
			continue
		}
		if open != nil {
			open.Text += line + "\n"
		}
	}
	return all
}

// Documents are the parts of a block of YAML.
func (b Block) Documents() []string { return strings.Split(b.Text, "\n---\n") }

var fileName = regexp.MustCompile(`^# ([A-Za-z0-9._/-]+\.ya?ml)\n`)

// File is the name of the file that a block is, which stands in a comment in its first
// line; "" if it is none.
func (b Block) File() string {
	if m := fileName.FindStringSubmatch(b.Text); m != nil {
		return m[1]
	}
	return ""
}

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
