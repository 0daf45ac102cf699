// Package charttest renders charts in tests as helm install does.
package charttest

import (
	"testing"

	helmcommon "helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	"sigs.k8s.io/yaml"
)

// Render renders the chart in a directory for a namespace, as the release mizzen, and
// returns the files by their names. The values are YAML.
func Render(t testing.TB, dir, namespace, values string) map[string]string {
	t.Helper()
	chart, err := loader.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	given := map[string]any{}
	if err := yaml.Unmarshal([]byte(values), &given); err != nil {
		t.Fatal(err)
	}
	all, err := util.ToRenderValues(chart, given, helmcommon.ReleaseOptions{Name: "mizzen", Namespace: namespace, IsInstall: true}, helmcommon.DefaultCapabilities)
	if err != nil {
		t.Fatal(err)
	}
	files, err := engine.Render(chart, all)
	if err != nil {
		t.Fatal(err)
	}
	return files
}
