package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"mizzen.dev/internal/command"
	"mizzen.dev/internal/config"
	"mizzen.dev/internal/serve"
	"mizzen.dev/internal/store"
	"mizzen.dev/internal/store/uri"
	"mizzen.dev/internal/termination"
	"mizzen.dev/model"
)

const fetchLong = `Fetch a model file to DEST, a file or a directory: resumed where it was cut off,
tried again while the network or the store fails, verified before it takes its
place, and once where several processes or pods share the volume. It does nothing
if DEST has the digest already.

With --unpack the file is an archive, .tar, .tar.gz or .zip, and DEST the directory
to make of it. --unpack=tfserving, torchserve or triton lays it out as that server
wants its models. Links out of the archive, devices and bombs are refused.

URI is file:///PATH, http(s)://…, s3://BUCKET/KEY, gs://BUCKET/OBJECT,
azblob://CONTAINER/BLOB, oci://REGISTRY/REPOSITORY:TAG[#PATH] or
hf://ORG/REPO[@REVISION]/PATH. Credentials come from the variables and files that
each store's own tools know, or from a mounted Secret (--credentials); they are
never logged. docs/store.md has an example of each.`

const fetchExample = `  mizzen fetch https://example.com/iris/model.pkl models/iris/ --digest sha256:HEX

  # any S3-compatible store
  AWS_ENDPOINT_URL=http://minio:9000 mizzen fetch s3://models/iris/model.pkl /models/

  # out of an image that holds a model
  mizzen fetch oci://ghcr.io/team/iris:1.0#models/iris/model.pkl model.pkl

  # a directory: packed with tar czf model.tar.gz -C saved_model .
  mizzen fetch s3://models/ranking/model.tar.gz /models/ranking --unpack=tfserving

  # an init container: the digest and the size come to the pod's status
  mizzen fetch "$MODEL_URL" /models/ --digest "$MODEL_DIGEST" -o json`

const signalEcho = 50 * time.Millisecond

type fetchOptions struct {
	request store.Request
	unpack  command.Choice
	output  command.Choice
	format  command.Choice
	quiet   bool
	wrong   error // what is wrong with the environment
}

func newFetch(s command.Streams) *cobra.Command {
	var o fetchOptions
	cmd := &cobra.Command{
		Use:         "fetch URI DEST",
		Short:       "Fetch a model file from a store",
		Long:        fetchLong,
		Example:     fetchExample,
		Args:        command.Arguments(2, 2, "a URI and a DEST"),
		Annotations: inPod(),
		PreRunE:     func(*cobra.Command, []string) error { return o.check() },
		RunE: func(cmd *cobra.Command, given []string) error {
			o.request.URI, o.request.Path = given[0], given[1]
			return o.run(cmd.Context(), s)
		},
	}
	f, r := cmd.Flags(), &o.request
	r.MaxBytes = model.Limits{}.WithDefaults().Bytes
	f.StringVar(&r.Digest, "digest", os.Getenv("MODEL_DIGEST"), "refuse the file unless its digest is `sha256:HEX` ($MODEL_DIGEST)")
	f.Var((*config.Bytes)(&r.MaxBytes), "max-bytes", "most bytes of the file, and of what it unpacks to ($MIZZEN_MAX_BYTES)")
	if text := os.Getenv("MIZZEN_MAX_BYTES"); text != "" {
		o.wrong = (*config.Bytes)(&r.MaxBytes).Set(text)
	}
	o.unpack.Flag(cmd, "unpack", "", "make DEST a directory with what the archive holds, laid out", unpackChoices()...)
	f.Lookup("unpack").NoOptDefVal = string(store.AsIs)
	f.DurationVar(&r.Timeout, "timeout", time.Hour, "how long all of it may take")
	f.StringVar(&r.Credentials, "credentials", os.Getenv("MIZZEN_CREDENTIALS"), "`directory` with a file for each variable of a store, such as AWS_ACCESS_KEY_ID: a mounted Secret ($MIZZEN_CREDENTIALS)")
	f.BoolVar(&r.Anonymous, "anonymous", isTrue("MIZZEN_ANONYMOUS"), "ask without credentials, and look for none ($MIZZEN_ANONYMOUS)")
	f.BoolVar(&r.PlainHTTP, "plain-http", isTrue("MIZZEN_PLAIN_HTTP"), "let registries be asked without TLS ($MIZZEN_PLAIN_HTTP)")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "log errors only")
	o.output.Flag(cmd, "output", "o", "form of the result", "text", "json")
	o.format.Flag(cmd, "log-format", "", "form of the log", "auto", "text", "json")
	for _, name := range []string{"digest", "credentials"} {
		f.Lookup(name).DefValue = "" // what the environment has is no default for the reference
	}
	for _, name := range []string{"anonymous", "plain-http"} {
		f.Lookup(name).DefValue = "false"
	}
	return cmd
}

// noUnpack leaves an archive the file that it is.
const noUnpack = "no"

func unpackChoices() []string {
	choices := []string{noUnpack}
	for _, l := range store.Layouts() {
		choices = append(choices, string(l))
	}
	return choices
}

// isTrue reads a switch from the environment; what is no switch is off.
func isTrue(variable string) bool {
	value := strings.ToLower(os.Getenv(variable))
	return value == "true" || value == "1" || value == "t"
}

func (o *fetchOptions) check() error {
	if o.wrong != nil {
		return command.Usagef("MIZZEN_MAX_BYTES: %v", o.wrong)
	}
	limits := model.Limits{Bytes: o.request.MaxBytes}.WithDefaults()
	if err := config.CheckOptions(model.Options{Digest: o.request.Digest, Limits: limits}); err != nil {
		return &command.UsageError{Err: err}
	}
	if o.request.Timeout <= 0 {
		return command.Usagef("--timeout: it must be more than 0")
	}
	return nil
}

func (o *fetchOptions) run(ctx context.Context, s command.Streams) error {
	if err := o.destination(); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second signal ends it at once, but for the echo of the first: who signals a
	// process and then its group, as timeout(1) does, means one.
	context.AfterFunc(ctx, func() { time.AfterFunc(signalEcho, stop) })
	level := "info"
	if o.quiet {
		level = "error"
	}
	log := serve.NewLogger(s.Err, o.format.Value, level)
	o.request.Log = log
	progress := newFetchProgress("fetching", s, log, o.quiet)
	o.request.Progress = func(done, total int64) { progress.set(done, total) }
	o.request.Unpacking = func(done, total int64) {
		if progress.what != "unpacking" {
			progress.close()
			progress = newFetchProgress("unpacking", s, log, o.quiet)
		}
		progress.set(done, total)
	}
	start := time.Now()
	result, err := store.Fetch(ctx, o.request)
	progress.close()
	if err != nil {
		return err
	}
	log.Info("fetched", "path", o.request.Path, "digest", result.Digest, "bytes", result.Bytes, "files", max(1, result.Files),
		"there_already", !result.Fetched, "duration", time.Since(start))
	return o.report(s, log, result)
}

// destination completes the request: an address without a scheme is a file here,
// and in a directory the file keeps its name.
func (o *fetchOptions) destination() error {
	r := &o.request
	if !strings.Contains(r.URI, "://") {
		abs, err := filepath.Abs(r.URI)
		if err != nil {
			return err
		}
		r.URI = "file://" + (&uri.URI{Scheme: uri.File, Path: filepath.ToSlash(abs)}).Escaped()
	}
	u, err := uri.Parse(r.URI)
	if err != nil {
		return &command.UsageError{Err: err}
	}
	if o.unpack.Value != noUnpack {
		r.Unpack = store.Layout(o.unpack.Value)
		r.Path, err = filepath.Abs(r.Path)
		return err
	}
	info, err := os.Stat(r.Path)
	if strings.HasSuffix(r.Path, "/") || strings.HasSuffix(r.Path, string(filepath.Separator)) || err == nil && info.IsDir() {
		r.Path = filepath.Join(r.Path, filepath.Base(filepath.FromSlash(u.FilePath())))
	}
	return nil
}

// fetched is the result, as -o json writes it.
type fetched struct {
	Path    string `json:"path"`
	Digest  string `json:"digest"`
	Bytes   int64  `json:"bytes"`
	Files   int    `json:"files,omitempty"` // that were unpacked
	Fetched bool   `json:"fetched"`         // false: it was there already
}

func (o *fetchOptions) report(s command.Streams, log *slog.Logger, result store.Result) error {
	err := termination.Write(termination.Path(os.Getenv), termination.Report{Digest: result.Digest, Bytes: result.Bytes})
	if err != nil { // the file is there all the same
		log.Warn("cannot report to the kubelet", "error", err)
	}
	if o.output.Value == "json" {
		enc := json.NewEncoder(s.Out)
		enc.SetEscapeHTML(false)
		return enc.Encode(fetched{Path: o.request.Path, Digest: result.Digest, Bytes: result.Bytes, Files: result.Files, Fetched: result.Fetched})
	}
	_, err = fmt.Fprintf(s.Out, "%s  %s\n", result.Digest, command.Printable(o.request.Path))
	return err
}
