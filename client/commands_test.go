package client_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/upstashtest"
	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write golden files")

// streams are the commands with an endpoint of their own.
var streams = []string{"MONITOR", "PSUBSCRIBE", "SUBSCRIBE"}

// golden compares got with the file of that name below testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("..", "testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got, "run go test ./client -update after checking the difference")
}

func TestSignaturesAreGolden(t *testing.T) {
	names := map[string]bool{}
	var b strings.Builder
	for _, info := range command.Table() {
		names[info.Name] = true
		kind := "write"
		if info.Read {
			kind = "read"
		}
		again := "once"
		if info.Repeat {
			again = "repeat"
		}
		fmt.Fprintf(&b, "%s\t%s\t%s\t%s\t%s\t%s\n", info.Name, info.Group, kind, again, info.Since, info.Signature)
	}
	for _, name := range listed(t) {
		assert.Truef(t, names[name], "commands.tsv lists %s, which no function makes", name)
	}
	golden(t, "commands.golden", b.String())
}

func TestEveryFunctionHasASample(t *testing.T) {
	have := map[string]bool{}
	for _, s := range samples() {
		have[s.fn] = true
	}
	for _, info := range command.Table() {
		assert.True(t, have[info.Func] || info.Stream, "%s has no sample", info.Func)
	}
}

// TestEveryCommandOnTheWireIsGolden calls every command against a server that answers
// as documented. The golden file has the words that were sent, the reply, and
// what the caller got.
func TestEveryCommandOnTheWireIsGolden(t *testing.T) {
	var b strings.Builder
	for _, s := range samples() {
		var sent string
		c := answering(t, client.JSON, func(body string) string {
			sent = body
			return s.reply
		})
		got, err := s.run(t.Context(), c)
		require.NoError(t, err, s.fn)
		fmt.Fprintf(&b, "%s\t%s\t%s\t%s\n", s.fn, sent, s.reply, got)
	}
	golden(t, "wire/commands.golden", b.String())
}

// TestFormatsAgree sends every command in RESP2 too: the caller must not see
// the difference.
func TestFormatsAgree(t *testing.T) {
	for _, s := range samples() {
		reply := func(string) string { return s.reply }
		inJSON, err := s.run(t.Context(), answering(t, client.JSON, reply))
		require.NoError(t, err, s.fn)
		inRESP, err := s.run(t.Context(), answering(t, client.RESP2, reply))
		require.NoError(t, err, s.fn)
		assert.Equal(t, inJSON, inRESP, s.fn)
	}
}

// TestEveryCommandAgainstTheServer runs the commands that the local server
// has. What it lacks it must refuse as unknown, and as a typed error.
func TestEveryCommandAgainstTheServer(t *testing.T) {
	served := map[string]bool{}
	for _, s := range samples() {
		srv := upstashtest.Run(t, func(cfg *upstashtest.Config) { cfg.InMemory = true })
		c := clientOf(t, srv)
		for _, words := range fixtures {
			_, err := srv.Do(words...)
			require.NoError(t, err, words)
		}
		_, err := s.run(t.Context(), c)
		var e *client.Error
		switch {
		case err == nil:
			served[s.cmd.Name()] = true
		case errors.As(err, &e):
			assert.NotErrorIs(t, err, client.ErrProtocol, "%s: %v", s.fn, err)
			assert.NotErrorIs(t, err, client.ErrTransport, "%s: %v", s.fn, err)
			assert.NotEmpty(t, e.Code, "%s: %v", s.fn, err)
		default:
			t.Errorf("%s: untyped error %v", s.fn, err)
		}
	}
	t.Logf("%d of %d commands were served", len(served), len(listed(t))-len(streams))
	assert.Greater(t, len(served), 150)
}

var fixtures = [][]string{
	{"SET", "s", "abc"}, {"SET", "n", "10"}, {"HSET", "h", "a", "1", "b", "2"}, {"RPUSH", "l", "a", "b", "c"},
	{"SADD", "set", "a", "b"}, {"SADD", "set2", "b", "c"}, {"ZADD", "z", "1", "a", "2", "b"}, {"ZADD", "z2", "2", "b"},
	{"GEOADD", "geo", "12.5", "41.9", "Rome", "9.19", "45.46", "Milan"}, {"XADD", "x", "1-1", "f", "v"},
	{"XGROUP", "CREATE", "x", "g", "0"}, {"XREADGROUP", "GROUP", "g", "c", "STREAMS", "x", ">"},
}

// listed are the commands that REST serves, as the generator has them.
func listed(t *testing.T) (names []string) {
	t.Helper()
	b, err := os.ReadFile("../internal/gencommands/commands.tsv")
	require.NoError(t, err)
	for _, line := range strings.Split(strings.TrimSpace(string(b)), "\n")[1:] {
		name, _, _ := strings.Cut(line, "\t")
		names = append(names, name)
	}
	require.Greater(t, len(names), 250)
	return names
}

func TestStreamsAreMarkedInTheTable(t *testing.T) {
	for _, name := range streams {
		assert.True(t, slices.ContainsFunc(command.Table(), func(i command.Info) bool { return i.Name == name && i.Stream }), name)
	}
}

// answering returns a client whose server gives each command the reply that
// answer makes of the body of the request.
func answering(t *testing.T, format client.Encoding, answer func(body string) string) *client.Client {
	t.Helper()
	mock := httpmock.NewMockTransport()
	mock.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		sent := string(body)
		if r.URL.Path != "/" {
			sent = r.URL.EscapedPath() + "?" + r.URL.RawQuery + fmt.Sprintf(" %q", body)
		}
		reply := answer(sent)
		if r.Header.Get("Upstash-Response-Format") == "resp2" {
			return httpmock.NewBytesResponse(200, []byte(inRESP(t, reply))), nil
		}
		resp := httpmock.NewBytesResponse(200, []byte(`{"result":`+inBase64(t, reply)+`}`))
		resp.Header.Set("Content-Type", "application/json")
		return resp, nil
	})
	c, err := client.New(client.Config{
		URL: "https://test.upstash.io", Token: "secret-token", Encoding: format, MaxRetries: client.NoRetry,
		HTTPClient: &http.Client{Transport: mock},
	})
	require.NoError(t, err)
	return c
}

func clientOf(t *testing.T, srv *upstashtest.Server) *client.Client {
	t.Helper()
	c, err := client.New(client.Config{URL: srv.URL, Token: srv.Token, HTTPClient: srv.HTTPClient()})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Close()) })
	return c
}

func parseReply(t *testing.T, text string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	require.NoError(t, d.Decode(&v), text)
	return v
}

// inBase64 codes the strings of a reply as the server does.
func inBase64(t *testing.T, text string) string {
	t.Helper()
	var code func(v any) any
	code = func(v any) any {
		switch v := v.(type) {
		case string:
			if v == "OK" {
				return v
			}
			return base64.StdEncoding.EncodeToString([]byte(v))
		case []any:
			for i := range v {
				v[i] = code(v[i])
			}
		}
		return v
	}
	b, err := json.Marshal(code(parseReply(t, text)))
	require.NoError(t, err)
	return string(b)
}

// inRESP writes a reply in RESP2.
func inRESP(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	var write func(v any)
	write = func(v any) {
		switch v := v.(type) {
		case nil:
			b.WriteString("$-1\r\n")
		case string:
			if v == "OK" {
				b.WriteString("+OK\r\n")
				return
			}
			fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(v), v)
		case json.Number:
			if _, err := v.Int64(); err != nil {
				fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(v), v)
				return
			}
			fmt.Fprintf(&b, ":%s\r\n", v)
		case []any:
			fmt.Fprintf(&b, "*%d\r\n", len(v))
			for _, e := range v {
				write(e)
			}
		}
	}
	write(parseReply(t, text))
	return b.String()
}

func TestSetNXWithALifetime(t *testing.T) {
	srv := upstashtest.Run(t)
	c, err := client.New(client.Config{URL: srv.URL, Token: srv.Token})
	require.NoError(t, err)
	for _, want := range []bool{true, false} {
		ok, err := c.SetNX(t.Context(), "lock", "me", command.EX(time.Minute))
		require.NoError(t, err)
		assert.Equal(t, want, ok)
	}
	left, err := c.TTL(t.Context(), "lock")
	require.NoError(t, err)
	assert.InDelta(t, time.Minute, left, float64(time.Second))
	_, err = c.SetNX(t.Context(), "lock", "me", command.EX(time.Minute), command.PX(time.Second))
	assert.ErrorContains(t, err, "exclude each other")
}
