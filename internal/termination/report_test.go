package termination

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

var digest = "sha256:" + strings.Repeat("0a", 32)

func written(t *testing.T, r Report) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, []byte(strings.Repeat("the old one ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, r); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestWrite(t *testing.T) {
	tests := map[string]struct {
		report Report
		want   string
	}{
		"failure": {Report{Reason: DigestMismatch, Message: `the digest is <a>, not "b"`},
			`{"reason":"DigestMismatch","message":"the digest is <a>, not \"b\""}`},
		"fetched":   {Report{Digest: digest, Bytes: 12}, `{"digest":"` + digest + `","bytes":12}`},
		"not UTF-8": {Report{Reason: Failed, Message: "a\xffb"}, `{"reason":"Failed","message":"a` + "\uFFFD" + `b"}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, written(t, test.report)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// A message that does not fit loses its end, between two characters.
func TestWriteFits(t *testing.T) {
	for name, message := range map[string]string{
		"letters":    strings.Repeat("a", 5000),
		"two bytes":  strings.Repeat("é", 5000),
		"four bytes": "x" + strings.Repeat("🙂", 5000),
		"escaped":    strings.Repeat("\x01", 5000),
		"quotes":     strings.Repeat(`"`, 2500),
	} {
		t.Run(name, func(t *testing.T) {
			text := written(t, Report{Reason: ModelRefused, Message: message})
			if len(text) > MaxBytes || len(text) < MaxBytes-16 || !utf8.ValidString(text) {
				t.Errorf("%d bytes, want close to %d", len(text), MaxBytes)
			}
			var r Report
			if err := json.Unmarshal([]byte(text), &r); err != nil {
				t.Fatal(err)
			}
			if kept, cut := strings.CutSuffix(r.Message, ellipsis); !cut || !strings.HasPrefix(message, kept) {
				t.Errorf("the message became %.20q…", r.Message)
			}
		})
	}
}

// Outside of Kubernetes there is no such file, and none is made.
func TestWriteNowhere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none")
	if err := Write(path, Report{Reason: Failed}); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the file was made")
	}
}

func TestPath(t *testing.T) {
	none := func(string) string { return "" }
	set := func(name string) string { return map[string]string{"MIZZEN_TERMINATION_LOG": "/tmp/log"}[name] }
	if got := []string{Path(none), Path(set)}; !cmp.Equal(got, []string{"/dev/termination-log", "/tmp/log"}) {
		t.Errorf("got %q", got)
	}
}

func TestParse(t *testing.T) {
	tests := map[string]struct {
		text string
		want Report
	}{
		"ours":            {`{"reason":"AccessDenied","message":"no"}`, Report{Reason: AccessDenied, Message: "no"}},
		"fetched":         {`{"digest":"` + digest + `","bytes":7}`, Report{Digest: digest, Bytes: 7}},
		"newer reason":    {`{"reason":"SomethingNew","message":"m"}`, Report{Reason: Failed, Message: "m"}},
		"text":            {"panic: \x1b[1moops\n\tmain.go:1", Report{Message: "panic: \uFFFD[1moops  main.go:1"}},
		"another JSON":    {`{"level":"error"}`, Report{Message: `{"level":"error"}`}},
		"a JSON string":   {`"x"`, Report{Message: `"x"`}},
		"no digest":       {`{"digest":"sha256:zz","bytes":-4,"message":"m"}`, Report{Message: "m"}},
		"nothing":         {"", Report{}},
		"cut off":         {`{"reason":"Failed","mess`, Report{Message: `{"reason":"Failed","mess`}},
		"lines":           {`{"reason":"Failed","message":"a\nb"}`, Report{Reason: Failed, Message: "a b"}},
		"longer than all": {strings.Repeat("a", 9999), Report{Message: strings.Repeat("a", MaxBytes)}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, Parse(test.text)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestExitCodes(t *testing.T) {
	codes := map[int]Reason{}
	for _, r := range Reasons() {
		code := r.ExitCode()
		if code < 1 || code > 125 || codes[code] != "" {
			t.Errorf("%s has exit code %d, as %q does or a shell", r, code, codes[code])
		}
		codes[code] = r
		if ForExitCode(code) != r && r != ConfigInvalid {
			t.Errorf("%d is read as %q, want %s", code, ForExitCode(code), r)
		}
	}
	if Reason("").ExitCode() != 0 || ForExitCode(0) != "" || ForExitCode(137) != "" || ForExitCode(2) != "" || Reason("Other").ExitCode() != 1 {
		t.Error("what is no reason has a code, or a code that is not ours has a reason")
	}
}

// FuzzParse checks that whatever a container leaves behind can be shown, and that
// what was read once is read again as the same.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{`{"reason":"Failed","message":"m"}`, `{"digest":"` + digest + `","bytes":1}`, "text", "{", `{"bytes":1e99}`, "a\xff\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r := Parse(text)
		if len(r.Message) > MaxBytes || !utf8.ValidString(r.Message) || strings.ContainsAny(r.Message, "\n\r\x1b\x00") {
			t.Errorf("the message %q cannot be shown", r.Message)
		}
		if r.Reason != "" && !r.Reason.known() || r.Digest != "" && !validDigest(r.Digest) || r.Bytes < 0 {
			t.Errorf("got %+v", r)
		}
		if again, err := r.encode(); err == nil && r.Reason != "" && len(r.Message) < MaxBytes/maxEscape {
			if diff := cmp.Diff(r, Parse(string(again))); diff != "" {
				t.Errorf("read again: -want +got:\n%s", diff)
			}
		}
	})
}

// The table of the docs has every reason with its code.
func TestDocs(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range Reasons() {
		if row := fmt.Sprintf("| `%s` | %d |", r, r.ExitCode()); !strings.Contains(string(page), row) {
			t.Errorf("docs/operations.md does not have %s", row)
		}
	}
}
