package client_test

import (
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cldcde/restash/client"
)

// The version is that of the module in the program, wherever it stands there.
func TestVersionIsThatOfTheBuild(t *testing.T) {
	const path = "github.com/cldcde/restash"
	other := debug.Module{Path: "example.com/app", Version: "v9.9.9"}
	dep := func(m debug.Module) *debug.BuildInfo {
		return &debug.BuildInfo{Main: other, Deps: []*debug.Module{{Path: "example.com/x", Version: "v7.0.0"}, &m}}
	}
	for want, info := range map[string]*debug.BuildInfo{
		"0.3.0":                               dep(debug.Module{Path: path, Version: "v0.3.0"}),
		"0.4.0":                               {Main: debug.Module{Path: path, Version: "v0.4.0"}},
		"0.3.1-0.20261127101010-0123456789ab": dep(debug.Module{Path: path, Version: "v0.3.1-0.20261127101010-0123456789ab"}),
		"0.5.0":                               dep(debug.Module{Path: path, Version: "v0.3.0", Replace: &debug.Module{Path: "example.com/fork", Version: "v0.5.0"}}),
	} {
		assert.Equal(t, want, client.VersionIn(info))
	}
	for _, info := range []*debug.BuildInfo{
		nil, {Main: other}, {Main: debug.Module{Path: path, Version: "(devel)"}}, {Main: debug.Module{Path: path}},
		dep(debug.Module{Path: path, Version: "v0.0.0", Replace: &debug.Module{Path: "../restash"}}),
	} {
		assert.Equal(t, "devel", client.VersionIn(info))
	}
}
