// Command kube is a Kubernetes control plane in one binary: etcd, kube-apiserver,
// kube-controller-manager, kube-scheduler and kubectl.
package main

import (
	_ "time/tzdata" // CronJobs and schedules name time zones, and a test's machine may have none

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	"k8s.io/kubectl/pkg/cmd"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"

	"mizzen.dev/test/cluster/kube/component"
)

func main() {
	components := component.APIServer()
	components["kube-controller-manager"] = component.Server(controllers.NewControllerManagerCommand)
	components["kube-scheduler"] = component.Server(func() *cobra.Command { return scheduler.NewSchedulerCommand() })
	components["kubectl"] = func() int { return runKubectl(cmd.NewDefaultKubectlCommand()) }
	components.Main()
}

// runKubectl leaves the printing of errors to kubectl, which knows its own.
func runKubectl(command *cobra.Command) int {
	if err := cli.RunNoErrOutput(command); err != nil {
		return 1
	}
	return 0
}
