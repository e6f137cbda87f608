package client

import (
	"cmp"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
)

// module is the path that a program's list of modules has for this SDK.
const module = "github.com/cldcde/restash"

// Version returns the version of this SDK in the program that runs, such as
// "0.3.0", as the Go toolchain wrote it into the program; "devel" if that was
// built from a folder. It is what telemetry and the field User-Agent say.
func Version() string { return builtVersion() }

var builtVersion = sync.OnceValue(func() string {
	info, _ := debug.ReadBuildInfo()
	return versionIn(info)
})

func versionIn(info *debug.BuildInfo) string {
	if info == nil {
		return "devel"
	}
	for _, m := range slices.Concat(info.Deps, []*debug.Module{&info.Main}) {
		if m.Path != module {
			continue
		}
		if m.Replace != nil {
			m = m.Replace
		}
		if m.Version != "(devel)" {
			return cmp.Or(strings.TrimPrefix(m.Version, "v"), "devel")
		}
	}
	return "devel"
}

// userAgent is the value of the field: one element, never written to.
var userAgent = sync.OnceValue(func() []string { return []string{"restash/" + Version()} })
