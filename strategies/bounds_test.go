package strategies_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/breaker"
	"github.com/cldcde/restash/invalidate"
	"github.com/cldcde/restash/strategies"
)

// A pattern's requests have the Store's budget and breaker, as all others.
func TestAPatternOnAHangingRedisIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := storeOver(t, newServer(t), sick["hangs"])
		c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour})
		for range breaker.DefaultFailures {
			began := time.Now()
			_, err := store.Invalidate(t.Context(), invalidate.Pattern(c, invalidate.Any))
			require.ErrorContains(t, err, "did not answer within the budget")
			assert.Equal(t, strategies.DefaultBudget, time.Since(began))
		}
		began := time.Now()
		_, err := store.Invalidate(t.Context(), invalidate.Pattern(c, invalidate.Any))
		require.ErrorIs(t, err, breaker.ErrOpen)
		assert.Zero(t, time.Since(began))
	})
}

// Close ends, also where a loader does not.
func TestCloseIsBoundedByTheLongestHardTimeout(t *testing.T) {
	for _, hard := range []time.Duration{0, 2 * time.Second, 5 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			store := newStore(t, newServer(t))
			c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour, Advanced: strategies.Advanced{HardTimeout: hard}})
			hung := make(chan struct{})
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				_, _ = c.Get(ctx, "k", func(context.Context, string) (item, error) { <-hung; return item{}, nil })
			}()
			synctest.Wait()
			began := time.Now()
			require.ErrorIs(t, store.Close(context.Background()), context.DeadlineExceeded)
			assert.Equal(t, max(hard, strategies.DefaultHardTimeout), time.Since(began))
			cancel()
			close(hung)
		})
	}
}

// logged returns a Store whose warnings are in the buffer.
func logged(t *testing.T, change ...func(*strategies.StoreConfig)) (*strategies.Store, *bytes.Buffer) {
	var log bytes.Buffer
	return newStore(t, newServer(t), append(change, func(c *strategies.StoreConfig) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })...), &log
}

// Wrong tags cost the caller nothing but the cache, and are said once.
func TestAValueWithWrongTagsIsLoadedAndNotStored(t *testing.T) {
	for name, tags := range map[string][]string{"too many": tagNames(strategies.MaxTags), "an empty one": {""}} {
		t.Run(name, func(t *testing.T) {
			store, log := logged(t)
			c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour, Tags: []string{"own"}})
			var src source
			for i := range 3 {
				v, st := get(t, c, "k", &src, strategies.Tags(tags...))
				assert.Equal(t, "k", v.ID)
				assert.Equal(t, []any{strategies.Bypass, strategies.ReasonTags}, []any{st.State, st.Reason})
				assert.ErrorIs(t, st.Err, strategies.ErrTags)
				var many strategies.Status
				got, err := c.GetMany(t.Context(), []string{"k", "l"}, src.loadMany, strategies.Report(&many),
					strategies.KeyTags(func(key string) []string {
						if key == "k" {
							return tags
						}
						return nil
					}))
				require.NoError(t, err)
				assert.Len(t, got, 2)
				assert.Equal(t, i == 0, many.Stored, "the other one")
				assert.ErrorIs(t, many.Err, strategies.ErrTags)
			}
			assert.Equal(t, 1, strings.Count(log.String(), "wrong tags"), log)

			get(t, c, "w", &src)
			saved := false
			require.NoError(t, c.WriteThrough(t.Context(), "w", item{N: 1}, func(_ context.Context, v item) (item, error) { saved = true; return v, nil }, strategies.Tags(tags...)))
			assert.True(t, saved)
			_, st := get(t, c, "w", &src)
			assert.Equal(t, strategies.ReasonInvalidated, st.Reason)
			assert.ErrorIs(t, c.Set(t.Context(), "w", item{}, strategies.Tags(tags...)), strategies.ErrTags)
			_, err := c.Warm(t.Context(), []string{"k"}, src.loadMany, strategies.Tags(tags...))
			assert.ErrorIs(t, err, strategies.ErrTags)
		})
	}
}

// picky is a codec for what JSON cannot refuse.
type picky struct{ strategies.JSON }

func (picky) Encode(dst []byte, v any) ([]byte, error) {
	if v.(item).N == 1 {
		panic("codec")
	}
	return strategies.JSON{}.Encode(dst, v)
}

func (picky) Decode([]byte, any) error { return errors.New("no way back") }

// What keeps a value out of the cache for good is said, once for a handle.
func TestWhatCanNeverBeCachedIsSaidOnce(t *testing.T) {
	tests := map[string]func(t *testing.T, store *strategies.Store) (says string){
		"NaN": func(t *testing.T, store *strategies.Store) string {
			c := strategies.New[float64](store, strategies.Config{Name: "number", TTL: time.Hour})
			for range 3 {
				_, err := c.Get(t.Context(), "k", func(context.Context, string) (float64, error) { return math.NaN(), nil })
				require.NoError(t, err)
			}
			return "handle=number type=float64"
		},
		"a codec that panics": func(t *testing.T, store *strategies.Store) string {
			c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour, Advanced: strategies.Advanced{Codec: picky{}}})
			src := source{}
			src.value.Store(1)
			for range 3 {
				get(t, c, "k", &src)
			}
			return "panicked: codec"
		},
		"a codec that does not read what it writes": func(t *testing.T, store *strategies.Store) string {
			c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour, Advanced: strategies.Advanced{Codec: picky{}}})
			var src source
			for range 3 {
				get(t, c, "k", &src)
			}
			return "no way back"
		},
		"late tags": func(t *testing.T, store *strategies.Store) string {
			c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour})
			for range 3 {
				_, err := c.Fetch(t.Context(), "k", func(_ context.Context, l *strategies.Load[item]) (item, error) {
					l.AddTags(tagNames(strategies.MaxTags + 1)...)
					return item{}, nil
				})
				require.NoError(t, err)
			}
			return fmt.Sprint("more than ", strategies.MaxTags)
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			store, log := logged(t)
			says := test(t, store)
			assert.Contains(t, log.String(), says)
			assert.Equal(t, 1, strings.Count(log.String(), "level=WARN"), log)
		})
	}
}
