package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"mizzen.dev/internal/batch"
	"mizzen.dev/internal/command"
	"mizzen.dev/internal/nearest"
	"mizzen.dev/model"
	"mizzen.dev/model/frame"
)

const predictLong = `Predict the rows of a file and write the answers in the same form, one line a row.

Rows are comma-separated values, with a header or without, or JSON lines: a list
of values in training order, or a record by feature name. They come from FILE, or
from standard input if FILE is - or is not given. Answers go to standard output as
they are made; the file may be of any length.

A row that the model does not take ends the work: the answers of the rows before
it are written, and the error names its line.`

const predictExample = `  # labels of a CSV file
  mizzen predict model.pkl rows.csv > labels.csv

  # probabilities too
  mizzen predict model.pkl rows.csv --output predict --output predict_proba

  # JSON lines through a pipe
  echo '[5.1, 3.5, 1.4, 0.2]' | mizzen predict examples/iris/model.pkl`

type predictOptions struct {
	model   modelFlags
	format  command.Choice
	header  command.Choice
	outputs []string
	path    string // of the model
	rows    string // of the rows
}

func newPredict(s command.Streams) *cobra.Command {
	var o predictOptions
	cmd := &cobra.Command{
		Use:               "predict MODEL [FILE]",
		Short:             "Predict the rows of a file",
		Long:              predictLong,
		Example:           predictExample,
		Args:              command.Arguments(1, 2, "a MODEL, and a FILE of rows or nothing"),
		ValidArgsFunction: completeModel,
		RunE: func(cmd *cobra.Command, given []string) error {
			o.path, o.rows = given[0], "-"
			if len(given) > 1 {
				o.rows = given[1]
			}
			return o.run(cmd.Context(), s)
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&o.outputs, "output", nil, "`METHOD` to answer, such as predict_proba; may be repeated (default predict, or transform)")
	o.format.Flag(cmd, "format", "", "form of the rows and the answers", "auto", "csv", "jsonl")
	o.header.Flag(cmd, "header", "", "whether the first line of a CSV file names the columns", "auto", "yes", "no")
	o.model.add(cmd)
	var names []string
	for m := range frame.Method(frame.NumMethods) {
		names = append(names, m.String())
	}
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (o *predictOptions) run(ctx context.Context, s command.Streams) error {
	m, err := model.Open(ctx, o.path, o.model.options)
	if err != nil {
		return err
	}
	methods, err := o.methods(m.Signature())
	if err != nil {
		return err
	}
	rows, size, err := o.open(s.In)
	if err != nil {
		return err
	}
	defer rows.Close()

	bar := newProgress(s, size)
	in := bufio.NewReader(bar.reader(rows))
	src, dst, err := o.forms(in, s.Out, m.Signature(), methods)
	if err == nil {
		err = batch.Run(ctx, m, methods, src, dst)
	}
	bar.close()
	if row := (*batch.RowError)(nil); errors.As(err, &row) {
		return fmt.Errorf("%s, %w", o.rowsName(), err)
	}
	return err
}

// methods are what is to be answered.
func (o *predictOptions) methods(sig *model.Signature) ([]frame.Method, error) {
	if len(o.outputs) == 0 {
		return []frame.Method{sig.Default()}, nil
	}
	var methods, has []frame.Method
	var names []string
	for _, out := range sig.Outputs {
		has, names = append(has, out.Method), append(names, out.Method.String())
	}
	for _, name := range o.outputs {
		found := false
		for i, m := range has {
			if names[i] == name {
				found, methods = true, append(methods, m)
			}
		}
		if !found {
			return nil, command.Usagef("--output %s: the model has %s%s", name, strings.Join(names, ", "), nearest.DidYouMean(name, names))
		}
	}
	return methods, nil
}

// open opens the rows; size is -1 if it is not known.
func (o *predictOptions) open(stdin io.Reader) (rows io.ReadCloser, size int64, err error) {
	if o.rows == "-" {
		return io.NopCloser(stdin), -1, nil
	}
	f, err := os.Open(o.rows)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return f, -1, err
	}
	return f, info.Size(), nil
}

func (o *predictOptions) rowsName() string {
	if o.rows == "-" {
		return "standard input"
	}
	return o.rows
}

// forms returns the source and the sink of the form that the rows have.
func (o *predictOptions) forms(in *bufio.Reader, out io.Writer, sig *model.Signature, methods []frame.Method) (batch.Source, batch.Sink, error) {
	if o.form(in) == "jsonl" {
		return batch.NewJSONLines(in, sig), batch.NewJSONSink(out, methods), nil
	}
	header := map[string]batch.Header{"auto": batch.DetectHeader, "yes": batch.WithHeader, "no": batch.WithoutHeader}[o.header.Value]
	src := batch.NewCSV(in, sig, header)
	named, err := src.Start()
	return src, batch.NewCSVSink(out, sig, methods, named), err
}

// form returns csv or jsonl: by the file's name, else by its first character.
func (o *predictOptions) form(in *bufio.Reader) string {
	if o.format.Value != "auto" {
		return o.format.Value
	}
	switch strings.ToLower(filepath.Ext(o.rows)) {
	case ".csv":
		return "csv"
	case ".jsonl", ".ndjson", ".json":
		return "jsonl"
	}
	for n := 1; n <= in.Size(); n++ {
		start, err := in.Peek(n)
		if err != nil {
			break
		}
		if c := start[n-1]; !bytes.ContainsRune([]byte(" \t\r\n"), rune(c)) {
			if c == '[' || c == '{' {
				return "jsonl"
			}
			break
		}
	}
	return "csv"
}
