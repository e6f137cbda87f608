package warm_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/upstashtest"
	"github.com/cldcde/restash/warm"
)

// withoutMSETEX makes an older Redis, where each key costs a command.
func withoutMSETEX(c *upstashtest.Config) { c.Without = []string{"MSETEX"} }

func newStore(t testing.TB, change ...func(*upstashtest.Config)) (*upstashtest.Server, *strategies.Store) {
	t.Helper()
	srv := upstashtest.Run(t, append(change, func(c *upstashtest.Config) { c.InMemory = true })...)
	return srv, storeOn(t, srv)
}

// storeOn is a Store as another process on the same Redis has it.
func storeOn(t testing.TB, srv *upstashtest.Server) *strategies.Store {
	t.Helper()
	c, err := client.New(client.Config{URL: srv.URL, Token: srv.Token, HTTPClient: srv.HTTPClient()})
	require.NoError(t, err)
	store, err := strategies.NewStore(c, strategies.StoreConfig{Namespace: "test", Budget: time.Minute})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close(context.Background())) })
	return store
}

func names(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("user-%04d", i)
	}
	return keys
}

// double loads each key as itself twice; keys in bad fail.
func double(_ context.Context, keys []string) (map[string]string, error) {
	m := map[string]string{}
	for _, k := range keys {
		m[k] = k + k
	}
	return m, nil
}

func TestKeysAreLoadedInBatches(t *testing.T) {
	srv, store := newStore(t)
	users := strategies.New[string](store, strategies.Config{Name: "user", TTL: time.Minute})
	var events []warm.Event
	before := srv.Bill()
	rep, err := warm.RunWith(t.Context(), store, warm.Options{Progress: func(e warm.Event) { events = append(events, e) }},
		warm.Keys("users", users, names(1200), double))
	require.NoError(t, err)
	bill := srv.Bill().Sub(before)
	assert.Equal(t, "warmed 1200, fresh 0, failed 0, commands 6, trips 6", rep.String())
	assert.EqualValues(t, 6, bill.Commands)
	assert.EqualValues(t, 6, bill.Trips)
	assert.Positive(t, rep.Bytes)
	assert.True(t, rep.OK())
	var done []int
	for _, e := range events {
		done = append(done, e.Done)
		assert.Equal(t, "users", e.Step)
	}
	assert.Equal(t, []int{0, 500, 1000, 1200, 1200}, done)
	assert.True(t, events[4].End)

	v, err := users.Get(t.Context(), "user-0003", func(context.Context, string) (string, error) { return "", errors.New("not warmed") })
	require.NoError(t, err)
	assert.Equal(t, "user-0003user-0003", v)
	rep, err = warm.Run(t.Context(), store, warm.Keys("users", users, names(10), double))
	require.NoError(t, err)
	assert.Equal(t, "warmed 0, fresh 10, failed 0, commands 1, trips 1", rep.String())
}

func TestAFailedStepStopsNothingElse(t *testing.T) {
	_, store := newStore(t)
	users := strategies.New[string](store, strategies.Config{Name: "user", TTL: time.Minute})
	bad := errors.New("no database")
	rep, err := warm.Run(t.Context(), store,
		warm.StepFunc("first", func(context.Context, *strategies.Store) (strategies.WarmReport, error) {
			return strategies.WarmReport{}, bad
		}),
		warm.Keys("second", users, names(3), func(ctx context.Context, keys []string) (map[string]string, error) {
			m, _ := double(ctx, keys[:2])
			return m, bad
		}),
		warm.Keys("third", users, names(2), double))
	assert.ErrorIs(t, err, bad)
	assert.Equal(t, []int{2, 2, 1}, []int{rep.Warmed, rep.Fresh, rep.Failed})
	assert.ErrorIs(t, rep.Errors["first"], bad)
	assert.ErrorIs(t, rep.Errors["second: user-0002"], bad)
	assert.False(t, rep.OK())
}

func TestBudgets(t *testing.T) {
	_, store := newStore(t, withoutMSETEX)
	users := strategies.New[string](store, strategies.Config{Name: "user", TTL: time.Minute})
	rep, err := warm.RunWith(t.Context(), store, warm.Options{Commands: 101}, warm.Keys("users", users, names(1200), double))
	assert.ErrorIs(t, err, warm.ErrBudget)
	assert.Equal(t, []int{100, 101}, []int{rep.Warmed, rep.Commands})
	rep, err = warm.RunWith(t.Context(), store, warm.Options{Time: time.Nanosecond}, warm.Keys("users", users, names(1200), double))
	assert.ErrorIs(t, err, warm.ErrBudget)
	assert.Zero(t, rep.Commands)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = warm.Run(ctx, store, warm.Keys("users", users, names(3), double), warm.Keys("more", users, names(3), double))
	assert.Error(t, err)
}
