package main

import (
	"net"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestQuoteAShellReadsBackTheValue(t *testing.T) {
	for _, value := range []string{"plain", "http://127.0.0.1:8079", "sqlite:/tmp/a b/c.db", "it's", "$(false)", "", "a\\b\"c"} {
		out, err := exec.Command("sh", "-c", "printf %s "+quote(value)).Output()
		require.NoError(t, err, value)
		assert.Equal(t, value, string(out))
	}
	assert.Equal(t, "http://127.0.0.1:8079", quote("http://127.0.0.1:8079"), "a plain value stays plain")
}

func TestRedisIsNamedByHalfAPairToo(t *testing.T) {
	for _, name := range redisVariables {
		t.Setenv(name, "")
	}
	assert.False(t, redisIsNamed())
	t.Setenv("KV_REST_API_TOKEN", "x")
	assert.True(t, redisIsNamed())
}

func TestOnLoopbackGoesByTheListener(t *testing.T) {
	for address, want := range map[string]bool{"127.0.0.1": true, "127.9.9.9": true, "::1": true, "0.0.0.0": false, "::": false, "10.0.0.1": false} {
		addr := &net.TCPAddr{IP: net.ParseIP(address), Port: 3000}
		assert.Equal(t, want, onLoopback(addr), address)
	}
	assert.Equal(t, "127.0.0.1:3000", reachable(&net.TCPAddr{IP: net.IPv6unspecified, Port: 3000}))
	assert.Equal(t, "[::1]:3000", reachable(&net.TCPAddr{IP: net.IPv6loopback, Port: 3000}))
}

func TestCronURLSendsNoSecretInTheClear(t *testing.T) {
	for address, want := range map[string]string{
		"https://catalog.example.com":         "https://catalog.example.com/api/cron/warm",
		"https://catalog.example.com/":        "https://catalog.example.com/api/cron/warm",
		"http://127.0.0.1:3000":               "http://127.0.0.1:3000/api/cron/warm",
		"http://localhost:3000":               "http://localhost:3000/api/cron/warm",
		"http://catalog.example.com":          "",
		"http://localhost.example.com":        "",
		"ftp://127.0.0.1":                     "",
		"https://user:pw@catalog.example.com": "",
		"catalog.example.com":                 "",
		"https://":                            "",
	} {
		got, err := deployment("--url", address, cronPath)
		assert.Equal(t, want, got, address)
		assert.Equal(t, want == "", err != nil, address)
	}
}
