package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mizzen.dev/internal/command"
	"mizzen.dev/internal/status"
)

// screen is where a status is drawn.
type screen struct {
	p     command.Palette
	width int // 0 breaks no lines
	now   time.Time
}

func screenFor(w io.Writer, now time.Time) screen {
	return screen{p: command.NewPalette(w), width: command.Width(w), now: now}
}

// shownPods is how many pods there are on the screen; -o json has all. Those that are
// not ready come first.
const shownPods = 20

func (s screen) print(w io.Writer, st *status.Status) error {
	out := bufio.NewWriter(w)
	s.heading(out, st)
	s.conditions(out, st)
	s.facts(out, st)
	s.call(out, st)
	s.revisions(out, st)
	s.pods(out, st)
	s.events(out, st)
	for _, n := range st.Notes {
		fmt.Fprintf(out, "\n%s\n", s.p.Yellow(command.Wrap("Note: "+command.Printable(n), s.width, "")))
	}
	return out.Flush()
}

func (s screen) heading(w io.Writer, st *status.Status) {
	facts := []string{"in " + st.Namespace}
	if st.Version != "" {
		facts = append(facts, "version "+st.Version)
	}
	if a := age(st.CreatedAt, s.now); a != "" {
		facts = append(facts, a+" old")
	}
	switch st.RunBy {
	case status.RunByOperator:
		facts = append(facts, "run by the operator")
	case status.RunByFiles:
		facts = append(facts, "applied from files")
	}
	fmt.Fprintf(w, "%s  %s\n", s.p.Bold(command.Printable(st.Name)), s.p.Dim(command.Printable(strings.Join(facts, " · "))))
	if st.Deleting {
		fmt.Fprintln(w, s.p.Yellow("It is being deleted."))
	}
	if st.Stale {
		fmt.Fprintln(w, s.p.Yellow("The newest spec has not been seen yet: this is about the one before."))
	}
}

func (s screen) section(w io.Writer, title string) { fmt.Fprintf(w, "\n%s\n", s.p.Bold(title)) }

// conditions are a mark, a name, and why in words.
func (s screen) conditions(w io.Writer, st *status.Status) {
	list := st.Conditions
	if len(list) == 0 {
		list = []status.Condition{st.ReadyCondition()}
	}
	longest := 0
	for _, c := range list {
		longest = max(longest, utf8.RuneCountInString(c.Type))
	}
	fmt.Fprintln(w)
	for _, c := range list {
		indent := strings.Repeat(" ", longest+6)
		paint := paintOf(s.p, c.Status)
		words := command.Printable(c.Reason)
		if a := age(c.Since, s.now); a != "" && c.Status != metav1.ConditionTrue {
			words += " for " + a
		}
		if c.Message != "" {
			words += ": " + command.Printable(c.Message)
		}
		words = command.Wrap(words, s.width, indent)
		reason, rest := words, ""
		if i := len(command.Printable(c.Reason)); i < len(words) {
			reason, rest = words[:i], words[i:]
		}
		if c.Status == metav1.ConditionTrue {
			reason = s.p.Dim(reason)
		} else {
			reason = paint(reason)
		}
		name := fmt.Sprintf("%-*s", longest, command.Printable(c.Type))
		fmt.Fprintf(w, "  %s %s  %s%s\n", paint(mark(c.Status)), name, reason, rest)
	}
}

func mark(s metav1.ConditionStatus) string {
	switch s {
	case metav1.ConditionTrue:
		return "✓"
	case metav1.ConditionFalse:
		return "✗"
	}
	return "…"
}

// facts are what has one value.
func (s screen) facts(w io.Writer, st *status.Status) {
	t := &command.Table{Indent: "  "}
	row := func(name, value string) {
		if value != "" {
			t.Row(command.Cell{Text: name, Paint: s.p.Dim}, command.Cell{Text: value})
		}
	}
	row("Pods", fmt.Sprintf("%d of %d ready", st.Replicas.Ready, st.Replicas.Desired))
	row("Traffic", st.Traffic)
	row("Scaled by", scaling(st.Autoscaler))
	row("URL", st.URL)
	fmt.Fprintln(w)
	t.Write(w)
}

// scaling is an autoscaler in a line.
func scaling(a *status.Autoscaler) string {
	if a == nil {
		return ""
	}
	parts := []string{fmt.Sprintf("%s, %d to %d pods", a.Kind, a.Min, a.Max)}
	if a.Active {
		parts = append(parts, fmt.Sprintf("wants %d", a.Desired))
	}
	for _, m := range a.Metrics {
		now := m.Current
		if now == "" {
			now = "?"
		}
		parts = append(parts, fmt.Sprintf("%s %s of %s", m.Name, now, m.Target))
	}
	return strings.Join(parts, " · ")
}

// call is to be copied, and therefore never broken.
func (s screen) call(w io.Writer, st *status.Status) {
	if st.Call == nil {
		return
	}
	s.section(w, "Ask it")
	if st.Call.Before != "" {
		fmt.Fprintf(w, "  %s\n", s.p.Cyan(command.Printable(st.Call.Before+" &")))
	}
	fmt.Fprintf(w, "  %s\n", s.p.Cyan(command.Printable(st.Call.Command)))
}

func (s screen) head(t *command.Table, names ...string) {
	cells := make([]command.Cell, len(names))
	for i, n := range names {
		cells[i] = command.Cell{Text: n, Paint: s.p.Dim}
	}
	t.Row(cells...)
}

func (s screen) revisions(w io.Writer, st *status.Status) {
	if len(st.Revisions) == 0 {
		return
	}
	s.section(w, "Revisions")
	t := &command.Table{Indent: "  "}
	s.head(t, "NAME", "VERSION", "READY", "TRAFFIC", "AGE", "IMAGE")
	for _, r := range st.Revisions {
		t.Row(text(r.Name), text(r.Version), text(fmt.Sprintf("%d/%d", r.Ready, r.Replicas)), text(fmt.Sprintf("%d%%", r.Weight)),
			text(age(r.CreatedAt, s.now)), text(shortImage(r.Image)))
	}
	t.Write(w)
}

// shortImage leaves as much of a digest as tells two apart.
func shortImage(image string) string {
	const digits = 12
	name, digest, ok := strings.Cut(image, "@sha256:")
	if !ok || len(digest) <= digits {
		return image
	}
	return name + "@sha256:" + digest[:digits] + "…"
}

func (s screen) pods(w io.Writer, st *status.Status) {
	if len(st.Pods) == 0 {
		return
	}
	s.section(w, "Pods")
	t := &command.Table{Indent: "  "}
	s.head(t, "NAME", "STATE", "RESTARTS", "NODE", "VERSION", "REVISION", "AGE")
	shown := st.Pods[:min(len(st.Pods), shownPods)]
	for _, p := range shown {
		state := command.Cell{Text: p.State, Paint: s.p.Yellow}
		switch {
		case p.Ready:
			state.Paint = s.p.Green
		case len(p.Says) > 0:
			state.Paint = s.p.Red
		}
		restarts := fmt.Sprint(p.Restarts)
		if a := age(p.RestartedAt, s.now); p.Restarts > 0 && a != "" {
			restarts += " (" + a + " ago)"
		}
		t.Row(text(p.Name), state, text(restarts), text(p.Node), text(p.Version), text(p.Revision), text(age(p.CreatedAt, s.now)))
		for _, say := range p.Says {
			t.Below(s.saying(say))
		}
	}
	t.Write(w)
	if more := len(st.Pods) - len(shown); more > 0 {
		fmt.Fprintf(w, "  %s\n", s.p.Dim(fmt.Sprintf("and %d more; -o json lists all", more)))
	}
}

// saying is what a pod says, below its row.
func (s screen) saying(say status.Saying) string {
	const indent = "    "
	text := say.Reason
	if say.Container != "" {
		text = say.Container + ": " + text
	}
	if say.ExitCode != 0 {
		text += fmt.Sprintf(" (exit code %d)", say.ExitCode)
	}
	if say.Message != "" {
		text += ": " + say.Message
	}
	return "  " + s.p.Red("╰ ") + command.Wrap(command.Printable(strings.ReplaceAll(text, "\n", " ")), s.width-2, indent+"  ")
}

func (s screen) events(w io.Writer, st *status.Status) {
	if len(st.Events) == 0 {
		return
	}
	s.section(w, "Events")
	for _, e := range st.Events {
		reason := command.Printable(e.Reason)
		if e.Type != "Normal" {
			reason = s.p.Yellow(reason)
		}
		what := command.Printable(strings.ReplaceAll(e.Message, "\n", " "))
		if e.Count > 1 {
			what += fmt.Sprintf(" (×%d)", e.Count)
		}
		first := fmt.Sprintf("  %5s  ", age(e.At, s.now))
		head := command.Printable(e.Object) + ": "
		indent := strings.Repeat(" ", len(first)+2)
		// The line begins with what may be coloured, and is broken without the colours.
		line := command.Wrap(e.Reason+" "+head+what, s.width, indent)
		if rest, ok := strings.CutPrefix(line, command.Printable(e.Reason)+" "+head); ok {
			line = reason + " " + s.p.Dim(head) + rest
		}
		fmt.Fprintf(w, "%s%s\n", first, line)
	}
}
