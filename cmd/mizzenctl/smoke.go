package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// smokeTimeout is how long the model may take to be looked into and to answer.
const smokeTimeout = time.Minute

// signature is what mizzen inspect says of a model, as far as it is needed here.
type signature struct {
	Servable bool      `json:"servable"`
	Width    int       `json:"width"`
	Features []feature `json:"features"`
}

type feature struct {
	Name       string   `json:"name"`
	Type       string   `json:"type"`
	Categories []string `json:"categories"`
}

// maxColumns is how wide a row of a smoke test may be.
const maxColumns = 10_000

// smokeTest makes a row that the model takes and returns it with the model's answer.
// The model is mizzen's business: it is asked, if it is there.
func smokeTest(ctx context.Context, file string) (rows, answers []byte, err error) {
	mizzen, err := exec.LookPath("mizzen")
	if err != nil {
		return nil, nil, errors.New("mizzen is not installed")
	}
	ctx, cancel := context.WithTimeout(ctx, smokeTimeout)
	defer cancel()
	text, err := output(ctx, mizzen, "inspect", "--output", "json", file)
	if err != nil {
		return nil, nil, err
	}
	var s signature
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, nil, fmt.Errorf("reading what mizzen inspect says: %w", err)
	}
	if !s.Servable || len(s.Features) == 0 || len(s.Features) > maxColumns {
		return nil, nil, errors.New("mizzen cannot say which columns the model has")
	}
	if rows, err = row(s.Features); err != nil {
		return nil, nil, err
	}
	temp, err := os.CreateTemp("", "mizzen-rows-*.csv")
	if err != nil {
		return nil, nil, err
	}
	defer os.Remove(temp.Name())
	if _, err := temp.Write(rows); err != nil {
		return nil, nil, errors.Join(err, temp.Close())
	}
	if err := temp.Close(); err != nil {
		return nil, nil, err
	}
	answers, err = output(ctx, mizzen, "predict", file, temp.Name())
	return rows, answers, err
}

// row is one row of values, below the names of the columns if they have some.
func row(features []feature) ([]byte, error) {
	var names, values []string
	for _, f := range features {
		if f.Name != "" {
			names = append(names, f.Name)
		}
		value := "1"
		if f.Type == "string" {
			value = "unknown"
		}
		if len(f.Categories) > 0 {
			value = f.Categories[0]
		}
		values = append(values, value)
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	if len(names) == len(features) {
		if err := w.Write(names); err != nil {
			return nil, err
		}
	}
	if err := w.Write(values); err != nil {
		return nil, err
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

func output(ctx context.Context, program string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, program, args...) //nolint:gosec // mizzen, with the file that the user names
	text, err := cmd.Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		return nil, errors.New(strings.TrimSpace(string(failed.Stderr)))
	}
	return text, err
}
