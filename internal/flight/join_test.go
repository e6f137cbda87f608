package flight_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/internal/flight"
)

var absent = saw("", "")

// A read that was answered while a load was under way remembers it. What happens
// to the load afterwards counts all the same.
func TestJoinWhatHappenedToTheLoad(t *testing.T) {
	for name, tt := range map[string]struct {
		happened func(*table, *flight.Load[string, int])
		joins    bool
	}{
		"nothing":                    {func(*table, *flight.Load[string, int]) {}, true},
		"it was voided":              {func(table *table, _ *flight.Load[string, int]) { table.Void([]string{"t:k"}) }, false},
		"its value is its starter's": {func(table *table, l *flight.Load[string, int]) { table.Unshare(l) }, false},
		"a late tag refused it":      {func(table *table, l *flight.Load[string, int]) { table.Late(l, nil, true) }, false},
		"it was sealed for others":   {func(table *table, l *flight.Load[string, int]) { table.Seal(l) }, true},
		"it ended":                   {func(table *table, l *flight.Load[string, int]) { table.Finish(l, 1, nil) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			table := newTable()
			load := table.Join("e", reads(t, table), absent, false)
			reader := reads(t, table)
			tt.happened(table, load.Load)
			got := table.Join("e", reader, absent, false)
			assert.Equal(t, tt.joins, !got.Started)
			assert.Equal(t, tt.joins, got.Load == load.Load)
		})
	}
}

func TestJoinOfSeveralKeysEachItsOwn(t *testing.T) {
	table := newTable()
	keys := []string{"e", "f"}
	load := table.Join("e", reads(t, table), absent, false)
	r := table.Begin(keys)
	table.End(r, keys)
	assert.Same(t, load.Load, table.Join("e", r, absent, false).Load)
	assert.True(t, table.Join("f", r, absent, false).Started)
}

// A read that was sent before a load's end missed its store; one that was sent
// behind it shows what the store did.
func TestJoinBehindTheLoadsEnd(t *testing.T) {
	table := newTable()
	keys := []string{"e"}
	load := table.Join("e", reads(t, table), absent, false)
	before := table.Begin(keys)
	table.Finish(load.Load, 1, nil)
	behind := table.Begin(keys)
	table.End(behind, keys)
	assert.False(t, table.Busy("e", behind, absent))
	table.End(before, keys)
	assert.True(t, table.Busy("e", before, absent))
}

func TestJoinAlone(t *testing.T) {
	table := newTable()
	table.Join("e", reads(t, table), absent, false)
	r := reads(t, table)
	require.True(t, table.Busy("e", r, absent))
	assert.True(t, table.Join("e", r, absent, true).Started)
}

func TestJoinNobodyKnowsWhatALoadWithoutASnapshotMissed(t *testing.T) {
	table := newTable()
	table.Join("e", nil, absent, true)
	assert.False(t, table.Busy("e", reads(t, table), absent))
}

func TestSealEndsJoiningForReadsSentFromNowOn(t *testing.T) {
	table := newTable()
	keys := []string{"e"}
	load := table.Join("e", reads(t, table), absent, false)
	before := table.Begin(keys)
	table.Seal(load.Load)
	behind := table.Begin(keys)
	table.End(before, keys)
	table.End(behind, keys)
	assert.True(t, table.Busy("e", before, absent))
	assert.False(t, table.Busy("e", behind, absent))
}

func TestRenewIsWhatJoinersMustHaveSeen(t *testing.T) {
	table := newTable()
	load := table.Join("e", reads(t, table), absent, false)
	table.Renew(load.Load, saw("new", ""))
	assert.True(t, table.Busy("e", reads(t, table), saw("new", "")))
	assert.False(t, table.Busy("e", reads(t, table), absent))
}

// Who began to read behind the load's start may have seen the invalidation that
// the load's late tag missed; who began before shares.
func TestLateJoinersOfARefusedLoad(t *testing.T) {
	table := newTable()
	keys := []string{"e"}
	before := table.Begin(keys)
	load := table.Join("e", reads(t, table), absent, false)
	behind := table.Begin(keys) // the first moment behind the start
	table.End(before, keys)
	table.End(behind, keys)
	early, late := table.Join("e", before, absent, false), table.Join("e", behind, absent, false)
	require.False(t, early.Started || late.Started)
	table.Late(load.Load, nil, true)
	table.Finish(load.Load, 7, nil)

	v, outcome, err := table.Wait(t.Context(), early, nil)
	assert.Equal(t, []any{7, flight.Shared, nil}, []any{v, outcome, err})
	v, outcome, err = table.Wait(t.Context(), late, nil)
	assert.Equal(t, []any{0, flight.Again, nil}, []any{v, outcome, err})
}

func TestLateTagsAreWhatTheLoadDependsOn(t *testing.T) {
	table := newTable()
	load := table.Join("e", reads(t, table), absent, false)
	require.True(t, table.Late(load.Load, []flight.Token{{ID: "tq", Key: "t:q"}}, false))
	table.Void([]string{"t:q"})
	assert.False(t, table.Storable(load.Load))
}

func TestUnshareSendsWaitersAway(t *testing.T) {
	table := newTable()
	load := table.Join("e", reads(t, table), absent, false)
	joined := table.Join("e", reads(t, table), absent, false)
	require.False(t, joined.Started)
	table.Unshare(load.Load)
	table.Finish(load.Load, 7, nil)
	v, outcome, err := table.Wait(t.Context(), joined, nil)
	assert.Equal(t, []any{0, flight.Private, nil}, []any{v, outcome, err})
	v, outcome, err = table.Wait(t.Context(), load, nil)
	assert.Equal(t, []any{7, flight.Shared, nil}, []any{v, outcome, err}, "the value is its starter's")
}

func TestAbandonIsNeverStored(t *testing.T) {
	table := newTable()
	load := table.Join("e", reads(t, table), absent, false)
	table.Abandon(load.Load, context.DeadlineExceeded)
	assert.False(t, table.Storable(load.Load))
}

// Callers that come while a read is under way share the next, which reads what
// each of them needs.
func TestReadCallersShareTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent [][]flight.Token
		answer := make(chan struct{})
		table := flight.NewTable[string, int](func(_ context.Context, _ string, tokens []flight.Token) (string, error) {
			sent = append(sent, tokens)
			<-answer
			return "", nil
		}, func(f func()) { go f() })
		got := make(chan *read, 3)
		for _, id := range []string{"a", "b", "c"} {
			go func() {
				r, err := table.Read(t.Context(), "e", []flight.Token{{ID: id, Key: "t:" + id}}, time.Minute)
				assert.NoError(t, err)
				got <- r
			}()
			synctest.Wait()
		}
		answer <- struct{}{}
		first := <-got
		answer <- struct{}{}
		second, third := <-got, <-got
		assert.NotSame(t, first, second, "its answer may be older than their calls")
		assert.Same(t, second, third)
		require.Len(t, sent, 2)
		assert.ElementsMatch(t, []flight.Token{{ID: "b", Key: "t:b"}, {ID: "c", Key: "t:c"}}, sent[1])
	})
}

// Without a snapshot nobody shares what an invalidation or a late tag has hit.
func TestJoinBlindNeverWhatIsVoid(t *testing.T) {
	for name, void := range map[string]func(*table, *flight.Load[string, int]){
		"invalidated": func(table *table, _ *flight.Load[string, int]) { table.Void([]string{"t:k"}) },
		"refused":     func(table *table, l *flight.Load[string, int]) { table.Late(l, nil, true) },
	} {
		t.Run(name, func(t *testing.T) {
			table := newTable()
			since := table.Now()
			load := table.Join("e", reads(t, table), absent, false)
			void(table, load.Load)
			tickets, err := table.JoinBlind(t.Context(), []flight.Want{{Key: "e", Tokens: absent}},
				flight.Blind[string, int]{Since: since, Patience: time.Minute})
			require.NoError(t, err)
			assert.True(t, tickets[0].Started)
		})
	}
}

func TestJoinBlindWaitsForAnOlderLoadNoLongerThanItsPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := newTable()
		old := table.Join("e", reads(t, table), absent, false)
		defer table.Run(nil, old.Load).End()
		began := time.Now()
		tickets, err := table.JoinBlind(t.Context(), []flight.Want{{Key: "e", Tokens: absent}},
			flight.Blind[string, int]{Since: table.Now(), Patience: time.Second})
		require.NoError(t, err)
		assert.True(t, tickets[0].Started)
		assert.Equal(t, time.Second, time.Since(began))
	})
}

func TestVoidRemembersABoundedNumber(t *testing.T) {
	table := newTable()
	for i := range 9000 {
		table.Void([]string{"t:" + time.Duration(i).String()})
	}
	assert.LessOrEqual(t, table.Remembered(), 8192)
}
