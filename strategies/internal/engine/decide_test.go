package engine

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/internal/entry"
	"github.com/cldcde/restash/internal/flight"
)

var stored = time.UnixMilli(1_790_000_000_000)

// fixed is an entry of a minute, with a minute to be refreshed in and two to be
// served in on errors, loaded under the given tokens.
func fixed(t *testing.T, negative bool, seen ...entry.Mark) entry.Entry {
	t.Helper()
	h := entry.Header{Stored: stored, Fresh: time.Minute, StaleWhileRevalidate: time.Minute, StaleIfError: 2 * time.Minute, Negative: negative}
	data, err := entry.Append(nil, h, seen, []byte("{}"), entry.Gzip, 0)
	require.NoError(t, err)
	e, err := entry.Parse(data)
	require.NoError(t, err)
	return e
}

// What an entry is worth depends on its tokens, the clock and the options alone.
func TestDecide(t *testing.T) {
	same := []flight.Token{{ID: "g"}, {ID: "k", Value: "a"}, {ID: "K", Value: "s"}}
	other := []flight.Token{{ID: "g"}, {ID: "k", Value: "b"}, {ID: "K", Value: "s"}}
	soft := []flight.Token{{ID: "g"}, {ID: "k", Value: "a"}, {ID: "K", Value: "t"}}
	lost := []flight.Token{{ID: "g"}, {ID: "k"}, {ID: "K", Value: "s"}}
	appeared := []flight.Token{{ID: "g", Value: "x"}, {ID: "k", Value: "a"}, {ID: "K", Value: "s"}}
	unread := []flight.Token{{ID: "g"}, {ID: "K", Value: "s"}}
	for name, tt := range map[string]struct {
		tokens   []flight.Token
		age      time.Duration
		rules    rules
		negative bool
		act      act
		state    State
		reason   string
		valid    bool
		onError  bool
	}{
		"fresh":                         {tokens: same, act: serve, state: Hit, valid: true, onError: true},
		"the last moment of its TTL":    {tokens: same, age: time.Minute - 1, act: serve, state: Hit, valid: true, onError: true},
		"stale":                         {tokens: same, age: time.Minute, act: refresh, state: Stale, reason: ReasonStale, valid: true, onError: true},
		"the window has ended":          {tokens: same, age: 2 * time.Minute, state: Miss, reason: ReasonExpired, valid: true, onError: true},
		"also that for errors":          {tokens: same, age: 3 * time.Minute, state: Miss, reason: ReasonExpired, valid: true},
		"invalidated":                   {tokens: other, state: Miss, reason: ReasonInvalidated},
		"a token is gone":               {tokens: lost, state: Miss, reason: ReasonInvalidated},
		"a token has come":              {tokens: appeared, state: Miss, reason: ReasonInvalidated},
		"a mark that was not read":      {tokens: unread, state: Miss, reason: ReasonInvalidated},
		"a soft mark that was not read": {tokens: same[:2], state: Miss, reason: ReasonInvalidated},
		"softly invalidated":            {tokens: soft, act: refresh, state: Stale, reason: ReasonStale, valid: true, onError: true},
		"and expired":                   {tokens: soft, age: 2 * time.Minute, state: Miss, reason: ReasonExpired, valid: true, onError: true},
		"strict: an absent token":       {tokens: same, rules: rules{strict: true}, state: Miss, reason: ReasonInvalidated},
		"forced":                        {tokens: same, rules: rules{force: true}, state: Miss, reason: ReasonForced, valid: true},
		"forced, expired":               {tokens: same, age: 2 * time.Minute, rules: rules{force: true}, state: Miss, reason: ReasonForced, valid: true, onError: true},
		"warmed while stale":            {tokens: same, age: time.Minute, rules: rules{warm: true}, state: Miss, reason: ReasonStale, valid: true},
		"known not to exist":            {tokens: same, negative: true, act: serve, state: Hit, reason: ReasonNegative},
		"not known any more":            {tokens: same, negative: true, age: time.Minute, state: Miss, reason: ReasonStale},
		"known, and invalidated since":  {tokens: other, negative: true, state: Miss, reason: ReasonInvalidated},
	} {
		tt.rules.soft = true
		s := &snapshot{data: []byte("x"), parsed: true, tokens: tt.tokens,
			entry: fixed(t, tt.negative, entry.Mark{ID: "k", Token: "a"}, entry.Mark{ID: "K", Token: "s"})}
		d := decide(s, stored.Add(tt.age), tt.rules)
		assert.Equal(t, []any{tt.act, tt.state, tt.reason, tt.valid, tt.onError}, []any{d.act, d.state, d.reason, d.valid, d.onError}, name)
	}
	assert.Equal(t, ReasonAbsent, decide(&snapshot{}, stored, rules{}).reason)
	assert.Equal(t, ReasonUndecodable, decide(&snapshot{data: []byte("x")}, stored, rules{}).reason)
}

// What is pending in this process is invalid in it, before Redis knows.
func TestDecidePendingIsInvalid(t *testing.T) {
	s := &snapshot{data: []byte("x"), parsed: true, entry: fixed(t, false), hardPending: true}
	assert.Equal(t, ReasonInvalidated, decide(s, stored, rules{}).reason)
	s.hardPending, s.softPending = false, true
	assert.Equal(t, Stale, decide(s, stored, rules{soft: true}).state)
}

// Where soft tokens are not read, an entry that names some is as good as another.
func TestDecideSoftMarksWithoutSoftTokens(t *testing.T) {
	s := &snapshot{data: []byte("x"), parsed: true, tokens: []flight.Token{{ID: "k", Value: "a"}},
		entry: fixed(t, false, entry.Mark{ID: "k", Token: "a"}, entry.Mark{ID: "K", Token: "s"})}
	assert.Equal(t, Hit, decide(s, stored, rules{}).state)
	assert.Equal(t, ReasonInvalidated, decide(s, stored, rules{soft: true}).reason)
}
