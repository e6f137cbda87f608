//go:build !race

package main_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestErrorsAreOneLineAndExitStatus1(t *testing.T) {
	taken := dev(t, nil)
	at, err := url.Parse(taken.url)
	require.NoError(t, err)
	rest, err := url.Parse(taken.rest)
	require.NoError(t, err)
	good := []string{"UPSTASH_REDIS_REST_URL=http://127.0.0.1:1", "UPSTASH_REDIS_REST_TOKEN=hunter2"}
	tests := []struct {
		name string
		env  []string
		args []string
		want string
	}{
		{"taken port", nil, []string{"dev", "--addr", at.Host, "--rest-addr", "127.0.0.1:0"}, at.Host},
		{"taken REST port", nil, []string{"dev", "--addr", "127.0.0.1:0", "--rest-addr", rest.Host}, rest.Host},
		{"taken port of serve", nil, []string{"serve", "--addr", rest.Host}, rest.Host},
		{"bad Redis URL", []string{"UPSTASH_REDIS_REST_URL=redis://x", good[1]}, []string{"dev", "--addr", "127.0.0.1:0"}, "URL"},
		{"missing token", good[:1], []string{"dev", "--addr", "127.0.0.1:0"}, "UPSTASH_REDIS_REST_TOKEN"},
		{"missing URL", good[1:], []string{"dev", "--addr", "127.0.0.1:0"}, "UPSTASH_REDIS_REST_URL"},
		{"bad database URL", []string{"DATABASE_URL=mysql://u:hunter2@x/y"}, []string{"dev", "--addr", "127.0.0.1:0", "--rest-addr", "127.0.0.1:0"}, "DATABASE_URL"},
		{"warm without Redis", []string{"DATABASE_URL=" + strings.TrimPrefix(taken.env[2], "DATABASE_URL=")}, []string{"warm"}, "UPSTASH_REDIS_REST_URL"},
		{"warm without database", good, []string{"warm"}, "DATABASE_URL"},
		{"bad token", nil, []string{"serve", "--addr", "127.0.0.1:0", "--token", "hunter2 x"}, "oken"},
		{"warm over plain http", []string{"CRON_SECRET=hunter2"}, []string{"warm", "--url", "http://catalog.example.com"}, "https://"},
		{"warm with a user in the URL", []string{"CRON_SECRET=x"}, []string{"warm", "--url", "https://u:hunter2@catalog.example.com"}, "--url"},
		{"warm without the secret", nil, []string{"warm", "--url", taken.url}, "CRON_SECRET"},
		{"warm with another secret", []string{"CRON_SECRET=hunter2"}, []string{"warm", "--url", taken.url}, "403"},
		{"unknown command", nil, []string{"deploy"}, "deploy"},
		{"unknown flag", nil, []string{"dev", "--fast"}, "--fast"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cmd := command(t, tt.env, tt.args...)
			var stderr lockedBuffer
			cmd.Stderr = &stderr
			require.Error(t, cmd.Run())
			status := 1
			if strings.HasPrefix(tt.name, "unknown ") {
				status = 2
			}
			assert.Equal(t, status, cmd.ProcessState.ExitCode())
			text := stderr.String()
			assert.Equal(t, 1, strings.Count(text, "\n"), text)
			assert.True(t, strings.HasPrefix(text, "restash: "), text)
			assert.Contains(t, text, tt.want)
			assert.NotContains(t, text, "hunter2")
		})
	}
}

func TestWarmWithoutRedisSaysSoAndFails(t *testing.T) {
	d := dev(t, nil)
	cmd := command(t, []string{"UPSTASH_REDIS_REST_URL=http://127.0.0.1:1", "UPSTASH_REDIS_REST_TOKEN=hunter2", d.env[2]}, "warm")
	var stdout, stderr lockedBuffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	require.Error(t, cmd.Run())
	assert.Equal(t, 1, cmd.ProcessState.ExitCode())
	assert.Regexp(t, `(?m)^warmed 0, fresh 0, failed \d+, commands 1, trips 1, 0 bytes`, stdout.String())
	assert.Regexp(t, `(?m)^restash: warm: .*connection refused`, stderr.String())
	assert.NotContains(t, stderr.String(), "hunter2")
}

func TestCommandsPrintsTheTable(t *testing.T) {
	out, err := command(t, nil, "commands").Output()
	require.NoError(t, err)
	assert.Regexp(t, `(?m)^GET +string +read +yes .*Get\(key string\)`, string(out))
	assert.Regexp(t, `(?m)^INCR +string +write +no `, string(out))
}
