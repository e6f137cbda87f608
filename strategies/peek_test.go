package strategies_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/invalidate"
	"github.com/cldcde/restash/strategies"
)

// Peek answers with what Get would answer with, for one command, and leaves no
// trace: nothing is loaded, refreshed or counted as a hit or miss.
func TestPeek(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		store := newStore(t, srv)
		c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Minute, StaleWhileRevalidate: time.Minute, Negative: time.Minute})
		var src source
		var st strategies.Status
		peek := func(state strategies.State, reason string) (item, bool, error) {
			t.Helper()
			check := srv.ExpectBill(t, 1, 1)
			v, ok, err := c.Peek(t.Context(), "k", strategies.Report(&st))
			check()
			assert.Equal(t, []any{state, reason}, []any{st.State, st.Reason})
			return v, ok, err
		}
		_, ok, err := peek(strategies.Miss, strategies.ReasonAbsent)
		assert.False(t, ok)
		require.NoError(t, err)

		src.value.Store(7)
		get(t, c, "k", &src)
		v, ok, err := peek(strategies.Hit, "")
		require.NoError(t, err)
		assert.Equal(t, []any{7, true}, []any{v.N, ok})

		time.Sleep(90 * time.Second)
		v, ok, err = peek(strategies.Stale, strategies.ReasonStale)
		require.NoError(t, err)
		assert.Equal(t, []any{7, true}, []any{v.N, ok})

		_, err = store.Invalidate(t.Context(), invalidate.Key(c, "k"))
		require.NoError(t, err)
		_, ok, err = peek(strategies.Miss, strategies.ReasonInvalidated)
		require.NoError(t, err)
		assert.False(t, ok)

		_, err = c.Get(t.Context(), "k", func(context.Context, string) (item, error) { return item{}, strategies.ErrNotFound })
		require.ErrorIs(t, err, strategies.ErrNotFound)
		_, ok, err = peek(strategies.Hit, strategies.ReasonNegative)
		require.ErrorIs(t, err, strategies.ErrNotFound)
		assert.False(t, ok)

		assert.EqualValues(t, 1, src.reads.Load(), "nothing was loaded")
		s := c.Stats()
		assert.Equal(t, []any{int64(0), int64(2)}, []any{s.Hits, s.Misses}, "only the two loads count")
	})
}

func TestPeekWhatKeepsItFromAskingIsTold(t *testing.T) {
	srv := newServer(t)
	defer srv.Intercept(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		http.Error(w, `{"error":"away"}`, http.StatusServiceUnavailable)
	})()
	c := strategies.New[item](newStore(t, srv), strategies.Config{Name: "item", TTL: time.Minute})
	_, ok, err := c.Peek(t.Context(), "k")
	require.Error(t, err)
	assert.False(t, ok)

	_, ok, err = c.Peek(t.Context(), "k", strategies.Tags(""))
	require.ErrorIs(t, err, strategies.ErrTags)
	assert.False(t, ok)

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err = c.Peek(ended, "k")
	require.ErrorIs(t, err, context.Canceled)
}

func TestPeekWithoutACacheThereIsNothing(t *testing.T) {
	store, err := strategies.NewStore(nil, strategies.StoreConfig{Logger: quiet})
	require.NoError(t, err)
	_, ok, err := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Minute}).Peek(t.Context(), "k")
	require.NoError(t, err)
	assert.False(t, ok)
}

// In an emergency people write what they are used to.
func TestDisabledByTheEnvironment(t *testing.T) {
	for text, want := range map[string]bool{
		"": false, "0": false, "false": false, "No": false, "off": false, " 0 ": false,
		"1": true, "true": true, "YES": true, "on": true, "please": true,
	} {
		t.Setenv("RESTASH_DISABLE", text)
		assert.Equal(t, want, !newStore(t, newServer(t)).Enabled(), "%q", text)
	}
}
