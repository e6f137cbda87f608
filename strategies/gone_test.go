package strategies_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/strategies"
)

// What a refresh finds to be gone, or cannot store any more, is not served as
// stale by every later call, each of which would load.
func TestARefreshThatBringsNothingToStoreRemovesTheOldValue(t *testing.T) {
	ends := map[string]struct {
		value item
		err   error
		want  error
	}{
		"not found": {err: strategies.ErrNotFound, want: strategies.ErrNotFound},
		"too big":   {value: item{N: 7, ID: strings.Repeat("ü%", 1<<20)}},
	}
	for name, end := range ends {
		for _, many := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					srv := newServer(t)
					store := newStore(t, srv)
					c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Minute, StaleWhileRevalidate: time.Hour,
						Advanced: strategies.Advanced{CompressFrom: -1}})
					var src source
					get(t, c, "k", &src)
					time.Sleep(2 * time.Minute)
					ask := func() (item, error) {
						if !many {
							return c.Get(t.Context(), "k", func(context.Context, string) (item, error) { return end.value, end.err })
						}
						m, err := c.GetMany(t.Context(), []string{"k"}, func(context.Context, []string) (map[string]item, error) {
							if end.err != nil {
								return nil, nil
							}
							return map[string]item{"k": end.value}, nil
						})
						if _, there := m["k"]; !there && err == nil {
							err = strategies.ErrNotFound
						}
						return m["k"], err
					}
					_, err := ask()
					require.NoError(t, err, "stale")
					require.NoError(t, store.Flush(t.Context()))
					v, err := ask()
					assert.ErrorIs(t, err, end.want)
					assert.Equal(t, end.value.N, v.N)
				})
			})
		}
	}
}

// With Negative set the not-found takes the old value's place.
func TestARefreshThatFindsNothingIsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t)
		store := newStore(t, srv)
		c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Minute, StaleWhileRevalidate: time.Hour, Negative: time.Minute})
		var src source
		get(t, c, "k", &src)
		time.Sleep(2 * time.Minute)
		loads := 0
		for range 5 {
			_, _ = c.Get(t.Context(), "k", func(context.Context, string) (item, error) { loads++; return item{}, strategies.ErrNotFound })
			require.NoError(t, store.Flush(t.Context()))
		}
		assert.Equal(t, 1, loads)
	})
}
