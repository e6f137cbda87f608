package strategies_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/invalidate"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/upstashtest"
)

// column is a Redis of the bill's table.
type column struct {
	name string
	srv  []func(*upstashtest.Config)
}

var columns = []column{
	{"MSETEX", nil},
	{"no MSETEX", []func(*upstashtest.Config){func(c *upstashtest.Config) { c.Without = []string{"MSETEX"} }}},
}

// pick returns the figure of this column.
func (c column) pick(with, without int) int {
	if c.srv == nil {
		return with
	}
	return without
}

// store returns one that has noticed whether there is an MSETEX.
func (c column) store(t *testing.T, srv *upstashtest.Server, change ...func(*strategies.StoreConfig)) *strategies.Store {
	store := newStore(t, srv, change...)
	_, err := store.Invalidate(t.Context(), invalidate.Tags("is there", "an MSETEX"))
	require.NoError(t, err)
	return store
}

// billed is a row under test, and which figures its server was seen to count.
type billed struct {
	column
	*upstashtest.Server
	seen map[string]bool
}

func (b billed) expect(t *testing.T, commands, trips int) (check func()) {
	b.seen[fmt.Sprintf("%d / %d", commands, trips)] = true
	return b.ExpectBill(t, commands, trips)
}

// The bill: each row of the table in docs/operations.md, asserted by what the
// server counted, with and without MSETEX.
func TestBill(t *testing.T) {
	seen := map[string]map[string]bool{}
	for _, col := range columns {
		t.Run(col.name, func(t *testing.T) {
			for name, row := range billRows {
				if seen[name] == nil {
					seen[name] = map[string]bool{}
				}
				t.Run(name, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { row(t, billed{col, newServer(t, col.srv...), seen[name]}) })
				})
			}
		})
	}
	for operation, figures := range readmeBill(t) {
		row, ok := readmeRows[operation]
		if assert.Truef(t, ok, "README's row %q is no row of this test", operation) {
			for _, f := range figures {
				assert.Truef(t, seen[row][f], "README says %s: %s; the server never counted that in %q", operation, f, row)
			}
		}
	}
}

// readmeRows says which row holds a line of README's table.
var readmeRows = map[string]string{
	"hit or stale answer, with any number of tags":              "miss 2/2, hit 1/1",
	"miss; one whose loader adds tags":                          "late tags: miss 3/3, first hit of a process 2/2, then 1/1",
	"batch of n keys, some of them missing":                     "batch, m of n missing: 2/2 (1+m/2); m = 0: 1/1",
	"write-through":                                             "write-through and Set 3/2, delete 1/1",
	"invalidate any number of tags, keys, prefixes, everything": "any number of tags, keys, prefixes: 1/1 (n/1)",
	"warm 500 keys":                                             "warm n keys: 2/2 per 500 (n+1/2)",
}

// readmeBill is README's table: the figures of each operation.
func readmeBill(t *testing.T) map[string][]string {
	raw, err := os.ReadFile(filepath.Join("..", "README.md"))
	require.NoError(t, err)
	_, table, found := strings.Cut(string(raw), "## What it costs")
	require.True(t, found)
	table, _, _ = strings.Cut(table, "\n## ")
	rows := map[string][]string{}
	for _, m := range regexp.MustCompile(`(?m)^\| ([^|]+) \| ([^|]+) \|$`).FindAllStringSubmatch(table, -1) {
		if f := regexp.MustCompile(`\d+ / \d+`).FindAllString(m[2], -1); len(f) > 0 {
			rows[m[1]] = f
		}
	}
	require.NotEmpty(t, rows)
	return rows
}

func names(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprint("k", i)
	}
	return keys
}

var billRows = map[string]func(t *testing.T, b billed){
	"miss 2/2, hit 1/1": billOfOne,
	"late tags: miss 3/3, first hit of a process 2/2, then 1/1": billOfLateTags,
	"refresh after a stale answer 1/1":                          billOfRefresh,
	"stampede 3/3":                                              billOfStampede,
	"batch, m of n missing: 2/2 (1+m/2); m = 0: 1/1":            billOfBatch,
	"batch with jitter: one lifetime":                           billOfJitter,
	"batch with two lifetimes: 3/2":                             billOfLifetimes,
	"any number of tags, keys, prefixes: 1/1 (n/1)":             billOfInvalidate,
	"pending tokens go with a read: +1 (+n)":                    billOfPending,
	"write-through and Set 3/2, delete 1/1":                     billOfWrites,
	"write-through, another writer was there: +1/1":             billOfConflict,
	"SetMany of n: 2+n/2 (1+2n/2), conflicts +1/1 (+n/1)":       billOfSetMany,
	"warm n keys: 2/2 per 500 (n+1/2)":                          billOfWarming,
	"strict, a absent tokens: +1+a/+1":                          billOfStrict,
	"a value over the limit: 1/1":                               billOfOversized,
}

func billOfOne(t *testing.T, b billed) {
	c := strategies.New[item](b.store(t, b.Server), strategies.Config{Name: "item", TTL: time.Minute, Tags: []string{"a", "b"}})
	var src source
	check := b.expect(t, 2, 2)
	_, st := get(t, c, "x:y:z", &src, strategies.Tags("c"))
	check()
	assert.Equal(t, strategies.Miss, st.State)
	assert.True(t, st.Stored)
	assert.Equal(t, []int{2, 2}, []int{st.Commands, st.Trips})

	check = b.expect(t, 1, 1)
	v, st := get(t, c, "x:y:z", &src, strategies.Tags("c"))
	check()
	assert.Equal(t, strategies.Hit, st.State)
	assert.Equal(t, "x:y:z", v.ID)
	assert.EqualValues(t, 1, src.reads.Load())
}

func billOfLateTags(t *testing.T, b billed) {
	cfg := strategies.Config{Name: "item", TTL: time.Minute}
	first := strategies.New[item](b.store(t, b.Server, pooled), cfg)
	fetch := func(c *strategies.Cache[item], commands, trips int) {
		check := b.expect(t, commands, trips)
		_, err := c.Fetch(t.Context(), "k", func(ctx context.Context, l *strategies.Load[item]) (item, error) {
			l.AddTags("late")
			return item{ID: l.Key()}, nil
		})
		require.NoError(t, err)
		require.NoError(t, c.Store().Flush(t.Context()))
		check()
	}
	fetch(first, 3, 3)
	fetch(first, 1, 1)
	other := strategies.New[item](b.store(t, b.Server, pooled), cfg)
	fetch(other, 2, 2)
	fetch(other, 1, 1)
}

func billOfRefresh(t *testing.T, b billed) {
	store := b.store(t, b.Server)
	c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Minute, StaleWhileRevalidate: time.Minute})
	var src source
	get(t, c, "k", &src)
	time.Sleep(61 * time.Second)
	check := b.expect(t, 2, 2)
	_, st := get(t, c, "k", &src)
	assert.Equal(t, strategies.Stale, st.State)
	require.NoError(t, store.Flush(t.Context()))
	check()
	_, st = get(t, c, "k", &src)
	assert.Equal(t, strategies.Hit, st.State)
}

func billOfStampede(t *testing.T, b billed) {
	c := strategies.New[item](b.store(t, b.Server), strategies.Config{Name: "item", TTL: time.Minute})
	defer b.Intercept(delayed(20 * time.Millisecond))()
	var src source
	src.delay.Store(int64(100 * time.Millisecond))
	check := b.expect(t, 3, 3)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() { get(t, c, "k", &src) })
	}
	wg.Wait()
	check()
	assert.EqualValues(t, 1, src.reads.Load())
}

func billOfBatch(t *testing.T, b billed) {
	c := strategies.New[item](b.store(t, b.Server), strategies.Config{Name: "item", TTL: time.Minute})
	var src source
	keys := names(20)
	for _, row := range []struct{ upTo, missing int }{{13, 13}, {20, 7}, {20, 0}} {
		check := b.expect(t, 1+b.pick(min(row.missing, 1), row.missing), min(row.missing, 1)+1)
		got, err := c.GetMany(t.Context(), keys[:row.upTo], src.loadMany)
		require.NoError(t, err)
		check()
		assert.Len(t, got, row.upTo)
	}
	assert.EqualValues(t, 2, src.reads.Load())
}

func billOfLifetimes(t *testing.T, b billed) {
	c := strategies.New[item](b.store(t, b.Server), strategies.Config{Name: "item", TTL: time.Minute, Negative: time.Second})
	check := b.expect(t, 1+b.pick(2, 20), 2)
	got, err := c.GetMany(t.Context(), names(20), func(ctx context.Context, keys []string) (map[string]item, error) {
		return (&source{}).loadMany(ctx, keys[:12]) // eight do not exist
	})
	require.NoError(t, err)
	check()
	assert.Len(t, got, 12)
}

func billOfJitter(t *testing.T, b billed) {
	c := strategies.New[item](b.store(t, b.Server), strategies.Config{Name: "item", TTL: time.Minute, Advanced: strategies.Advanced{Jitter: 0.5}})
	var src source
	check := b.expect(t, 1+b.pick(1, 20), 2)
	_, err := c.GetMany(t.Context(), names(20), src.loadMany)
	require.NoError(t, err)
	check()
}

func billOfInvalidate(t *testing.T, b billed) {
	store := b.store(t, b.Server)
	c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Minute})
	commands := b.pick(1, 5)
	check := b.expect(t, commands, 1)
	r, err := store.Invalidate(t.Context(), invalidate.Tags("a", "b"), invalidate.Key(c, "x"), invalidate.Prefix(c, "p"), invalidate.All())
	require.NoError(t, err)
	check()
	assert.Equal(t, invalidate.Report{Commands: commands, Trips: 1}, r)
	check = b.expect(t, 1, 1)
	_, err = store.Invalidate(t.Context(), invalidate.Prefix(c))
	require.NoError(t, err)
	check()
	check = b.expect(t, b.pick(3, 2500), 3) // a request takes 1,000
	_, err = store.Invalidate(t.Context(), invalidate.Tags(names(2500)...))
	require.NoError(t, err)
	check()
}

func billOfPending(t *testing.T, b billed) {
	store := b.store(t, b.Server)
	c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Minute})
	var src source
	get(t, c, "k", &src)
	heal := b.Intercept(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { w.WriteHeader(http.StatusBadGateway) })
	_, err := store.Invalidate(t.Context(), invalidate.Tags(names(10)...))
	require.ErrorIs(t, err, strategies.ErrPending)
	heal()
	time.Sleep(time.Second)
	check := b.expect(t, 1+b.pick(1, 10), 1)
	_, st := get(t, c, "k", &src)
	check()
	assert.Equal(t, strategies.Hit, st.State)
	assert.Zero(t, store.Stats().Pending)
}

func billOfWrites(t *testing.T, b billed) {
	c := strategies.New[item](b.store(t, b.Server), strategies.Config{Name: "item", TTL: time.Minute})
	for range 2 { // the token absent, then present
		check := b.expect(t, 3, 2)
		require.NoError(t, c.WriteThrough(t.Context(), "k", item{N: 1}, noSave))
		check()
	}
	check := b.expect(t, 3, 2)
	require.NoError(t, c.Set(t.Context(), "k", item{N: 2}))
	check()
	var src source
	v, st := get(t, c, "k", &src)
	assert.Equal(t, strategies.Hit, st.State)
	assert.Equal(t, 2, v.N)
	check = b.expect(t, 1, 1)
	require.NoError(t, c.Delete(t.Context(), "k", func(context.Context) error { return nil }))
	check()
}

func billOfConflict(t *testing.T, b billed) {
	c := strategies.New[item](b.store(t, b.Server), strategies.Config{Name: "item", TTL: time.Minute})
	check := b.expect(t, 4, 3)
	require.NoError(t, c.WriteThrough(t.Context(), "k", item{}, otherWriter(b.Server, "k")))
	check()
}

// otherWriter changes the keys' tokens while a save runs, behind the bill's back.
func otherWriter(srv *upstashtest.Server, keys ...string) func(context.Context, item) (item, error) {
	return func(_ context.Context, v item) (item, error) {
		for _, k := range keys {
			if _, err := srv.Do("SET", "restash:k:item:"+k, "another"); err != nil {
				return v, err
			}
		}
		return v, nil
	}
}

func billOfSetMany(t *testing.T, b billed) {
	c := strategies.New[item](b.store(t, b.Server), strategies.Config{Name: "item", TTL: time.Minute})
	values := map[string]item{}
	for i, k := range names(30) {
		values[k] = item{N: i}
	}
	check := b.expect(t, 1+30+b.pick(1, 30), 2)
	require.NoError(t, c.SetMany(t.Context(), values))
	check()
	check = b.expect(t, 1, 1)
	got, err := c.GetMany(t.Context(), names(30), (&source{}).loadMany)
	require.NoError(t, err)
	check()
	assert.Equal(t, values, got)
	var once sync.Once
	defer b.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if strings.Contains(peek(r), "IFEQ") {
			once.Do(func() {
				_, err := otherWriter(b.Server, names(30)...)(t.Context(), item{})
				assert.NoError(t, err)
			})
		}
		next.ServeHTTP(w, r)
	})()
	check = b.expect(t, 1+30+b.pick(1, 30)+b.pick(1, 30), 3)
	require.NoError(t, c.SetMany(t.Context(), values))
	check()
}

func billOfWarming(t *testing.T, b billed) {
	c := strategies.New[item](b.store(t, b.Server), strategies.Config{Name: "item", TTL: time.Minute})
	var src source
	check := b.expect(t, b.pick(2, 501), 2)
	r, err := c.Warm(t.Context(), names(500), src.loadMany)
	require.NoError(t, err)
	check()
	keys := names(1700)[500:]
	commands := b.pick(6, 3+1200)
	check = b.expect(t, commands, 6)
	r, err = c.Warm(t.Context(), keys, src.loadMany)
	require.NoError(t, err)
	check()
	assert.Equal(t, 1200, r.Warmed)
	assert.Equal(t, []int{commands, 6}, []int{r.Commands, r.Trips})
	r, err = c.Warm(t.Context(), keys, src.loadMany)
	require.NoError(t, err)
	assert.Equal(t, []int{1200, 0}, []int{r.Fresh, r.Warmed})
}

func billOfStrict(t *testing.T, b billed) {
	c := strategies.New[item](b.store(t, b.Server, func(c *strategies.StoreConfig) { c.Strict = true }), strategies.Config{Name: "item", TTL: time.Minute})
	var src source
	// namespace, handle, key, and the key as a prefix: four tokens.
	check := b.expect(t, 2+1+4, 3)
	get(t, c, "k", &src)
	check()
	check = b.expect(t, 1, 1)
	_, st := get(t, c, "k", &src)
	check()
	assert.Equal(t, strategies.Hit, st.State)
	check = b.expect(t, 3+1+2, 3)
	require.NoError(t, c.WriteThrough(t.Context(), "other", item{}, noSave))
	check()
}

func billOfOversized(t *testing.T, b billed) {
	store := b.store(t, b.Server)
	c := strategies.New[string](store, strategies.Config{Name: "big", TTL: time.Minute, Advanced: strategies.Advanced{CompressFrom: -1}})
	big := strings.Repeat("x", 512<<10)
	check := b.expect(t, 1, 1)
	var st strategies.Status
	v, err := c.Get(t.Context(), "k", func(context.Context, string) (string, error) { return big, nil }, strategies.Report(&st))
	require.NoError(t, err)
	check()
	assert.Equal(t, big, v)
	assert.True(t, st.Oversized)
	assert.EqualValues(t, 1, store.Stats().Oversized)
}
