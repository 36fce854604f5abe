// Package version says which version of the sources a program was built from.
package version

import "runtime/debug"

// stamped is what a release links in:
// -ldflags "-X github.com/qingcang/qingcang/operators/campaign/internal/version.stamped=1.2.3".
var stamped string

// Running is the stamped version of this program, else its commit, else what Go says of its module.
func Running() string {
	info, _ := debug.ReadBuildInfo()
	return of(stamped, info)
}

const (
	// shortCommit is how much of a commit tells it from all others.
	shortCommit = 12
	// unversioned is what Go calls a module that has no version.
	unversioned = "(devel)"
)

// of reads what Go knows of a build, nil where it knows nothing.
func of(stamped string, info *debug.BuildInfo) string {
	if stamped != "" {
		return stamped
	}
	if info == nil {
		return "unknown"
	}
	commit, dirty := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "-dirty"
		}
	}
	switch {
	case commit != "":
		return commit[:min(len(commit), shortCommit)] + dirty
	case info.Main.Version != "" && info.Main.Version != unversioned:
		return info.Main.Version
	default:
		return "of an unknown commit (built with -buildvcs=false)"
	}
}
