package strategies_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/invalidate"
	"github.com/cldcde/restash/strategies"
)

// byValue tags an item with its number.
func byValue(it item) []string { return []string{"", fmt.Sprint("n:", it.N)} }

func tagged(t *testing.T, tags func(item) []string) (*strategies.Store, *strategies.Cache[item], *source) {
	store := newStore(t, newServer(t))
	c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour, Advanced: strategies.Advanced{TagsOf: strategies.TagsOf(tags)}})
	src := &source{}
	src.value.Store(7)
	return store, c, src
}

func invalidated(t *testing.T, store *strategies.Store, tag string) {
	t.Helper()
	_, err := store.Invalidate(t.Context(), invalidate.Tags(tag))
	require.NoError(t, err)
}

func TestTagsOf(t *testing.T) {
	fills := map[string]func(t *testing.T, c *strategies.Cache[item], src *source){
		"Get": func(t *testing.T, c *strategies.Cache[item], src *source) { get(t, c, "k", src) },
		"Fetch": func(t *testing.T, c *strategies.Cache[item], src *source) {
			_, err := c.Fetch(t.Context(), "k", func(ctx context.Context, l *strategies.Load[item]) (item, error) { return src.load(ctx, l.Key()) })
			require.NoError(t, err)
		},
		"GetMany": func(t *testing.T, c *strategies.Cache[item], src *source) {
			_, err := c.GetMany(t.Context(), []string{"j", "k"}, src.loadMany)
			require.NoError(t, err)
		},
		"Warm": func(t *testing.T, c *strategies.Cache[item], src *source) {
			_, err := c.Warm(t.Context(), []string{"j", "k"}, src.loadMany)
			require.NoError(t, err)
		},
		"Set": func(t *testing.T, c *strategies.Cache[item], _ *source) {
			require.NoError(t, c.Set(t.Context(), "k", item{N: 7}))
		},
		"SetMany": func(t *testing.T, c *strategies.Cache[item], _ *source) {
			require.NoError(t, c.SetMany(t.Context(), map[string]item{"j": {N: 8}, "k": {N: 7}}, strategies.KeyTags(func(key string) []string { return []string{"of:" + key} })))
		},
		"WriteThrough": func(t *testing.T, c *strategies.Cache[item], _ *source) {
			require.NoError(t, c.WriteThrough(t.Context(), "k", item{N: 7}, noSave))
		},
	}
	for name, fill := range fills {
		t.Run(name, func(t *testing.T) {
			store, c, src := tagged(t, byValue)
			fill(t, c, src)
			require.NoError(t, store.Flush(t.Context()))
			_, st := get(t, c, "k", src)
			assert.Equal(t, strategies.Hit, st.State)
			invalidated(t, store, "n:8")
			_, st = get(t, c, "k", src)
			assert.Equal(t, strategies.Hit, st.State, "another value's tag")
			invalidated(t, store, "n:7")
			_, st = get(t, c, "k", src)
			assert.Equal(t, strategies.Miss, st.State)
			if name == "SetMany" {
				require.NoError(t, store.Flush(t.Context()))
				fill(t, c, src)
				invalidated(t, store, "of:k")
				_, st = get(t, c, "k", src)
				assert.Equal(t, strategies.Miss, st.State, "the call's own tags stay")
			}
		})
	}
}

// A row whose tags were not read before its save could hide an invalidation of
// them: it is not stored, and what was cached is gone all the same.
func TestWriteThroughStoresTheRowThatSaveReturns(t *testing.T) {
	store, c, src := tagged(t, byValue)
	row := func(_ context.Context, it item) (item, error) { return item{ID: "made by the database", N: it.N}, nil }
	var st strategies.Status
	require.NoError(t, c.WriteThrough(t.Context(), "k", item{N: 7}, row, strategies.Report(&st)))
	assert.True(t, st.Stored)
	v, hit := get(t, c, "k", src)
	assert.Equal(t, strategies.Hit, hit.State)
	assert.Equal(t, item{ID: "made by the database", N: 7}, v)

	other := func(context.Context, item) (item, error) { return item{N: 9}, nil }
	require.NoError(t, c.WriteThrough(t.Context(), "k", item{N: 7}, other, strategies.Report(&st)))
	assert.False(t, st.Stored)
	src.value.Store(9)
	v, miss := get(t, c, "k", src)
	assert.Equal(t, strategies.Miss, miss.State)
	assert.Equal(t, 9, v.N)
	require.NoError(t, store.Flush(t.Context()))
}

func TestTagsOfThatEndsEarlyKeepsTheValueOut(t *testing.T) {
	store, c, src := tagged(t, func(item) []string { panic("no tags") })
	for range 2 {
		v, st := get(t, c, "k", src)
		assert.Equal(t, 7, v.N, "the loader answers")
		assert.Equal(t, strategies.Miss, st.State)
		require.NoError(t, store.Flush(t.Context()))
	}
	var st strategies.Status
	saved := 0
	save := func(_ context.Context, v item) (item, error) { saved++; return v, nil }
	require.NoError(t, c.WriteThrough(t.Context(), "k", item{}, save, strategies.Report(&st)))
	assert.Equal(t, 1, saved, "what is saved does not depend on the cache")
	assert.False(t, st.Stored)
	require.NoError(t, c.SetMany(t.Context(), map[string]item{"k": {}, "l": {}}, strategies.Report(&st)))
	assert.False(t, st.Stored)
}

func TestTagsOfThatEndEarlyForTheSavedRowKeepItOut(t *testing.T) {
	_, c, src := tagged(t, func(v item) []string {
		if v.N == 9 {
			panic("no tags")
		}
		return nil
	})
	get(t, c, "k", src)
	var st strategies.Status
	require.NoError(t, c.WriteThrough(t.Context(), "k", item{}, func(context.Context, item) (item, error) { return item{N: 9}, nil }, strategies.Report(&st)))
	assert.False(t, st.Stored)
	src.value.Store(9)
	v, st := get(t, c, "k", src)
	assert.Equal(t, 9, v.N, "nothing from before the save is served")
	assert.Equal(t, strategies.Miss, st.State)
}

func TestTagsOfOfAnotherTypeIsRefused(t *testing.T) {
	assert.PanicsWithValue(t, "strategies: Config.Advanced.TagsOf is for string, want strategies_test.item", func() {
		strategies.New[item](newStore(t, newServer(t)), strategies.Config{
			Name: "item", TTL: time.Hour, Advanced: strategies.Advanced{TagsOf: strategies.TagsOf(func(string) []string { return nil })},
		})
	})
}
