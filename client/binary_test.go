package client_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/upstashtest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// everyByte is no UTF-8, and holds all that a URL treats in its own way.
func everyByte() string {
	var b bytes.Buffer
	for i := range 256 {
		b.WriteByte(byte(i))
	}
	return b.String()
}

func TestBytesArriveAsTheyAre(t *testing.T) {
	for name, format := range map[string]client.Encoding{"JSON": client.JSON, "RESP2": client.RESP2} {
		t.Run(name, func(t *testing.T) {
			srv := upstashtest.Run(t, func(cfg *upstashtest.Config) { cfg.InMemory = true })
			c, err := client.New(client.Config{URL: srv.URL, Token: srv.Token, Encoding: format, HTTPClient: srv.HTTPClient()})
			require.NoError(t, err)
			ctx, data := t.Context(), everyByte()

			_, err = c.Set(ctx, "plain/key ?&", data, command.EX(time.Minute))
			require.NoError(t, err)
			got, err := c.Get(ctx, "plain/key ?&")
			require.NoError(t, err)
			assert.Equal(t, data, got)
			ttl, err := c.TTL(ctx, "plain/key ?&")
			require.NoError(t, err)
			assert.Equal(t, time.Minute, ttl)

			_, err = c.Set(ctx, data, data)
			require.NoError(t, err)
			got, err = c.Get(ctx, data)
			require.NoError(t, err)
			assert.Equal(t, data, got)

			_, err = c.HSet(ctx, "h", map[string]any{"field\xff": "\xfe%2F", "b": []byte(data)})
			require.NoError(t, err)
			all, err := c.HGetAll(ctx, "h")
			require.NoError(t, err)
			assert.Equal(t, map[string]string{"field\xff": "\xfe%2F", "b": data}, all)

			dump, err := c.Dump(ctx, data)
			require.NoError(t, err)
			require.NoError(t, c.Restore(ctx, "copy", dump, command.RestoreArgs{Replace: true}))
			got, err = c.Get(ctx, "copy")
			require.NoError(t, err)
			assert.Equal(t, data, got)
		})
	}
}

func TestBytesThatNoURLCanCarry(t *testing.T) {
	s := &scripted{attempts: []attempt{good}}
	c := scriptedClient(t, s)
	for _, cmd := range []command.Cmd{
		command.Raw("SET", "", "\xff"), command.Raw("SET", ".", "\xff"), command.Raw("SET", "..", "\xff"),
		command.Raw("HSET", "h", "\xff", ""), command.Raw("SET", strings.Repeat("k", 9<<10), "\xff"), command.Raw("PI\xffNG"),
	} {
		_, err := client.Do(t.Context(), c, rawCommand(cmd.Args()))
		require.ErrorIs(t, err, client.ErrBinary, "%.20q", cmd.Args())
		assert.NotContains(t, err.Error(), "\xff")
	}
	_, err := c.Batch(t.Context(), command.Get("k"), command.Set("k", "\xff"))
	require.ErrorIs(t, err, client.ErrBinary)
	_, err = c.Transaction(t.Context(), command.Set("k", "\xff"))
	require.ErrorIs(t, err, client.ErrBinary)
	assert.Zero(t, s.calls)
}

// TestWhatRESTRefuses sends commands that exist over TCP only.
func TestWhatRESTRefuses(t *testing.T) {
	srv := upstashtest.Run(t, func(cfg *upstashtest.Config) { cfg.InMemory = true })
	c := clientOf(t, srv)
	for _, line := range []string{
		"BLMOVE a b LEFT LEFT 0", "BLMPOP 0 1 a LEFT", "BLPOP a 0", "BRPOP a 0", "BRPOPLPUSH a b 0", "BZMPOP 0 1 a MIN",
		"BZPOPMAX a 0", "BZPOPMIN a 0", "UNSUBSCRIBE", "PUNSUBSCRIBE", "DISCARD", "EXEC", "MULTI", "UNWATCH", "WATCH a",
		"AUTH x", "CLIENT GETNAME", "CLIENT ID", "CLIENT INFO", "CLIENT LIST", "CLIENT SETINFO LIB-NAME x", "CLIENT SETNAME x",
		"HELLO 3", "QUIT", "RESET",
	} {
		words := strings.Fields(line)
		_, err := client.Do(t.Context(), c, rawCommand(words))
		var e *client.Error
		require.ErrorAs(t, err, &e, line)
		assert.Equal(t, 400, e.Status, line)
		assert.NotEmpty(t, e.Code, line)
		assert.Equal(t, client.SentYes, e.Sent, line)
		assert.False(t, client.Unavailable(err), line)
		for _, i := range command.Table() {
			assert.NotEqual(t, words[0], i.Name, "it is not offered")
		}
	}
}

// TestHeadersOnTheWire looks at what a server sees: the mark that makes
// net/http repeat a safe request on a fresh connection is not among it.
func TestHeadersOnTheWire(t *testing.T) {
	var seen http.Header
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = r.Header
		_, _ = io.WriteString(w, `{"result":1}`)
	}))
	defer s.Close()
	c, err := client.New(client.Config{URL: s.URL + "/base/", Token: "t", DisableTelemetry: true})
	require.NoError(t, err)
	defer c.Close()
	_, err = c.Exists(t.Context(), "k")
	require.NoError(t, err)
	delete(seen, "Content-Length")
	assert.Equal(t, http.Header{
		"Accept-Encoding": {"gzip"}, "Authorization": {"Bearer t"}, "Content-Type": {"application/json"},
		"Upstash-Encoding": {"base64"}, "Upstash-Sync-Token": {""}, "User-Agent": {"restash/" + client.Version()},
	}, seen)
}
