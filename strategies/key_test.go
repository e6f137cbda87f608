package strategies_test

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"net/netip"
	"net/url"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/strategies"
)

// lossyText has a text that says little of it, and no way back.
type lossyText struct{ Tenant string }

func (lossyText) MarshalText() ([]byte, error) { return []byte("tenant"), nil }

type lossyName struct{ tenant string }

func (lossyName) String() string { return "tenant" }

type lossyJSON struct{ tenant string }

func (lossyJSON) MarshalJSON() ([]byte, error) { return []byte(`"x"`), nil }

// dated takes the text form of its embedded time over.
type dated struct {
	time.Time
	Tenant string
}

type color int

func (color) String() string { return "unknown" }

type refused struct {
	tenant string
	err    error
}

func (r *refused) Error() string { return "refused" }

func TestKeyTellsApartWhatEncodersDoNot(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	type tagged struct {
		Tenant string `json:"-"`
		Other  string `json:"Tenant,omitempty"`
	}
	type nested struct {
		list  []any
		byKey map[string]any
		err   error
		ptr   **int
		raw   []byte
	}
	one := 1
	two := &one
	tests := map[string][2]any{
		"unexported field":        {struct{ tenant string }{"red"}, struct{ tenant string }{"blue"}},
		"field without JSON":      {tagged{Tenant: "red"}, tagged{Tenant: "blue"}},
		"fields of one JSON name": {tagged{Tenant: "red"}, tagged{Other: "red"}},
		"name of a field":         {struct{ A string }{"x"}, struct{ B string }{"x"}},
		"text without a way back": {lossyText{"red"}, lossyText{"blue"}},
		"Stringer":                {lossyName{"red"}, lossyName{"blue"}},
		"Stringer of a number":    {color(1), color(2)},
		"MarshalJSON":             {lossyJSON{"red"}, lossyJSON{"blue"}},
		"embedded text":           {dated{at, "red"}, dated{at, "blue"}},
		"errors":                  {errors.New("red"), errors.New("blue")},
		"own errors":              {&refused{tenant: "red"}, &refused{tenant: "blue"}},
		"wrapped errors":          {fmt.Errorf("x: %w", errors.New("red")), fmt.Errorf("x: %w", errors.New("blue"))},
		"inner error":             {&refused{err: errors.New("red")}, &refused{err: errors.New("blue")}},
		"bytes":                   {[]byte("\xff"), []byte("\xfe")},
		"text that is not UTF-8":  {"\xff", "\xfe"},
		"the same in a list":      {[]string{"\xff"}, []string{"\xfe"}},
		"lists":                   {[]string{"a", "b"}, []string{"a,b"}},
		"list and its text":       {[]string{"a"}, `["a"]`},
		"1 and \"1\" in any":      {map[string]any{"n": 1}, map[string]any{"n": "1"}},
		"1 and 1.0 in any":        {[]any{1}, []any{1.0}},
		"types in any":            {[]any{struct{ A int }{1}}, []any{struct{ B int }{1}}},
		"nil and empty list":      {[]string(nil), []string{}},
		"nil and empty in any":    {[]any{nil}, []any{""}},
		"nil behind a pointer":    {struct{ P **int }{nil}, struct{ P **int }{new(*int)}},
		"pointers":                {&struct{ tenant string }{"red"}, &struct{ tenant string }{"blue"}},
		"pointer to pointer":      {nested{ptr: &two}, nested{}},
		"any in unexported":       {nested{list: []any{"red"}}, nested{list: []any{"blue"}}},
		"map in unexported":       {nested{byKey: map[string]any{"a": 1}}, nested{byKey: map[string]any{"a": 2}}},
		"bytes in unexported":     {nested{raw: []byte{0}}, nested{raw: []byte{1}}},
		"error in unexported":     {nested{err: errors.New("red")}, nested{err: errors.New("blue")}},
		"map with struct keys":    {map[struct{ a int }]int{{1}: 1}, map[struct{ a int }]int{{2}: 1}},
		"values of a query":       {url.Values{"a": {"1", "2"}}, url.Values{"a": {"1,2"}}},
		"no value of a query":     {url.Values{"a": {}}, url.Values{}},
		"a query and a map":       {url.Values{"a": {"1"}}, map[string]string{"a": "1"}},
		"big numbers":             {big.NewInt(1), big.NewInt(2)},
		"time zones":              {at, at.In(time.FixedZone("", 7200))},
		"nanoseconds":             {at, at.Add(1)},
		"addresses":               {netip.MustParseAddr("::1%a"), netip.MustParseAddr("::1%b")},
		"complex":                 {complex(1, 2), complex(2, 1)},
	}
	for name, pair := range tests {
		assert.NotEqual(t, strategies.Key(pair[0]), strategies.Key(pair[1]), name)
		assert.Equal(t, strategies.Key(pair[0]), strategies.Key(pair[0]), name)
	}
}

func TestKeyRefusesWhatItCannotTellApart(t *testing.T) {
	type circle struct{ next *circle }
	ring := &circle{}
	ring.next = ring
	type private struct{ at time.Time }
	for name, v := range map[string]any{
		"channel": make(chan int), "func": func() {}, "nil func": (func())(nil), "func in a field": struct{ f func() }{},
		"circle": ring, "time in an unexported field": private{time.Now()},
	} {
		assert.Panics(t, func() { strategies.Key(v) }, name)
	}
}

func TestKeyTakesNilPointersOfTypesWithAText(t *testing.T) {
	for _, v := range []any{(*time.Time)(nil), (*url.URL)(nil), (*netip.Addr)(nil), (*big.Int)(nil), (*color)(nil), (*refused)(nil)} {
		assert.NotPanics(t, func() { assert.Equal(t, strategies.Key(nil), strategies.Key(v), "%T", v) }, "%T", v)
	}
	assert.NotEqual(t, strategies.Key(&url.URL{Path: "a"}), strategies.Key(&url.URL{Path: "b"}))
}

// leaf, branch and their like cover what a key may be made of.
type leaf struct {
	Text   string `json:"-"`
	hidden string
	N      int8 `json:"n,omitempty"`
	bytes  []byte
	Err    error
	Any    any
}

type branch struct {
	Leaves []leaf
	ByName map[string]leaf
	Ptr    *leaf
	inner  any
	Array  [2]string
	when   map[int8]string
}

func randomText(r *rand.Rand) string {
	return []string{"", "a", "b", "a:b", "%-", "%_", "%}", "\xff", "\xfe", "1", "nil", "a%2C", ","}[r.IntN(13)]
}

func randomAny(r *rand.Rand) any {
	switch r.IntN(9) {
	case 0:
		return nil
	case 1:
		return randomText(r)
	case 2:
		return r.IntN(3)
	case 3:
		return float64(r.IntN(3))
	case 4:
		return []any{randomText(r)}
	case 5:
		return []string{randomText(r)}
	case 6:
		return map[string]any{randomText(r): r.IntN(2)}
	case 7:
		return struct{ a string }{randomText(r)}
	}
	return &leaf{hidden: randomText(r)}
}

func randomLeaf(r *rand.Rand) leaf {
	l := leaf{Any: randomAny(r)}
	switch r.IntN(6) {
	case 0:
		l.Text = randomText(r)
	case 1:
		l.hidden = randomText(r)
	case 2:
		l.N = int8(r.IntN(3))
	case 3:
		l.bytes = []byte(randomText(r))
	case 4:
		l.Err = errors.New(randomText(r))
	}
	return l
}

func randomBranch(r *rand.Rand) branch {
	var b branch
	switch r.IntN(6) {
	case 0:
		for range r.IntN(3) {
			b.Leaves = append(b.Leaves, randomLeaf(r))
		}
	case 1:
		b.ByName = map[string]leaf{randomText(r): randomLeaf(r), randomText(r): randomLeaf(r)}
	case 2:
		l := randomLeaf(r)
		b.Ptr = &l
	case 3:
		b.inner = randomAny(r)
	case 4:
		b.Array[r.IntN(2)] = randomText(r)
	case 5:
		b.when = map[int8]string{int8(r.IntN(2)): randomText(r)}
	}
	return b
}

func TestKeyIsInjective(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	byKey := map[string][]branch{}
	collisions, same := 0, 0
	for range 40_000 {
		b := randomBranch(r)
		k := strategies.Key(b)
		for _, have := range byKey[k] {
			if !reflect.DeepEqual(have, b) {
				collisions++
				t.Logf("%#v and %#v are both %q", have, b, k)
			}
		}
		if same += len(byKey[k]); len(byKey[k]) == 0 {
			byKey[k] = append(byKey[k], b)
		}
	}
	assert.Zero(t, collisions)
	assert.Greater(t, len(byKey), 1000)
	assert.Positive(t, same, "equal values have equal keys")
}

func TestMemoizeTellsItsArgumentsApart(t *testing.T) {
	store := newStore(t, newServer(t))
	c := strategies.New[string](store, strategies.Config{Name: "memo", TTL: time.Minute})
	type query struct{ tenant string }
	byTenant := strategies.Memoize(c, func(_ context.Context, q query) (string, error) { return q.tenant, nil })
	for _, tenant := range []string{"red", "blue"} {
		v, err := byTenant(t.Context(), query{tenant})
		require.NoError(t, err)
		assert.Equal(t, tenant, v)
	}
	typed := strategies.Memoize(c, func(_ context.Context, v any) (string, error) { return fmt.Sprintf("%T", v), nil })
	for _, v := range []any{1, "1", 1.0, color(1), nil, []string{}, []string(nil), query{}} {
		got, err := typed(t.Context(), v)
		require.NoError(t, err)
		assert.Equal(t, fmt.Sprintf("%T", v), got)
	}
}
