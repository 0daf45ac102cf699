// Package version says which build of Mizzen this is.
package version

import (
	"runtime"
	"runtime/debug"
)

// version is set by the linker for releases (see the Makefile); it is empty in
// what go run and go install make.
var version string

// Info describes a build.
type Info struct {
	// Version is the release, or what the Go toolchain knows: a module version,
	// or "devel".
	Version string `json:"version"`
	// Commit is the revision of the sources, with "+dirty" if they were changed;
	// empty where the build did not record it.
	Commit string `json:"commit,omitempty"`
	// Go is the toolchain; Platform is such as linux/amd64.
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// Get returns the description of this build.
func Get() Info {
	build, _ := debug.ReadBuildInfo()
	return describe(version, build)
}

func describe(linked string, build *debug.BuildInfo) Info {
	info := Info{Version: linked, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if build == nil {
		build = &debug.BuildInfo{}
	}
	if info.Version == "" {
		info.Version = build.Main.Version
	}
	if info.Version == "" || info.Version == "(devel)" {
		info.Version = "devel"
	}
	dirty := ""
	for _, s := range build.Settings {
		switch s.Key {
		case "vcs.revision":
			info.Commit = s.Value
		case "vcs.modified":
			if s.Value == "true" {
				dirty = "+dirty"
			}
		}
	}
	if info.Commit != "" {
		info.Commit += dirty
	}
	return info
}
