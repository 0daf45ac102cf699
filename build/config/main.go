// Command config writes what of config/ comes from elsewhere: the definition of Model,
// and install.yaml, which is all of it in one file.
package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
)

//go:generate go run mizzen.dev/build/config

// root of the repository, from the directory that go generate runs this in.
const root = "../.."

// parts of install.yaml, in the order in which they are to be applied.
var parts = []string{"namespace.yaml", "crd.yaml", "rbac.yaml", "deployment.yaml"}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "config:", err)
		os.Exit(1)
	}
}

func run() error {
	crd, err := os.ReadFile(filepath.Join(root, "api/v1alpha1/crd.yaml"))
	if err != nil {
		return err
	}
	// A chart installs a definition once, and Helm leaves it alone afterwards.
	for _, path := range []string{"config/crd.yaml", "charts/mizzen/crds/crd.yaml"} {
		if err := write(path, crd); err != nil {
			return err
		}
	}
	var all bytes.Buffer
	for i, part := range parts {
		content, err := os.ReadFile(filepath.Join(root, "config", part))
		if err != nil {
			return err
		}
		if i > 0 {
			all.WriteString("---\n")
		}
		all.Write(bytes.TrimPrefix(content, []byte("---\n")))
	}
	return write("config/install.yaml", all.Bytes())
}

func write(path string, content []byte) error {
	path = filepath.Join(root, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o644)
}
