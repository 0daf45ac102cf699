package main

import (
	"context"
	"encoding/json"
	"errors"
	"runtime"

	"github.com/spf13/cobra"

	"mizzen.dev/internal/command"
	"mizzen.dev/model"
	"mizzen.dev/model/frame"
)

const inspectLong = `Say what is in a model file: a tree of its estimators with their sizes, the
features it takes, what it answers, the library version that wrote it, its digest,
and what it costs in memory. Nothing in the file is run.

If serve would refuse the file, inspect prints what it could read and exits 1 with
the reason.`

const inspectExample = `  mizzen inspect model.pkl

  # the model inside of {"model": ..., "scaler": ...}
  mizzen inspect --select model bundle.joblib

  # for programs
  mizzen inspect -o json model.pkl | jq .features`

type inspectOptions struct {
	model  modelFlags
	output command.Choice
	path   string
}

func newInspect(s command.Streams) *cobra.Command {
	var o inspectOptions
	cmd := &cobra.Command{
		Use:               "inspect FILE",
		Short:             "Say what is in a model file",
		Long:              inspectLong,
		Example:           inspectExample,
		Args:              command.Arguments(1, 1, "one FILE"),
		ValidArgsFunction: completeModel,
		RunE: func(cmd *cobra.Command, given []string) error {
			o.path = given[0]
			return o.run(cmd.Context(), s)
		},
	}
	o.output.Flag(cmd, "output", "o", "form of the result", "text", "json")
	o.model.add(cmd)
	return cmd
}

func (o *inspectOptions) run(ctx context.Context, s command.Streams) error {
	report, memory, err := o.read(ctx)
	in := newInspection(o.path, report, memory, err)
	if o.output.Value == "json" {
		enc := json.NewEncoder(s.Out)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		return errors.Join(enc.Encode(in), err)
	}
	if in.Size == 0 { // there is nothing to show
		return err
	}
	return errors.Join(in.print(s.Out), err)
}

// read opens the model, and measures what it keeps in memory: the heap after it
// was opened, less the heap before.
func (o *inspectOptions) read(ctx context.Context) (*model.Report, uint64, error) {
	before := heap()
	report, err := model.Inspect(ctx, o.path, o.model.options)
	if err != nil {
		return report, 0, err
	}
	after := heap()
	return report, twoDigits(max(after, before) - before), nil
}

// twoDigits rounds a measurement to what another run measures, too.
func twoDigits(n uint64) uint64 {
	unit := uint64(1)
	for n/unit >= 100 {
		unit *= 10
	}
	return (n + unit/2) / unit * unit
}

func heap() uint64 {
	// Twice: what the first run finds with a finalizer is freed by the second.
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// inspection is what inspect says, as -o json writes it.
type inspection struct {
	File           string      `json:"file"`
	Servable       bool        `json:"servable"`
	Error          string      `json:"error,omitempty"`
	Class          string      `json:"class,omitempty"`
	Final          string      `json:"final,omitempty"`
	Library        string      `json:"library,omitempty"`
	LibraryVersion string      `json:"library_version,omitempty"`
	Format         string      `json:"format,omitempty"`
	Size           int64       `json:"size"`
	Memory         uint64      `json:"memory,omitempty"`
	Digest         string      `json:"digest,omitempty"`
	Width          *int        `json:"width,omitempty"` // absent: any number, or not known
	Features       []feature   `json:"features,omitempty"`
	Outputs        []output    `json:"outputs,omitempty"`
	Estimators     *model.Node `json:"estimators,omitempty"`
	values         bool        // a sample is one value
}

type feature struct {
	Name       string        `json:"name,omitempty"`
	Type       frame.Type    `json:"type"`
	Missing    bool          `json:"missing"`
	Unused     bool          `json:"unused,omitempty"`
	Categories []frame.Value `json:"categories,omitempty"`
	Closed     bool          `json:"closed,omitempty"`
}

type output struct {
	Method string `json:"method"`
	Type   string `json:"type"`
	// Columns is the width of a row: 0 for one value a row, absent where it
	// depends on the input, or where there is a matrix a target, whose columns
	// are the classes.
	Columns *int `json:"columns,omitempty"`
	// Classes has one list a target.
	Classes [][]frame.Value `json:"classes,omitempty"`
}

func newInspection(path string, report *model.Report, memory uint64, err error) *inspection {
	sig := &report.Signature
	in := &inspection{
		File: path, Servable: err == nil, Class: sig.Class, Final: sig.Final, Library: sig.Library,
		LibraryVersion: sig.LibraryVersion, Format: sig.Format, Size: sig.Size, Memory: memory,
		Digest: sig.Digest, Estimators: report.Root, values: sig.Values,
	}
	if err != nil {
		in.Error = err.Error()
		return in
	}
	if sig.Width >= 0 {
		in.Width = &sig.Width
	}
	for _, f := range sig.Features {
		in.Features = append(in.Features, feature{f.Name, f.Type, f.Missing, f.Unused, f.Categories, f.Closed})
	}
	for _, o := range sig.Outputs {
		out := output{Method: o.Method.String(), Type: typeName(o)}
		if o.Cols >= 0 && o.Kind != frame.List {
			out.Columns = &o.Cols
		}
		for _, c := range o.Classes {
			out.Classes = append(out.Classes, c.Values)
		}
		in.Outputs = append(in.Outputs, out)
	}
	return in
}

// typeName names the type of an output's values.
func typeName(o frame.Output) string {
	kind := o.Kind
	if kind == frame.Label && len(o.Classes) > 0 {
		kind = o.Classes[0].Kind
		for _, c := range o.Classes[1:] {
			if c.Kind != kind {
				kind = frame.Object
			}
		}
	}
	switch kind {
	case frame.Float64, frame.List:
		return "float"
	case frame.Int64:
		return "integer"
	case frame.Boolean:
		return "boolean"
	}
	for _, c := range o.Classes {
		for _, v := range c.Values {
			if v.Kind() != frame.KindString {
				return "any"
			}
		}
	}
	if len(o.Classes) > 0 {
		return "string"
	}
	return "any"
}
