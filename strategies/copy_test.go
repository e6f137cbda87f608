package strategies_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/strategies"
)

type basket map[string]int

func copying(name string) strategies.Config {
	return strategies.Config{Name: name, TTL: time.Hour, Advanced: strategies.Advanced{Copy: true}}
}

// Ten callers share one load, and each may do with its value what it likes.
func TestCopyCallersOfOneLoadHaveValuesOfTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newStore(t, newServer(t))
		c := strategies.New[basket](store, copying("basket"))
		loads := 0
		load := func(context.Context, string) (basket, error) {
			loads++
			time.Sleep(10 * time.Millisecond)
			return basket{"apples": 1}, nil
		}
		var callers sync.WaitGroup
		for range 10 {
			callers.Go(func() {
				v, err := c.Get(t.Context(), "k", load)
				assert.NoError(t, err)
				assert.Equal(t, basket{"apples": 1}, v)
				v["apples"]++
			})
		}
		callers.Wait()
		assert.Equal(t, 1, loads)
		require.NoError(t, store.Flush(t.Context()))
		v, err := c.Get(t.Context(), "k", load)
		require.NoError(t, err)
		assert.Equal(t, basket{"apples": 1}, v, "and what is stored is as it was loaded")
	})
}

// The loader of a refresh looks at the old value while its caller has it.
func TestCopyARefreshHasAnOldValueOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newStore(t, newServer(t))
		cfg := copying("basket")
		cfg.TTL, cfg.StaleWhileRevalidate = time.Minute, time.Hour
		c := strategies.New[basket](store, cfg)
		var seen basket
		load := func(_ context.Context, l *strategies.Load[basket]) (basket, error) {
			time.Sleep(10 * time.Millisecond)
			seen, _ = l.Old()
			return basket{"apples": 1}, nil
		}
		_, err := c.Fetch(t.Context(), "k", load)
		require.NoError(t, err)
		require.NoError(t, store.Flush(t.Context()))
		time.Sleep(2 * time.Minute)
		stale, err := c.Fetch(t.Context(), "k", load)
		require.NoError(t, err)
		stale["apples"]++
		require.NoError(t, store.Flush(t.Context()))
		assert.Equal(t, basket{"apples": 1}, seen)
	})
}

// brittle is a value that its codec cannot carry.
type brittle struct{ N *int }

func (brittle) MarshalJSON() ([]byte, error) { return nil, errors.New("no form") }

func (*brittle) UnmarshalJSON([]byte) error { return nil }

func TestCopyWhatCannotBeCopiedIsNotShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := strategies.New[brittle](newStore(t, newServer(t)), copying("brittle"))
		var seen sync.Map
		load := func(context.Context, string) (brittle, error) {
			time.Sleep(10 * time.Millisecond)
			return brittle{new(int)}, nil
		}
		var callers sync.WaitGroup
		for range 3 {
			callers.Go(func() {
				v, err := c.Get(t.Context(), "k", load)
				assert.NoError(t, err)
				_, another := seen.LoadOrStore(v.N, true)
				assert.False(t, another)
			})
		}
		callers.Wait()
	})
}
