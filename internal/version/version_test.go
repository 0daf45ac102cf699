package version

import (
	"runtime/debug"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDescribe(t *testing.T) {
	settings := []debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.modified", Value: "true"}}
	tests := map[string]struct {
		linked string
		build  *debug.BuildInfo
		want   Info
	}{
		"no build information": {"", nil, Info{Version: "devel"}},
		"go run":               {"", &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}}, Info{Version: "devel"}},
		"go install":           {"", &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}}, Info{Version: "v1.2.3"}},
		"release":              {"v1.2.3", &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}}, Info{Version: "v1.2.3"}},
		"changed sources":      {"v1", &debug.BuildInfo{Settings: settings}, Info{Version: "v1", Commit: "abc+dirty"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := describe(test.linked, test.build)
			if got.Go == "" || got.Platform == "" {
				t.Errorf("Go or Platform is missing: %+v", got)
			}
			got.Go, got.Platform = "", ""
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
