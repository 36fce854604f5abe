package version

import (
	"runtime/debug"
	"testing"
)

func TestAProgramSaysWhatItWasBuiltFrom(t *testing.T) {
	commit := debug.BuildSetting{Key: "vcs.revision", Value: "187df99c2b1f4a0e9d3c5b7a6f8e1d2c3b4a5968"}
	dirty := debug.BuildSetting{Key: "vcs.modified", Value: "true"}
	for name, tc := range map[string]struct {
		stamped string
		info    *debug.BuildInfo
		want    string
	}{
		"a release":                       {"1.2.3", &debug.BuildInfo{Settings: []debug.BuildSetting{commit}}, "1.2.3"},
		"a build in a checkout":           {"", &debug.BuildInfo{Settings: []debug.BuildSetting{commit}}, "187df99c2b1f"},
		"a build of an edited checkout":   {"", &debug.BuildInfo{Settings: []debug.BuildSetting{commit, dirty}}, "187df99c2b1f-dirty"},
		"a module as Go's proxy has it":   {"", &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}}, "v1.2.3"},
		"a build that was told no commit": {"", &debug.BuildInfo{Main: debug.Module{Version: unversioned}}, "of an unknown commit (built with -buildvcs=false)"},
		"a build without modules":         {"", nil, "unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := of(tc.stamped, tc.info); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
