package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"mizzen.dev/internal/command"
	"mizzen.dev/internal/gitops"
	"mizzen.dev/internal/scaffold"
)

const initLong = `Make a repository around a model file: the Model with the file's digest, the
platform file, the objects for Kustomize with overlays for dev and prod, a workflow
for GitHub, a README with the commands, and rows for a smoke test. Nothing that is
there is overwritten.

The pods fetch the model from --store, or find it in the image, --image, which the
workflow makes. For the smoke test init asks mizzen, if it is installed, which
columns the model has, and what it answers.`

const initExample = `  # the model in the image
  mizzenctl init model.pkl --name iris --image ghcr.io/acme/iris

  # the model in a bucket, reachable from outside
  mizzenctl init model.pkl --name iris --version 1.0.0 --store s3://models --image ghcr.io/acme/iris --host iris.example.com

  # into a directory of its own
  mizzenctl init ~/models/iris.pkl --name iris --image ghcr.io/acme/iris -o iris`

type initOptions struct {
	in     scaffold.Input
	output string
}

func newInit(s command.Streams) *cobra.Command {
	var o initOptions
	cmd := &cobra.Command{
		Use:     "init FILE",
		Short:   "Make a repository around a model file",
		Long:    initLong,
		Example: initExample,
		GroupID: groupFiles,
		Args:    command.Arguments(1, 1, "one FILE with a model"),
		RunE:    func(cmd *cobra.Command, given []string) error { return o.run(cmd.Context(), s, given[0]) },
	}
	f := cmd.Flags()
	f.StringVar(&o.in.Name, "name", "", "`NAME` of the Model (default that of the file, or of its directory)")
	f.StringVar(&o.in.Version, "version", "0.1.0", "`VERSION` of the model")
	f.StringVarP(&o.in.Namespace, "namespace", "n", "ml-prod", "`NAMESPACE` of production; development has one beside it")
	f.StringVar(&o.in.Store, "store", "", "`URI` below which model files are kept, such as s3://models")
	f.StringVar(&o.in.Image, "image", "", "`REPOSITORY` that the image is pushed to, such as ghcr.io/acme/iris")
	f.StringVar(&o.in.Host, "host", "", "`NAME` under which the model is reached from outside")
	f.StringVarP(&o.output, "output", "o", ".", "`DIR` to make the repository in")
	return cmd
}

func (o *initOptions) run(ctx context.Context, s command.Streams, file string) error {
	if o.in.Image == "" {
		return command.Usagef("say where the image will be pushed to: --image REPOSITORY")
	}
	if name := repository(o.in.Image); name != o.in.Image {
		return command.Usagef("--image is a repository without a tag, such as %s: the workflow chooses the tags", name)
	}
	if err := gitops.CheckName(filepath.Base(file)); err != nil {
		return command.Usagef("%v", err)
	}
	digest, err := digestOf(file)
	if err != nil {
		return err
	}
	absolute, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	o.in.Digest, o.in.ModelFile, o.in.Mizzen = digest, filepath.Base(file), mizzenVersion()
	if o.in.Name == "" {
		o.in.Name = scaffold.NameOf(filepath.Base(filepath.Dir(absolute)), o.in.ModelFile)
	}
	notes := ""
	if o.in.Rows, o.in.Answers, err = smokeTest(ctx, absolute); err != nil {
		notes = fmt.Sprintf("no smoke test was made: %v; README.md says how to\n", err)
	}
	files, err := scaffold.Files(ctx, o.in)
	if err != nil {
		return err
	}
	written, err := writeFiles(o.output, files, nil, false)
	var exist *existError
	if errors.As(err, &exist) {
		return fmt.Errorf("%w: choose another directory with --output, or move them away", err)
	}
	if err != nil {
		return err
	}
	copied, err := copyModel(absolute, filepath.Join(o.output, o.in.ModelFile))
	if err != nil {
		return err
	}
	for _, name := range append(written, copied...) {
		fmt.Fprintln(s.Out, name)
	}
	fmt.Fprint(s.Err, command.PrintableLines(notes))
	_, err = fmt.Fprintf(s.Out, "\nNext, in %s:\n%s", o.output, o.next())
	return err
}

// next is what to do now.
func (o *initOptions) next() string {
	var b strings.Builder
	fmt.Fprintf(&b, "  mizzen serve %s\n", o.in.ModelFile)
	b.WriteString("  mizzenctl render -f model.yaml --platform platform.yaml\n")
	if uri := o.in.URI(); uri != "" {
		fmt.Fprintf(&b, "  upload %s to %s\n", o.in.ModelFile, uri)
	}
	b.WriteString("  git init, commit and push: the workflow makes the image\n")
	b.WriteString("  mizzenctl platform apply -f platform.yaml\n")
	b.WriteString("  kubectl apply --server-side -k deploy/overlays/dev\n")
	return b.String()
}

func digestOf(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", fmt.Errorf("reading %s: %w", file, err)
	}
	return "sha256:" + hex.EncodeToString(sum.Sum(nil)), nil
}

// copyModel puts the model into the repository, if it is not there.
func copyModel(from, to string) (copied []string, err error) {
	source, err := os.Open(from)
	if err != nil {
		return nil, err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // as others may read it
	if errors.Is(err, fs.ErrExist) {
		return nil, sameModel(from, to)
	}
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(target, source)
	return []string{to}, errors.Join(err, target.Close())
}

func sameModel(from, to string) error {
	ours, err := digestOf(from)
	if err != nil {
		return err
	}
	theirs, err := digestOf(to)
	if err == nil && ours != theirs {
		return fmt.Errorf("%s is another model: move it away, or choose another directory with --output", to)
	}
	return err
}
