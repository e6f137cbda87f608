package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/cldcde/restash/client"
)

// version says which build this is: what a report of a fault should begin with.
func version() string {
	info, _ := debug.ReadBuildInfo()
	return describeBuild(info)
}

func describeBuild(info *debug.BuildInfo) string {
	text := "restash " + client.Version()
	settings := map[string]string{}
	if info != nil {
		for _, s := range info.Settings {
			settings[s.Key] = s.Value
		}
	}
	commit := settings["vcs.revision"]
	switch {
	case commit == "":
		commit = "unknown" // go install module@version knows none; the version stands before it
	case len(commit) > 12:
		commit = commit[:12]
	}
	if settings["vcs.modified"] == "true" {
		commit += ", with changes"
	}
	if date := settings["vcs.time"]; date != "" {
		commit += ", " + date
	}
	return fmt.Sprintf("%s (commit %s; %s %s/%s)", text, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
