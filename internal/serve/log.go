package serve

import (
	"io"
	"log/slog"
	"os"
	"time"

	"golang.org/x/term"
)

// NewLogger returns a logger that writes lines for people (format text), for
// programs (json), or, as auto, for whoever reads w.
func NewLogger(w io.Writer, format, level string) *slog.Logger {
	var min slog.Level
	if err := min.UnmarshalText([]byte(level)); err != nil {
		min = slog.LevelInfo
	}
	if format == "json" || format == "auto" && !isTerminal(w) {
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: min, ReplaceAttr: seconds}))
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: min, ReplaceAttr: readable}))
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// seconds writes durations as seconds, which programs can add up.
func seconds(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		return slog.Float64(a.Key+"_seconds", a.Value.Duration().Seconds())
	}
	return a
}

// readable shortens what people do not read to the end.
func readable(groups []string, a slog.Attr) slog.Attr {
	switch {
	case len(groups) == 0 && a.Key == slog.TimeKey:
		return slog.String(slog.TimeKey, a.Value.Time().Format(time.TimeOnly))
	case a.Value.Kind() == slog.KindDuration:
		return slog.String(a.Key, a.Value.Duration().Round(10*time.Microsecond).String())
	}
	return a
}
