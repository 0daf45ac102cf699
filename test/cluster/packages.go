//go:build linux

package cluster

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// tools returns what nodes are made of beside Kubernetes, with the packages of Debian
// that have it.
func tools() map[string]string {
	return map[string]string{
		"containerd": "containerd", "runc": "runc", "tini": "tini",
		"ip": "iproute2", "nft": "nftables", "iptables": "iptables", "conntrack": "conntrack",
		"nsenter": "util-linux", "mount": "mount", cniDir + "/bridge": "containernetworking-plugins",
	}
}

const cniDir = "/usr/lib/cni"

// installPackages installs what is missing, on a Debian.
func installPackages(ctx context.Context, progress io.Writer) error {
	missing := missingPackages()
	if len(missing) == 0 {
		return nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("missing for nodes, as Debian's packages are named: %s; install them", strings.Join(missing, " "))
	}
	fmt.Fprintf(progress, "cluster: installing %s\n", strings.Join(missing, " "))
	// A folder of archives of its own: another apt-get that ends meanwhile may empty
	// the common one.
	archives, err := os.MkdirTemp("", "archives")
	if err != nil {
		return err
	}
	defer os.RemoveAll(archives)
	if err := os.Mkdir(filepath.Join(archives, "partial"), 0o755); err != nil {
		return err
	}
	common := []string{"-qq", "-o", "DPkg::Lock::Timeout=300", "-o", "Dir::Cache::archives=" + archives}
	for _, args := range [][]string{{"update"}, append([]string{"install", "-y", "--no-install-recommends"}, missing...)} {
		cmd := exec.CommandContext(ctx, "apt-get", append(common, args...)...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("apt-get %s: %w: %s", args[0], err, out)
		}
	}
	if missing := missingPackages(); len(missing) > 0 {
		return fmt.Errorf("%s: installed, and what is needed of them still is not there", strings.Join(missing, " "))
	}
	return nil
}

func missingPackages() []string {
	var missing []string
	for tool, pkg := range tools() {
		if _, err := exec.LookPath(tool); err != nil {
			missing = append(missing, pkg)
		}
	}
	return missing
}
