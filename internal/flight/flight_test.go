package flight_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/internal/flight"
)

type (
	table = flight.Table[string, int]
	read  = flight.Read[string, int]
)

func newTable() *table {
	return flight.NewTable[string, int](func(context.Context, string, []flight.Token) (string, error) { return "", nil }, func(f func()) { go f() })
}

// saw are tokens of a read: the values of the key's and of the class's.
func saw(key, class string) []flight.Token {
	return []flight.Token{{ID: "k", Key: "t:k", Value: key}, {ID: "p0", Key: "t:p", Value: class}}
}

func reads(t *testing.T, table *table) *read {
	t.Helper()
	r, err := table.Read(t.Context(), "e", nil, time.Minute)
	require.NoError(t, err)
	return r
}

// A load is shared by those alone who saw what it depends on, both ways.
func TestJoinOnlyWithTheSameSnapshot(t *testing.T) {
	table := newTable()
	first := table.Join("e", reads(t, table), saw("a", "x"), false)
	require.True(t, first.Started)
	for name, tt := range map[string]struct {
		tokens []flight.Token
		joins  bool
	}{
		"the same":               {saw("a", "x"), true},
		"another key token":      {saw("b", "x"), false},
		"another class token":    {saw("a", "y"), false},
		"one token less":         {saw("a", "x")[:1], false},
		"one more, absent":       {append(saw("a", "x"), flight.Token{ID: "tq", Key: "t:q"}), true},
		"one more, and not seen": {append(saw("a", "x"), flight.Token{ID: "tq", Key: "t:q", Value: "z"}), false},
	} {
		assert.Equal(t, tt.joins, table.Busy("e", reads(t, table), tt.tokens), name)
	}
}

// An invalidation ends joining and storing, before and after it is sent.
func TestVoid(t *testing.T) {
	table := newTable()
	older := reads(t, table) // sent before the invalidation
	load := table.Join("e", reads(t, table), saw("a", "x"), false)
	other := table.Join("e", reads(t, table), []flight.Token{{ID: "k", Key: "t:other"}}, true)
	table.Void([]string{"t:p"})
	assert.False(t, table.Storable(load.Load))
	assert.True(t, table.Storable(other.Load), "it does not depend on that")
	assert.False(t, table.Busy("e", reads(t, table), saw("a", "x")))
	late := table.Join("e", older, saw("a", "x"), false)
	require.True(t, late.Started)
	assert.False(t, table.Storable(late.Load), "its snapshot predates the invalidation")
	newer := table.Join("e", reads(t, table), saw("a", "x"), false)
	assert.True(t, table.Storable(newer.Load))
}

// What is forgotten of many invalidations counts as invalidated.
func TestVoidForgetsSafely(t *testing.T) {
	table := newTable()
	older := reads(t, table)
	table.Void([]string{"t:k"})
	for i := range 9000 {
		table.Void([]string{fmt.Sprint("t:", i)})
	}
	late := table.Join("e", older, saw("a", "x"), false)
	assert.False(t, table.Storable(late.Load))
}

// A tag found late that was invalidated since the load began keeps it out.
func TestLate(t *testing.T) {
	tag := []flight.Token{{ID: "tq", Key: "t:q"}}
	for name, tt := range map[string]struct {
		void     string
		refuse   bool
		storable bool
	}{
		"nothing happened":       {"t:unrelated", false, true},
		"it was invalidated":     {"t:q", false, false},
		"it may have been, says": {"t:unrelated", true, false},
	} {
		table := newTable()
		load := table.Join("e", reads(t, table), saw("a", "x"), false)
		table.Void([]string{tt.void})
		assert.Equal(t, tt.storable, table.Late(load.Load, tag, tt.refuse), name)
		assert.Equal(t, tt.storable, table.Storable(load.Load), name)
	}
}

// A caller without a snapshot shares a load that began after its call, and waits
// for the end of an older one.
func TestJoinBlind(t *testing.T) {
	table := newTable()
	old := table.Join("e", reads(t, table), saw("a", "x"), false)
	defer table.Run(nil, old.Load).End() // its loader was called
	now := table.Now()
	wants := []flight.Want{{Key: "e", Tokens: saw("", "")}}
	blind := flight.Blind[string, int]{Since: now, Patience: time.Minute}
	got := make(chan flight.Ticket[string, int])
	go func() {
		tickets, err := table.JoinBlind(t.Context(), wants, blind)
		assert.NoError(t, err)
		got <- tickets[0]
	}()
	select {
	case <-got:
		t.Fatal("it did not wait for the older load")
	case <-time.After(20 * time.Millisecond):
	}
	table.Finish(old.Load, 1, nil)
	next := <-got
	assert.True(t, next.Started)
	assert.NotSame(t, old.Load, next.Load)
	tickets, err := table.JoinBlind(t.Context(), wants, blind)
	require.NoError(t, err)
	assert.Same(t, next.Load, tickets[0].Load, "all who waited share the next one")
}

// What is under way is forgotten when it has ended.
func TestIdle(t *testing.T) {
	table := newTable()
	load := table.Join("e", reads(t, table), saw("a", "x"), false)
	assert.False(t, table.Idle())
	table.Finish(load.Load, 1, nil)
	assert.True(t, table.Idle())
	table.Finish(load.Load, 2, nil) // only the first end counts
	v, outcome, err := table.Wait(t.Context(), load, nil)
	assert.Equal(t, []any{1, flight.Shared, nil}, []any{v, outcome, err})
}
