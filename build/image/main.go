// Command image builds the container image of mizzen without Docker: an OCI
// layout with one image a platform, each a static binary, root certificates and
// nothing else. The same sources give the same digest, wherever it runs.
//
//	go run ./build/image -version v1.2.3 -out dist/image
//
// With -rootfs it writes the files of one platform's image into a directory
// instead, for the Dockerfile.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/tabwriter"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// The image must stay small: it is pulled on every node.
const (
	maxCompressed = 10 << 20
	maxUnpacked   = 25 << 20
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

type options struct {
	version   string
	out       string
	rootfs    string
	platforms []v1.Platform
}

func parse(args []string) (*options, error) {
	var o options
	var platforms string
	flags := flag.NewFlagSet("image", flag.ContinueOnError)
	flags.StringVar(&o.version, "version", "devel", "version to put into the binary and the labels")
	flags.StringVar(&o.out, "out", "dist/image", "directory of the OCI layout; what is in it is replaced")
	flags.StringVar(&o.rootfs, "rootfs", "", "write the files of the first platform's image here instead")
	flags.StringVar(&platforms, "platforms", "linux/amd64,linux/arm64", "platforms of the image")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	for p := range strings.SplitSeq(platforms, ",") {
		parsed, err := v1.ParsePlatform(p)
		if err != nil {
			return nil, fmt.Errorf("-platforms: %w", err)
		}
		o.platforms = append(o.platforms, *parsed)
	}
	return &o, nil
}

func run(args []string, stdout io.Writer) error {
	o, err := parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	if o.rootfs != "" {
		binary, err := compile(o.platforms[0], o.version)
		if err != nil {
			return err
		}
		return writeRootfs(o.rootfs, append(base(), program(binary)))
	}
	images := make([]*built, len(o.platforms))
	for i, p := range o.platforms {
		binary, err := compile(p, o.version)
		if err != nil {
			return fmt.Errorf("compiling for %s: %w", p, err)
		}
		if images[i], err = buildImage(p, o.version, binary); err != nil {
			return fmt.Errorf("building the image for %s: %w", p, err)
		}
	}
	digest, err := writeLayout(o.out, images)
	if err != nil {
		return err
	}
	if err := report(stdout, o.out, digest, images); err != nil {
		return err
	}
	return checkSizes(images)
}

func report(w io.Writer, dir string, digest v1.Hash, images []*built) error {
	fmt.Fprintf(w, "%s\t%s\n\n", dir, digest)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "platform\tcompressed\tunpacked\tdigest")
	for _, b := range images {
		fmt.Fprintf(table, "%s\t%.2f MB\t%.2f MB\t%s\n", b.platform, float64(b.compressed)/1e6, float64(b.unpacked)/1e6, b.digest)
	}
	return table.Flush()
}

func checkSizes(images []*built) error {
	for _, b := range images {
		if b.compressed > maxCompressed || b.unpacked > maxUnpacked {
			return fmt.Errorf("the image for %s has %d bytes compressed and %d unpacked: at most %d and %d are allowed",
				b.platform, b.compressed, b.unpacked, maxCompressed, maxUnpacked)
		}
	}
	return nil
}

// compile builds mizzen for a platform and returns the binary.
func compile(p v1.Platform, version string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "mizzen-image-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "mizzen")
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false",
		"-ldflags", "-s -w -X mizzen.dev/internal/version.version="+version, "-o", out, "./cmd/mizzen")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+p.OS, "GOARCH="+p.Architecture)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("running go build: %w", err)
	}
	return os.ReadFile(out)
}
