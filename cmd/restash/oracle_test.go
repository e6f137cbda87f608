package main

import (
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/upstashtest"
	"github.com/cldcde/restash/upstashtest/redisengine"
)

// realRedis starts a Redis for the test and returns its port.
func realRedis(t *testing.T) string {
	t.Helper()
	for _, tool := range []string{"redis-server", "redis-cli"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("no ", tool)
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(listener.Addr().String())
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	server := exec.Command("redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir())
	require.NoError(t, server.Start())
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	require.Eventually(t, func() bool {
		return exec.Command("redis-cli", "-p", port, "PING").Run() == nil
	}, 20*time.Second, 50*time.Millisecond)
	return port
}

// TestExecPrintsWhatRedisCliPrints runs each command through both on one Redis.
func TestExecPrintsWhatRedisCliPrints(t *testing.T) {
	port := realRedis(t)
	engine, err := redisengine.New(t.Context(), "redis://127.0.0.1:"+port)
	require.NoError(t, err)
	database(t, func(c *upstashtest.Config) { c.Engine = engine })
	require.Equal(t, "OK\n", restash(t, "exec", "MSET", "plain", "a b", "bytes", "\x01\"\\\n\té", "n", "41").out)
	require.Equal(t, "12\n", restash(t, "exec", "RPUSH", "list", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12").out)
	for _, args := range [][]string{
		{"PING"}, {"PING", "hello"}, {"GET", "plain"}, {"GET", "bytes"}, {"GET", "none"}, {"STRLEN", "plain"}, {"LRANGE", "list", "0", "-1"},
		{"LRANGE", "none", "0", "-1"}, {"MGET", "plain", "none", "n"}, {"LPUSH", "plain", "x"}, {"NOSUCHCOMMAND"}, {"GET"},
		{"EVAL", "return {1, {2, {'a', {}}, 'b'}, false, {ok='fine'}}", "0"}, {"EVAL", "return {}", "0"}, {"SCAN", "0", "MATCH", "pl*", "COUNT", "100"},
		{"TYPE", "list"}, {"ECHO", "a\\b"}, {"SET", "x", ""}, {"GET", "x"},
	} {
		for _, form := range []string{"--raw", "--no-raw"} {
			want, _ := exec.Command("redis-cli", append([]string{"-p", port, form}, args...)...).Output()
			got := restash(t, append([]string{"exec", form}, args...)...)
			if strings.HasPrefix(string(want), "ERR unknown command") || strings.HasPrefix(string(want), "(error) ERR unknown command") {
				assert.Contains(t, got.out, "ERR", args) // the REST server words it in its own way
				continue
			}
			assert.Equal(t, string(want), got.out, "%s %q %s", form, args, got.errs)
		}
	}
}
