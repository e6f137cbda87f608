package handler

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cldcde/restash/strategies"
)

func TestWildcards(t *testing.T) {
	for pattern, want := range map[string][]string{"GET /a/{id}": {"id"}, "/a/{x}/b/{rest...}": {"x", "rest..."}, "example.com/{$}": nil, "POST  /x": nil} {
		names, closed := wildcards(pattern)
		assert.True(t, closed, pattern)
		assert.Equal(t, want, names, pattern)
	}
	for _, pattern := range []string{"", "/", "GET /files/", "/files/*", "/a/{id:[0-9]+}", "/a/{id:[0-9]{3}}"} {
		_, closed := wildcards(pattern)
		assert.False(t, closed, pattern)
	}
}

func TestConfigSaysWhichFieldIsWrong(t *testing.T) {
	for field, cfg := range map[string]Config{
		"TTL": {Prefix: "x", TTL: -1}, "package httpcache": {Prefix: "x"}, "Prefix": {TTL: 1}, "StaleWhileRevalidate": {TTL: 1, Prefix: "x", StaleIfError: -1},
		"Tags": {TTL: 1, Prefix: "x", Tags: []string{"a{b"}}, "Advanced.MaxBody": {TTL: 1, Prefix: "x", Advanced: Advanced{MaxBody: -1}},
		"Identity": {TTL: 1, Prefix: "x", Public: true, Identity: func(*http.Request) string { return "" }},
	} {
		assert.ErrorContains(t, cfg.check(), field)
	}
	assert.Equal(t, "a~3Ab-c~2F~7E", Config{Prefix: "a:b-c/~"}.Name())
	assert.PanicsWithValue(t, "handler: Config.Prefix is empty", func() {
		Cache(new(strategies.Store), Config{TTL: 1})
	})
}
