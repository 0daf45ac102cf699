// Package termination is the contract between the programs in a pod and those
// who watch the pod from outside: what fetch and serve leave behind when they
// end, as the container's termination message and as the exit code. The kubelet
// puts the message into the pod's status, so that whoever may read pods knows
// the reason without reading logs.
package termination

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxBytes is how much of a container's message the kubelet keeps.
const MaxBytes = 4096

// DefaultPath is where the kubelet reads the message from, unless the container
// names another place (terminationMessagePath).
const DefaultPath = "/dev/termination-log"

// PathEnv is the variable that names another file.
const PathEnv = "MIZZEN_TERMINATION_LOG"

// Report is how a container ended.
type Report struct {
	// Reason is one of [Reasons]; empty if nothing failed, or if the message is
	// that of another program.
	Reason Reason `json:"reason,omitempty"`
	// Message says what went wrong, where, and what to do. There is no secret in it.
	Message string `json:"message,omitempty"`
	// Digest is that of the model file: sha256: and 64 hexadecimal digits.
	Digest string `json:"digest,omitempty"`
	// Bytes is the size of the model file.
	Bytes int64 `json:"bytes,omitempty"`
}

// Path returns the file that the report belongs into.
func Path(getenv func(string) string) string {
	if path := getenv(PathEnv); path != "" {
		return path
	}
	return DefaultPath
}

// Write replaces what is in the file by the report. It does nothing if there is
// no such file: then no kubelet waits for it.
func Write(path string, r Report) error {
	text, err := r.encode()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("opening the termination log (%s names another file): %w", PathEnv, err)
	}
	if _, err := f.Write(text); err != nil {
		f.Close()
		return fmt.Errorf("writing the termination log: %w", err)
	}
	return f.Close()
}

// encode returns the report as JSON of at most MaxBytes; a message that is too
// long loses its end.
func (r Report) encode() ([]byte, error) {
	r.Message = strings.ToValidUTF8(r.Message, "\uFFFD")
	for {
		var out bytes.Buffer
		enc := json.NewEncoder(&out)
		enc.SetEscapeHTML(false) // people read it, too
		if err := enc.Encode(r); err != nil {
			return nil, err
		}
		text := bytes.TrimSuffix(out.Bytes(), []byte("\n"))
		excess := len(text) - MaxBytes
		if excess <= 0 {
			return text, nil
		}
		// Each byte of the message is at least one byte of the JSON.
		r.Message = truncate(r.Message, len(r.Message)-max(1, excess/maxEscape))
		if r.Message == "" {
			return nil, fmt.Errorf("a termination report of %d bytes does not fit into %d", len(text), MaxBytes)
		}
	}
}

// maxEscape is how many bytes JSON needs for one byte of text: \u0001.
const maxEscape = 6

// ellipsis stands where the end of a message was cut off.
const ellipsis = "…"

// truncate cuts text to at most n bytes, between two runes, and marks that.
func truncate(text string, n int) string {
	n -= len(ellipsis)
	if n <= 0 {
		return ""
	}
	text = strings.TrimSuffix(text, ellipsis)
	n = min(n, len(text))
	for n > 0 && n < len(text) && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n] + ellipsis
}

// Parse reads a container's termination message. That of another program, or the
// end of a log, is text: it becomes the message of a report without a reason.
// Whatever comes in, what is returned can be shown: the reason is empty or one of
// [Reasons], the digest is empty or one, and the message is a line of text.
func Parse(text string) Report {
	text = text[:min(len(text), MaxBytes)]
	var r Report
	if err := json.Unmarshal([]byte(text), &r); err != nil || r == (Report{}) {
		return Report{Message: line(text)}
	}
	if r.Reason != "" && !r.Reason.known() {
		r.Reason = Failed // of a newer program
	}
	if !validDigest(r.Digest) {
		r.Digest = ""
	}
	r.Bytes = max(r.Bytes, 0)
	r.Message = line(r.Message)
	return r
}

// line returns text without what a terminal would act on, as one line.
func line(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return '\uFFFD'
		}
		return r
	}, text)
	if text = strings.TrimSpace(text); len(text) > MaxBytes {
		text = truncate(text, MaxBytes)
	}
	return text
}

func validDigest(d string) bool {
	digits, ok := strings.CutPrefix(d, "sha256:")
	return ok && len(digits) == 64 && strings.Trim(digits, "0123456789abcdef") == ""
}
