// Package crds has the CustomResourceDefinitions of those whose kinds Mizzen writes,
// at pinned versions, as their own modules publish them: what Mizzen renders is
// checked against the real schemas. One that cannot be had is an error.
//
// The modules are downloaded for their files alone, so that nothing of theirs is in
// Mizzen's go.mod; the checksums stand here instead of in go.sum.
package crds

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Set is the definitions of one project.
type Set struct {
	// Module, Version and Sum are as in go.sum.
	Module, Version, Sum string
	// Dirs are the module's folders of definitions.
	Dirs []string
	// Written are the files there that define the kinds that Mizzen writes.
	Written []string
}

// GatewayAPI returns the standard channel of the Gateway API.
func GatewayAPI() Set {
	return Set{"sigs.k8s.io/gateway-api", "v1.6.1", "h1:mock6phZbI6rvZerwrVNk7hVNymQgHo+6sJ81Ia7ftY=",
		[]string{"config/crd/standard"},
		[]string{"gateway.networking.k8s.io_gatewayclasses.yaml", "gateway.networking.k8s.io_gateways.yaml",
			"gateway.networking.k8s.io_httproutes.yaml", "gateway.networking.k8s.io_grpcroutes.yaml"}}
}

// KEDA returns ScaledObject and its kin.
func KEDA() Set {
	return Set{"github.com/kedacore/keda/v2", "v2.21.0", "h1:R6z2HZvstK4RLUMxroNACzBj74xGxt3kG59b5Xc+Xps=",
		[]string{"config/crd/bases"}, []string{"keda.sh_scaledobjects.yaml"}}
}

// CertManager returns Certificate, the issuers, and what the ACME ones make.
func CertManager() Set {
	return Set{"github.com/cert-manager/cert-manager", "v1.21.2", "h1:UWgoYM+KLNtRlqmoWOKjKBOBUPVHeepQ6/ac3ERJW68=",
		[]string{"deploy/crds"}, []string{"cert-manager.io_certificates.yaml", "cert-manager.io_clusterissuers.yaml"}}
}

// PrometheusOperator returns ServiceMonitor, PodMonitor, PrometheusRule and their kin.
func PrometheusOperator() Set {
	return Set{"github.com/prometheus-operator/prometheus-operator", "v0.85.0", "h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=",
		[]string{"example/prometheus-operator-crd"},
		[]string{"monitoring.coreos.com_servicemonitors.yaml", "monitoring.coreos.com_prometheusrules.yaml"}}
}

// ArgoCD returns Application, ApplicationSet and AppProject.
func ArgoCD() Set {
	return Set{"github.com/argoproj/argo-cd/v3", "v3.3.0", "h1:9UlruTd5cC/MyvorTXgAIblfZTy63MF5FYvvoAaUvwU=",
		[]string{"manifests/crds"}, []string{"application-crd.yaml", "applicationset-crd.yaml"}}
}

// Kyverno returns its policies.
func Kyverno() Set {
	return Set{"github.com/kyverno/kyverno", "v1.19.1", "h1:/MkgFii3/VlQfKR1JpC9tVwNNVNQTt2S4U6qCsafsTU=",
		[]string{"config/crds/policies.kyverno.io", "config/crds/kyverno"},
		[]string{"policies.kyverno.io_imagevalidatingpolicies.yaml"}}
}

// All returns every set.
func All() []Set {
	return []Set{GatewayAPI(), KEDA(), CertManager(), PrometheusOperator(), ArgoCD(), Kyverno()}
}

// SumError says that a module is not what it was when its checksum was noted.
type SumError struct{ Module, Want, Got string }

func (e *SumError) Error() string {
	return fmt.Sprintf("%s has the checksum %s, expected %s: the module cache or the proxy has something else; do not use it", e.Module, e.Got, e.Want)
}

// Files returns the files of the sets' definitions. What of the modules is not there yet
// is downloaded.
func Files(ctx context.Context, sets ...Set) ([]string, error) {
	var all []string
	for _, set := range sets {
		files, err := set.files(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, files...)
	}
	return all, nil
}

// Written returns of Files those that define the kinds that Mizzen writes. An API server is
// busy for many seconds with the schemas of the others.
func Written(ctx context.Context, sets ...Set) ([]string, error) {
	var all []string
	for _, set := range sets {
		files, err := set.files(ctx)
		if err != nil {
			return nil, err
		}
		files = slices.DeleteFunc(files, func(file string) bool { return !slices.Contains(set.Written, filepath.Base(file)) })
		if len(files) != len(set.Written) {
			return nil, fmt.Errorf("%s has %d of the files %s", set.Module, len(files), strings.Join(set.Written, ", "))
		}
		all = append(all, files...)
	}
	return all, nil
}

func (s Set) files(ctx context.Context) ([]string, error) {
	root, err := s.download(ctx)
	if err != nil {
		return nil, fmt.Errorf("getting the CustomResourceDefinitions of %s@%s: %w", s.Module, s.Version, err)
	}
	var files []string
	for _, dir := range s.Dirs {
		found, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(dir), "*.yaml"))
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("%s has no CustomResourceDefinitions in %s", s.Module, dir)
		}
		files = append(files, found...)
	}
	return files, nil
}

// Dir returns the module's directory, which is downloaded if it is not there.
func (s Set) Dir(ctx context.Context) (string, error) { return s.download(ctx) }

// download returns the module's directory.
func (s Set) download(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", s.Module+"@"+s.Version)
	cmd.Dir = os.TempDir() // no module's go.mod is to have a say
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=", "GO111MODULE=on")
	out, runErr := cmd.Output()
	var got struct{ Dir, Sum, Error string }
	if err := json.Unmarshal(out, &got); err != nil {
		return "", errors.Join(runErr, err)
	}
	if got.Error != "" {
		return "", errors.New(got.Error)
	}
	if runErr != nil {
		return "", fmt.Errorf("go mod download: %w", runErr)
	}
	if got.Sum != s.Sum {
		return "", &SumError{Module: s.Module + "@" + s.Version, Want: s.Sum, Got: got.Sum}
	}
	return got.Dir, nil
}
