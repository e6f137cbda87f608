package client_test

import (
	"net/http"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/cldcde/restash/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSyncTokenTravelsOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{attempts: []attempt{
			answer(200, `{"result":1}`, "upstash-sync-token", "t1"),
			good, // no token: nothing changes
			answer(400, `{"error":"ERR x"}`, "upstash-sync-token", "t2"),
			answer(429, "", "upstash-sync-token", "t3"), // and its retry
			good,
		}}
		c := scriptedClient(t, s)
		assert.Empty(t, c.SyncToken())
		for range 4 {
			_, _ = c.Incr(t.Context(), "k")
		}
		assert.Equal(t, []string{"", "t1", "t1", "t2", "t3"}, s.tokens, "the retry carries the newest")
		assert.Equal(t, "t3", c.SyncToken())
		c.SetSyncToken("mine")
		_, _ = c.Incr(t.Context(), "k")
		assert.Equal(t, "mine", s.tokens[5])
	})
}

func TestNoSyncToken(t *testing.T) {
	s := &scripted{attempts: []attempt{func(r *http.Request) (*http.Response, error) {
		assert.NotContains(t, r.Header, "Upstash-Sync-Token")
		return answer(200, `{"result":1}`, "upstash-sync-token", "t1")(r)
	}}}
	c := scriptedClient(t, s, func(c *client.Config) { c.NoSyncToken = true })
	_, err := c.Incr(t.Context(), "k")
	require.NoError(t, err)
	assert.Empty(t, c.SyncToken())
}

// gate holds each request until its test lets it go.
type gate struct {
	mu      sync.Mutex
	waiting []chan string
}

func (g *gate) RoundTrip(r *http.Request) (*http.Response, error) {
	ch := make(chan string)
	g.mu.Lock()
	g.waiting = append(g.waiting, ch)
	g.mu.Unlock()
	return answer(200, `{"result":1}`, "upstash-sync-token", <-ch)(r)
}

// TestAnswersOvertake is the case that loses writes if the last answer wins:
// a slow answer to an old request must not move the token back.
func TestAnswersOvertake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{}
		c, err := client.New(client.Config{URL: "https://test.upstash.io", Token: "t", HTTPClient: &http.Client{Transport: g}})
		require.NoError(t, err)
		for range 3 {
			go func() { _, _ = c.Incr(t.Context(), "k") }()
			synctest.Wait()
		}
		g.waiting[1] <- "second"
		synctest.Wait()
		assert.Equal(t, "second", c.SyncToken())
		g.waiting[0] <- "first"
		synctest.Wait()
		assert.Equal(t, "second", c.SyncToken(), "an older request does not replace it")
		c.SetSyncToken("mine")
		g.waiting[2] <- "third"
		synctest.Wait()
		assert.Equal(t, "mine", c.SyncToken(), "what was under way does not replace one that was set")
	})
}
