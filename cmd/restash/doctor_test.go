package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestDoctorStatusSaysWhetherAllIsWell(t *testing.T) {
	server := database(t)
	r := restash(t, "doctor")
	assert.Zero(t, r.status, r.out)
	assert.Regexp(t, `(?m)^ok    reachable     answers$`, r.out)
	t.Setenv(tokenVariable, server.ReadOnlyToken)
	r = restash(t, "doctor")
	assert.Equal(t, exitFailed, r.status)
	assert.Regexp(t, `(?m)^fail  token         may only read  →  use the standard token`, r.out)
	assert.Empty(t, r.errs)
	r = restash(t, "doctor", "--json")
	for line := range strings.Lines(r.out) {
		assert.Regexp(t, `^{"check":"[a-zA-Z ]+","level":"(ok|warn|fail|skip)","says":".*}\n$`, line)
	}
	unsetRedis(t)
	r = restash(t, "doctor")
	assert.Equal(t, exitFailed, r.status)
	assert.Contains(t, r.out, "restash serve")
}
