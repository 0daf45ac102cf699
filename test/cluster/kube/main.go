// Command kube is a Kubernetes control plane in one binary: etcd, kube-apiserver,
// kube-controller-manager, kube-scheduler and kubectl. It runs the component that
// it is named as (through a link), or the one that its first argument names.
//
// With EXIT_WITH_PARENT in its environment it ends when the process that started it
// does: a test that is killed leaves no server behind.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
	_ "time/tzdata" // CronJobs and schedules name time zones, and a test's machine may have none

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"          // --logging-format=json
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // the client's own metrics
	_ "k8s.io/component-base/metrics/prometheus/version"  // the build's metric
	"k8s.io/kubectl/pkg/cmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

func main() {
	components := map[string]func() int{
		"etcd": func() int { etcdmain.Main(os.Args); return 0 },
		"kube-apiserver": func() int {
			return cli.Run(apiserver.NewAPIServerCommand())
		},
		"kube-controller-manager": func() int {
			return cli.Run(controllers.NewControllerManagerCommand())
		},
		"kube-scheduler": func() int {
			return cli.Run(scheduler.NewSchedulerCommand())
		},
		"kubectl": func() int { return runKubectl(cmd.NewDefaultKubectlCommand()) },
	}
	name := filepath.Base(os.Args[0])
	run, ok := components[name]
	if !ok && len(os.Args) > 1 {
		os.Args = os.Args[1:]
		name = os.Args[0]
		run, ok = components[name]
	}
	if !ok {
		fmt.Fprintf(os.Stderr, "kube: no component is named %q\n", name)
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

// runKubectl leaves the printing of errors to kubectl, which knows its own.
func runKubectl(command *cobra.Command) int {
	if err := cli.RunNoErrOutput(command); err != nil {
		return 1
	}
	return 0
}
