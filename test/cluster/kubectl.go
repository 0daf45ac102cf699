//go:build linux

package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"text/template"
)

// Kubectl runs kubectl as the administrator and returns what it printed.
func (c *Cluster) Kubectl(ctx context.Context, args ...string) (string, error) {
	return c.kubectlWith(ctx, "", args...)
}

// Apply applies YAML on the server's side, as the field manager "test".
func (c *Cluster) Apply(ctx context.Context, yaml string) error {
	_, err := c.kubectlWith(ctx, yaml, "apply", "--server-side", "--force-conflicts", "--field-manager=test", "-f", "-")
	return err
}

func (c *Cluster) kubectlWith(ctx context.Context, input string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, c.kubectl, args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+c.kubeconfig)
	cmd.Stdin = strings.NewReader(input)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		return out.String(), errors.Join(context.Cause(ctx), fmt.Errorf("kubectl %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(errOut.String())))
	}
	return out.String(), nil
}

// applyTemplate applies YAML in which values are to be filled in.
func (c *Cluster) applyTemplate(ctx context.Context, name, text string, values any) error {
	t, err := template.New(name).Option("missingkey=error").Parse(text)
	if err != nil {
		return err
	}
	var yaml bytes.Buffer
	if err := t.Execute(&yaml, values); err != nil {
		return err
	}
	if err := c.Apply(ctx, yaml.String()); err != nil {
		return fmt.Errorf("applying %s: %w", name, err)
	}
	return nil
}
