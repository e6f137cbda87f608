package client_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/upstashtest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func filled(t *testing.T) *client.Client {
	srv := upstashtest.Run(t, func(cfg *upstashtest.Config) { cfg.InMemory = true })
	c := clientOf(t, srv)
	for i := range 100 {
		for _, words := range [][]string{
			{"SET", fmt.Sprint("k", i), "v"}, {"HSET", "h", fmt.Sprint("f", i), fmt.Sprint(i)},
			{"SADD", "s", fmt.Sprint(i)}, {"ZADD", "z", fmt.Sprint(i), fmt.Sprint(i)},
		} {
			_, err := srv.Do(words...)
			require.NoError(t, err)
		}
	}
	return c
}

func TestScansWalkAllPages(t *testing.T) {
	c := filled(t)
	keys := map[string]bool{}
	for k, err := range c.ScanAll(t.Context(), command.MATCH("k*"), command.TYPE("string")) {
		require.NoError(t, err)
		keys[k] = true
	}
	assert.Len(t, keys, 100)
	fields := map[string]string{}
	for p, err := range c.HScanAll(t.Context(), "h", command.COUNT(7)) {
		require.NoError(t, err)
		fields[p.Field] = p.Value
	}
	assert.Len(t, fields, 100)
	assert.Equal(t, "42", fields["f42"])
	members := map[string]bool{}
	for m, err := range c.SScanAll(t.Context(), "s") {
		require.NoError(t, err)
		members[m] = true
	}
	assert.Len(t, members, 100)
	sum := 0.0
	for z, err := range c.ZScanAll(t.Context(), "z") {
		require.NoError(t, err)
		sum += z.Score
	}
	assert.Equal(t, 4950.0, sum)
}

// paged answers SCAN with endless pages.
func paged(t *testing.T) (*client.Client, *[]string) {
	var cursors []string
	s := &scripted{attempts: []attempt{func(r *http.Request) (*http.Response, error) {
		cursors = append(cursors, r.URL.Path)
		// Page one is empty, and the cursor is larger than any integer.
		body := `{"result":["MTg0NDY3NDQwNzM3MDk1NTE2MTY=",[]]}`
		if len(cursors) > 1 {
			body = `{"result":["MTg0NDY3NDQwNzM3MDk1NTE2MTY=",["YQ==","Yg=="]]}`
		}
		return answer(200, body)(r)
	}}}
	return scriptedClient(t, s), &cursors
}

func TestAScanStopsWithItsLoop(t *testing.T) {
	c, pages := paged(t)
	var got []string
	for k, err := range c.ScanAll(t.Context()) {
		require.NoError(t, err)
		if got = append(got, k); len(got) == 3 {
			break
		}
	}
	assert.Equal(t, []string{"a", "b", "a"}, got)
	assert.Len(t, *pages, 3, "an empty page is not the end")
}

func TestAScanStopsWithItsContext(t *testing.T) {
	c, pages := paged(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	for _, err := range c.ScanAll(ctx) {
		last = err
		cancel()
	}
	assert.ErrorIs(t, last, context.Canceled)
	assert.LessOrEqual(t, len(*pages), 3)
}

func TestBatchesInRESP2(t *testing.T) {
	srv := upstashtest.Run(t, func(cfg *upstashtest.Config) { cfg.InMemory = true })
	c, err := client.New(client.Config{URL: srv.URL, Token: srv.Token, Encoding: client.RESP2, HTTPClient: srv.HTTPClient()})
	require.NoError(t, err)
	for _, n := range []int{1, 2, 50} {
		cmds := slices.Repeat([]command.Cmd{command.RPush("l", "\r\n$1\r\n")}, n)
		replies, err := c.Batch(t.Context(), append(cmds, command.LRange("l", 0, -1))...)
		require.NoError(t, err)
		list, err := client.DecodeReply(command.LRange("l", 0, -1), replies[n])
		require.NoError(t, err)
		assert.Equal(t, "\r\n$1\r\n", list[0])
		one, err := c.Batch(t.Context(), command.LRange("l", 0, 0))
		require.NoError(t, err)
		assert.Len(t, one, 1)
		assert.Len(t, one[0].Array, 1, "a batch of one is not taken apart")
	}
	replies, err := c.Transaction(t.Context(), command.LPush("l", 1), command.Incr("l"))
	require.NoError(t, err)
	assert.ErrorIs(t, client.ReplyError(command.Incr("l"), replies[1]), client.ErrWrongType)
	assert.NoError(t, client.ReplyError(command.Incr("l"), replies[0]))
}

func TestNoCommandsGiveNoRequest(t *testing.T) {
	s := &scripted{attempts: []attempt{good}}
	replies, err := scriptedClient(t, s).Batch(t.Context())
	assert.Empty(t, replies)
	assert.NoError(t, err)
	assert.Zero(t, s.calls)
}

func TestScriptsAreLoadedOnDemand(t *testing.T) {
	srv := upstashtest.Run(t, func(cfg *upstashtest.Config) { cfg.InMemory = true })
	c := clientOf(t, srv)
	s := command.NewScript("return {KEYS[1], ARGV[1] + 1}")
	for i, requests := range []int64{2, 3} {
		got, err := client.Do(t.Context(), c, command.RunScript[[]string](s, []string{"k"}, i))
		require.NoError(t, err)
		assert.Equal(t, []string{"k", fmt.Sprint(i + 1)}, got)
		assert.Equal(t, requests, c.Stats().Requests)
	}
	ro, err := client.Do(t.Context(), c, command.RunScript[int](command.NewScript("return 7").ReadOnly().KeyLocked(), nil))
	require.NoError(t, err)
	assert.Equal(t, 7, ro)
	_, err = client.Do(t.Context(), c, command.EvalSha[int]("0123456789012345678901234567890123456789", nil))
	assert.ErrorIs(t, err, client.ErrNoScript)
}
