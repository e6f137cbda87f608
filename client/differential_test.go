package client_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/upstashtest"
	"github.com/cldcde/restash/upstashtest/redisengine"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// redisServer starts a redis-server of its own and returns its address. It
// skips if there is none to start, and fails if RESTASH_REQUIRE asks for it.
func redisServer(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		if strings.Contains(os.Getenv("RESTASH_REQUIRE"), "redis") {
			t.Fatal("RESTASH_REQUIRE names redis, and there is no redis-server")
		}
		t.Skip("no redis-server")
	}
	dir, err := os.MkdirTemp("", "redis") // shorter than t.TempDir: a socket's path is limited
	require.NoError(t, err)
	socket := filepath.Join(dir, "s")
	cmd := exec.Command(path, "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no", "--dir", dir)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		assert.NoError(t, cmd.Process.Kill())
		_ = cmd.Wait()
		assert.NoError(t, os.RemoveAll(dir))
	})
	return socket
}

// differential is one Redis behind two ways: REST through our client, and RESP
// through go-redis.
type differential struct {
	rest  *client.Client
	redis *redis.Client
}

func newDifferential(t *testing.T, format client.Encoding) differential {
	t.Helper()
	socket := redisServer(t)
	direct := redis.NewClient(&redis.Options{Network: "unix", Addr: socket, Protocol: 2, DisableIdentity: true, MaxRetries: 100, MinRetryBackoff: 10 * time.Millisecond})
	t.Cleanup(func() { assert.NoError(t, direct.Close()) })
	require.NoError(t, direct.Ping(t.Context()).Err())
	engine, err := redisengine.New(t.Context(), "unix://"+socket)
	require.NoError(t, err)
	srv := upstashtest.Run(t, func(cfg *upstashtest.Config) { cfg.Engine = engine; cfg.InMemory = true })
	c, err := client.New(client.Config{URL: srv.URL, Token: srv.Token, Encoding: format, HTTPClient: srv.HTTPClient(), MaxRetries: client.NoRetry})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Close()) })
	return differential{rest: c, redis: direct}
}

// random are commands whose reply is another one each time: only its kind is
// compared.
var random = []string{
	"HRANDFIELD", "RANDOMKEY", "SPOP", "SRANDMEMBER", "ZRANDMEMBER", "TIME", "INFO", "XADD", "XINFO CONSUMERS",
	"XPENDING", "MEMORY USAGE", "COMMAND", "FUNCTION STATS",
}

// unordered are commands that reply in no order.
var unordered = []string{"HGETALL", "HKEYS", "HVALS", "KEYS", "SCAN", "SDIFF", "SINTER", "SMEMBERS", "SSCAN", "SUNION", "HSCAN"}

// TestDifferential runs each command that Redis 7.0 has both ways, from the
// same data, and compares what comes back: as it should be, with the wrong
// type under its key, and with an argument missing.
func TestDifferential(t *testing.T) {
	for name, format := range map[string]client.Encoding{"JSON": client.JSON, "RESP2": client.RESP2} {
		t.Run(name, func(t *testing.T) {
			d := newDifferential(t, format)
			compared := map[string]bool{}
			for _, s := range samples() {
				words := s.cmd.Args()
				if !inRedis7(s.cmd.Name()) || slices.ContainsFunc(words, newer) {
					continue
				}
				d.compare(t, s.cmd.Name(), words)
				d.compare(t, s.cmd.Name(), wrongType(words))
				if cut := words[:len(words)-1]; len(cut) >= len(strings.Fields(s.cmd.Name())) {
					d.compare(t, s.cmd.Name(), cut)
				}
				d.load(t)
				_, err := s.run(t.Context(), d.rest)
				assert.NotErrorIs(t, err, client.ErrProtocol, "%s must be decoded", s.fn)
				compared[s.cmd.Name()] = true
			}
			t.Logf("%d commands compared", len(compared))
			assert.Greater(t, len(compared), 180)
		})
	}
}

// inRedis7 goes by the version in which a command came.
func inRedis7(name string) bool {
	for _, i := range command.Table() {
		if i.Name == name {
			return i.Since[0] >= '1' && i.Since[0] <= '7' && !strings.HasPrefix(i.Since, "7.2") && !strings.HasPrefix(i.Since, "7.4")
		}
	}
	return false
}

// newer are options that Redis 7.0 does not have: the local server emulates
// them there.
func newer(word string) bool {
	return slices.Contains([]string{"IFEQ", "IFNE", "IFDEQ", "IFDNE", "DIFF1", "ACKED"}, word)
}

// wrongType puts a key of another type in the place of the first key.
func wrongType(words []string) []string {
	out := slices.Clone(words)
	for i := range out {
		switch out[i] {
		case "s", "n", "bits", "pf":
			out[i] = "h"
			return out
		case "h", "l", "set", "z", "x", "geo":
			out[i] = "s"
			return out
		}
	}
	return out
}

// load gives the database its first state.
func (d differential) load(t *testing.T) {
	t.Helper()
	pipe := d.redis.Pipeline()
	for _, words := range append([][]string{{"FLUSHALL"}, {"SCRIPT", "FLUSH"}, {"FUNCTION", "FLUSH"}}, fixtures...) {
		pipe.Do(t.Context(), anys(words)...)
	}
	_, err := pipe.Exec(t.Context())
	require.NoError(t, err)
}

func anys(words []string) []any {
	out := make([]any, len(words))
	for i, w := range words {
		out[i] = w
	}
	return out
}

// compare runs words both ways and compares the replies.
func (d differential) compare(t *testing.T, name string, words []string) {
	t.Helper()
	d.load(t)
	rest := d.overREST(t, words)
	d.load(t)
	direct := d.overRESP(t, words)
	switch {
	case slices.Contains(random, name) && !strings.HasPrefix(direct, "-"):
		assert.Equal(t, direct[:1], rest[:1], "%q: %s, %s", words, direct, rest)
	case slices.Contains(unordered, name):
		assert.Equal(t, sorted(direct), sorted(rest), "%q", words)
	default:
		assert.Equal(t, direct, rest, "%q", words)
	}
}

// sorted forgets the order: brackets are words of their own, or the first and the
// last element would look unlike the others.
func sorted(text string) string {
	f := strings.Fields(strings.NewReplacer("[", " [ ", "]", " ] ").Replace(text))
	slices.Sort(f)
	return strings.Join(f, " ")
}

func (d differential) overREST(t *testing.T, words []string) string {
	r, err := client.Do(t.Context(), d.rest, rawCommand(words))
	var e *client.Error
	if errors.As(err, &e) {
		require.NotEmpty(t, e.Code, "%q: %v", words, err)
		return "-" + e.Message
	}
	require.NoError(t, err)
	return print(withoutStatus(r))
}

// withoutStatus makes a status a string: over JSON they cannot be told apart,
// and go-redis does not either.
func withoutStatus(r command.Reply) command.Reply {
	if r.Kind == command.KindStatus {
		r.Kind = command.KindBulk
	}
	for i := range r.Array {
		r.Array[i] = withoutStatus(r.Array[i])
	}
	return r
}

func (d differential) overRESP(t *testing.T, words []string) string {
	v, err := d.redis.Do(context.WithoutCancel(t.Context()), anys(words)...).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return "-" + err.Error()
	}
	return printAny(v)
}

// printAny prints a reply of go-redis as print does ours.
func printAny(v any) string {
	switch v := v.(type) {
	case nil:
		return "nil"
	case int64:
		return fmt.Sprintf(":%d", v)
	case string:
		return fmt.Sprintf("%q", v)
	case error:
		return "-" + v.Error()
	case []any:
		words := make([]string, len(v))
		for i, e := range v {
			words[i] = printAny(e)
		}
		return "[" + strings.Join(words, " ") + "]"
	}
	return fmt.Sprintf("%T", v)
}
