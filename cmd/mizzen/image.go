package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path"
	"runtime"
	"strings"
	"text/tabwriter"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/spf13/cobra"

	"mizzen.dev/internal/command"
	"mizzen.dev/internal/config"
	"mizzen.dev/internal/image"
	"mizzen.dev/internal/registry"
	"mizzen.dev/internal/serve"
	"mizzen.dev/model"
)

const imageLong = `Make a container image without Docker: Mizzen and root certificates, and a model
if one is given, in a layer of its own. The model is looked into first; what serve
would refuse is not packed. It lies at /models/NAME/model.pkl, and MODEL_PATH says
so. The same files give the same digest.

The image is pushed to the registry of its name (--push, with Docker's
credentials), or written to a file or a directory in OCI's layout (--to; default
NAME-VERSION.tar), which docker load, podman load and ctr image import take.

The program is this one, where it runs on Linux; --binary names others, one for
each platform.`

const imageExample = `  # an image with a model in it, pushed; its digest is printed
  mizzen image -t ghcr.io/team/iris:0.1.0-3f2a91c --model model.pkl --push

  # for two platforms, to a file
  mizzen image -t iris:0.1.0 --model model.pkl \
    --binary bin/linux-amd64/mizzen --binary bin/linux-arm64/mizzen --to iris.tar

  # Mizzen alone; the model comes from a volume or a store
  mizzen image -t registry.example.com/mizzen:1.0.0 --push`

type imageOptions struct {
	tag       string
	modelFile string
	name      string
	binaries  []string
	program   command.Choice
	labels    map[string]string
	push      bool
	to        string
	rootfs    string
	maxSize   config.Bytes
	client    registry.Client
	output    command.Choice
	model     modelFlags

	ref name.Tag
}

func newImage(s command.Streams) *cobra.Command {
	var o imageOptions
	cmd := &cobra.Command{
		Use:               "image -t REPOSITORY:VERSION",
		Short:             "Make a container image, with a model in it or without",
		Long:              imageLong,
		Example:           imageExample,
		Args:              command.Arguments(0, 0, "no arguments"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), s) },
	}
	f := cmd.Flags()
	o.model.add(cmd)
	check := cmd.PreRunE
	cmd.PreRunE = func(cmd *cobra.Command, given []string) error {
		if err := check(cmd, given); err != nil {
			return err
		}
		return o.check()
	}
	f.StringVarP(&o.tag, "tag", "t", "", "name of the image, `REPOSITORY:VERSION`, such as ghcr.io/team/iris:0.1.0-3f2a91c")
	f.StringVar(&o.modelFile, "model", "", "model `file` that goes into the image")
	f.StringVar(&o.name, "name", "", "`name` of the model (default: the file's, or its directory's if that is model.*)")
	f.StringArrayVar(&o.binaries, "binary", nil, "`file` of the program for one platform; may be repeated (default: this program)")
	o.program.Flag(cmd, "program", "", "what the binaries are", image.Mizzen, image.Mizzenctl)
	f.StringToStringVar(&o.labels, "label", nil, "labels, as `key=value`")
	f.BoolVar(&o.push, "push", false, "push the image to its registry")
	f.StringVar(&o.to, "to", "", "write the image to a `path`: an archive if it ends in .tar, or else a directory")
	f.StringVar(&o.rootfs, "rootfs", "", "write the files of the first binary's image into a `directory` instead, for a Dockerfile")
	f.Var(&o.maxSize, "max-size", "fail if an image is larger than this, as it is pulled")
	f.StringVar(&o.client.Credentials, "credentials", "", "`directory` of a mounted Secret of registries (default: Docker's own configuration)")
	f.BoolVar(&o.client.PlainHTTP, "plain-http", isTrue("MIZZEN_PLAIN_HTTP"), "push without TLS ($MIZZEN_PLAIN_HTTP)")
	f.Lookup("plain-http").DefValue = "false"
	f.Lookup("max-size").DefValue = ""
	o.output.Flag(cmd, "output", "o", "form of the result", "text", "json")
	return cmd
}

func (o *imageOptions) check() error {
	if o.rootfs != "" {
		return nil
	}
	if o.tag == "" {
		return command.Usagef("the image needs a name: -t REPOSITORY:VERSION")
	}
	var options []name.Option
	if o.client.PlainHTTP {
		options = append(options, name.Insecure)
	}
	ref, err := name.NewTag(o.tag, options...)
	if err != nil {
		return command.Usagef("-t: %w", err)
	}
	if !strings.HasSuffix(o.tag, ":"+ref.TagStr()) {
		return command.Usagef("-t: %s names no version; write such as %s:0.1.0", o.tag, o.tag)
	}
	o.ref = ref
	if o.name != "" && !config.ValidName(o.name) {
		return command.Usagef("--name: %q cannot be part of a path: use letters, digits, '.', '_' and '-'", o.name)
	}
	if o.modelFile != "" && o.program.Value != image.Mizzen {
		return command.Usagef("--model: only mizzen serves models")
	}
	if !o.push && o.to == "" {
		o.to = path.Base(ref.RepositoryStr()) + "-" + ref.TagStr() + ".tar"
	}
	return nil
}

func (o *imageOptions) run(ctx context.Context, s command.Streams) (err error) {
	binaries, err := o.readBinaries()
	if err != nil {
		return err
	}
	if o.rootfs != "" {
		return image.WriteRootfs(o.rootfs, binaries[0])
	}
	spec := image.Spec{Version: o.ref.TagStr(), Labels: o.labels}
	if o.modelFile != "" {
		if spec.Model, err = o.inspect(ctx); err != nil {
			return err
		}
	}
	set, err := image.Build(spec, binaries)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, set.Close()) }()
	for _, i := range set.Images {
		if o.maxSize > 0 && i.Compressed > int64(o.maxSize) {
			return fmt.Errorf("the image for %s has %d bytes; at most %s are allowed (--max-size)", i.Platform, i.Compressed, o.maxSize)
		}
	}
	if err := o.write(ctx, s, set); err != nil {
		return err
	}
	return o.report(s, set)
}

// readBinaries reads the programs; each says for which platform it is.
func (o *imageOptions) readBinaries() ([]*image.Binary, error) {
	files := o.binaries
	if len(files) == 0 {
		if runtime.GOOS != "linux" {
			return nil, command.Usagef("this program is for %s, images are for Linux: name a program for it with --binary", runtime.GOOS)
		}
		own, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("finding this program: %w", err)
		}
		files = []string{own}
	}
	var binaries []*image.Binary
	seen := map[string]string{}
	for _, f := range files {
		b, err := image.ReadBinary(o.program.Value, f)
		if err != nil {
			return nil, err
		}
		if other := seen[b.Platform.String()]; other != "" {
			return nil, command.Usagef("--binary: %s and %s are both for %s", other, f, b.Platform)
		}
		seen[b.Platform.String()] = f
		binaries = append(binaries, b)
	}
	return binaries, nil
}

// inspect opens the model as serve would.
func (o *imageOptions) inspect(ctx context.Context) (*image.Model, error) {
	m, err := model.Open(ctx, o.modelFile, o.model.options)
	if err != nil {
		return nil, fmt.Errorf("serve would refuse %s, so that it is not packed: %w", o.modelFile, err)
	}
	sig := m.Signature()
	named := o.name
	if named == "" {
		named = serve.ModelName(o.modelFile)
	}
	return &image.Model{Name: named, Path: o.modelFile, Extension: serve.Extension(o.modelFile), Size: sig.Size, Digest: sig.Digest, Class: sig.Class}, nil
}

func (o *imageOptions) write(ctx context.Context, s command.Streams, set *image.Set) error {
	if o.to != "" {
		write := set.WriteLayout
		if strings.HasSuffix(o.to, ".tar") {
			write = set.WriteArchive
		}
		if err := write(o.to, o.ref); err != nil {
			return err
		}
	}
	if !o.push {
		return nil
	}
	o.client.Transport = http.DefaultTransport
	progress := newFetchProgress("pushing", s, serve.NewLogger(s.Err, "auto", "info"), false)
	defer progress.close()
	return set.Push(ctx, &o.client, o.ref, progress.set)
}

// pushed is the result, as -o json writes it.
type pushed struct {
	Image     string          `json:"image"`
	Digest    string          `json:"digest"`
	Path      string          `json:"path,omitempty"`
	Pushed    bool            `json:"pushed"`
	Platforms []imagePlatform `json:"platforms"`
}

type imagePlatform struct {
	Platform   string `json:"platform"`
	Digest     string `json:"digest"`
	Compressed int64  `json:"compressed"`
	Unpacked   int64  `json:"unpacked"`
}

func (o *imageOptions) report(s command.Streams, set *image.Set) error {
	digest, err := set.Digest()
	if err != nil {
		return err
	}
	r := pushed{Image: o.ref.Name(), Digest: digest.String(), Path: o.to, Pushed: o.push}
	for _, i := range set.Images {
		r.Platforms = append(r.Platforms, imagePlatform{i.Platform.String(), i.Digest.String(), i.Compressed, i.Unpacked})
	}
	if o.output.Value == "json" {
		return json.NewEncoder(s.Out).Encode(r)
	}
	fmt.Fprintf(s.Out, "%s@%s\n", r.Image, r.Digest)
	table := tabwriter.NewWriter(s.Err, 0, 0, 2, ' ', 0)
	for _, p := range r.Platforms {
		fmt.Fprintf(table, "%s\t%s, %s unpacked\t%s\n", p.Platform, byteCount(uint64(p.Compressed)), byteCount(uint64(p.Unpacked)), p.Digest)
	}
	return table.Flush()
}
