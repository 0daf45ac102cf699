package store

import (
	"context"
	"log/slog"
)

// onMessage is a log that does something when a message comes.
type onMessage struct {
	message string
	do      func()
}

func (o *onMessage) Enabled(context.Context, slog.Level) bool { return true }

func (o *onMessage) Handle(_ context.Context, r slog.Record) error {
	if r.Message == o.message {
		o.do()
	}
	return nil
}

func (o *onMessage) WithAttrs([]slog.Attr) slog.Handler { return o }
func (o *onMessage) WithGroup(string) slog.Handler      { return o }
