// Package component lets one binary be several components of Kubernetes.
package component

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"          // --logging-format=json
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // the client's own metrics
	_ "k8s.io/component-base/metrics/prometheus/version"  // the build's metric
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
)

// Set are components by their names.
type Set map[string]func() int

// APIServer returns etcd and kube-apiserver.
func APIServer() Set {
	return Set{
		"etcd":           func() int { etcdmain.Main(os.Args); return 0 },
		"kube-apiserver": Server(apiserver.NewAPIServerCommand),
	}
}

// Server returns a component that a command is.
func Server(newCommand func() *cobra.Command) func() int {
	return func() int { return cli.Run(newCommand()) }
}

// Main runs the component that the process is named as (through a link), or the one
// that its first argument names, and exits.
//
// With EXIT_WITH_PARENT in its environment the process ends when the one that started
// it does: a test that is killed leaves no server behind.
func (s Set) Main() {
	name := filepath.Base(os.Args[0])
	run, ok := s[name]
	if !ok && len(os.Args) > 1 {
		os.Args = os.Args[1:]
		name = os.Args[0]
		run, ok = s[name]
	}
	if !ok {
		fmt.Fprintf(os.Stderr, "no component is named %q\n", name)
		os.Exit(2)
	}
	if os.Getenv("EXIT_WITH_PARENT") != "" {
		go exitWithParent(os.Getppid())
	}
	os.Exit(run())
}

// exitWithParent ends this process once another than the given one is its parent.
// What it holds is a test's, so that nothing is lost by going at once.
func exitWithParent(parent int) {
	for range time.Tick(time.Second) {
		if os.Getppid() != parent {
			os.Exit(1)
		}
	}
}
