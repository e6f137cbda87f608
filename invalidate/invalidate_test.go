package invalidate_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/invalidate"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/upstashtest"
)

type class string

func (c class) Name() string { return string(c) }

// Published is an event of an application.
type Published struct{ Author, ID string }

// Renamed is an event that nobody wrote a rule for.
type Renamed struct{}

const posts, authors = class("post"), class("author")

func publishRule(e Published) invalidate.Target {
	return invalidate.Join(invalidate.Tags("lists"), invalidate.Key(posts, e.ID), invalidate.Prefix(authors, e.Author))
}

func Example() {
	target := invalidate.Join(
		invalidate.Tags("team:7"),
		invalidate.Key(posts, "42"),
		invalidate.Prefix(authors, "ada"),
	)
	fmt.Println(target)
	// Output: tag(team:7) key(post, 42) prefix(author, ada)
}

func ExampleRules() {
	var rules invalidate.Rules
	invalidate.On(&rules, publishRule)
	fmt.Print(rules.Table(Published{Author: "ada", ID: "42"}, Renamed{}))
	// Output:
	// invalidate_test.Published: tag(lists) key(post, 42) prefix(author, ada)
	// invalidate_test.Renamed: no rule
}

func TestRules(t *testing.T) {
	var rules invalidate.Rules
	invalidate.On(&rules, publishRule)
	assert.Panics(t, func() { invalidate.On(&rules, publishRule) })
	assert.Equal(t, "invalidate_test.Published", rules.String())

	sink := &recorder{}
	_, err := rules.Apply(t.Context(), sink, Published{Author: "ada", ID: "42"}, Renamed{})
	require.ErrorIs(t, err, invalidate.ErrNoRule)
	assert.Equal(t, "tag(lists) key(post, 42) prefix(author, ada)", sink.target.String(), "the rules that exist are followed")
	assert.EqualValues(t, 1, rules.Unmatched())
}

type recorder struct{ target invalidate.Target }

func (r *recorder) Invalidate(_ context.Context, ts ...invalidate.Target) (invalidate.Report, error) {
	r.target = invalidate.Join(ts...)
	return invalidate.Report{}, nil
}

func TestResolve(t *testing.T) {
	for name, c := range map[string]struct {
		target invalidate.Target
		want   []string
	}{
		"tags, once each":     {invalidate.Tags("a", "b", "a"), []string{"ns:t:a", "ns:t:b"}},
		"key":                 {invalidate.Key(posts, "1", "2"), []string{"ns:k:post:1", "ns:k:post:2"}},
		"handle":              {invalidate.Prefix(posts), []string{"ns:p:post"}},
		"prefix":              {invalidate.Prefix(posts, "a", "b c"), []string{"ns:p:post:a:b%20c"}},
		"prefix with colon":   {invalidate.Prefix(posts, "team:7"), []string{"ns:p:post:team%3A7", "ns:p:post:team:7"}},
		"with many colons":    {invalidate.Prefix(posts, "a:b:c:d:e"), []string{"ns:p:post:a%3Ab%3Ac%3Ad%3Ae"}},
		"prefix with percent": {invalidate.Prefix(posts, "b%20c"), []string{"ns:p:post:b%2520c", "ns:p:post:b%20c"}},
		"all":                 {invalidate.All(), []string{"ns:g"}},
		"soft":                {invalidate.Soft(invalidate.Join(invalidate.Tags("a"), invalidate.All())), []string{"ns:ts:a", "ns:gs"}},
		"nothing":             {invalidate.Target{}, nil},
	} {
		p, err := invalidate.Resolve("ns", c.target)
		require.NoError(t, err, name)
		assert.Equal(t, c.want, p.Tokens, name)
	}
	for name, bad := range map[string]invalidate.Target{
		"empty tag":        invalidate.Tags(""),
		"five segments":    invalidate.Prefix(posts, "a", "b", "c", "d", "e"),
		"a star in a text": invalidate.Pattern(posts, "team:7:*"),
		"soft pattern":     invalidate.Soft(invalidate.Pattern(posts, invalidate.Any)),
	} {
		_, err := invalidate.Resolve("ns", bad)
		assert.ErrorIs(t, err, invalidate.ErrTarget, name)
	}
}

// users is a Store on a local server with the given keys cached.
func users(t *testing.T, srv *upstashtest.Server, token string, keys ...string) (*strategies.Store, *strategies.Cache[string]) {
	c, err := client.New(client.Config{URL: srv.URL, Token: token, HTTPClient: srv.HTTPClient()})
	require.NoError(t, err)
	store, err := strategies.NewStore(c, strategies.StoreConfig{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close(context.Background())) })
	cache := strategies.New[string](store, strategies.Config{Name: "user", TTL: time.Hour})
	if len(keys) > 0 {
		_, err = cache.GetMany(t.Context(), keys, func(_ context.Context, keys []string) (map[string]string, error) {
			m := map[string]string{}
			for _, k := range keys {
				m[k] = k
			}
			return m, nil
		})
		require.NoError(t, err)
	}
	return store, cache
}

func cached(t *testing.T, c *strategies.Cache[string], key string) bool {
	var st strategies.Status
	_, err := c.Fetch(t.Context(), key, func(_ context.Context, l *strategies.Load[string]) (string, error) {
		l.DoNotStore()
		return "", nil
	}, strategies.Report(&st))
	require.NoError(t, err)
	return st.State == strategies.Hit
}

func TestPattern(t *testing.T) {
	all := []string{"a:1", "a:2", "a:1:x", "b:1", "a b:1", "*:1", "[a]:1", strategies.Key("a", "x y")}
	for name, c := range map[string]struct {
		parts []any
		want  []string
	}{
		"literal":              {[]any{"a", "1"}, []string{"a:1"}},
		"any tail":             {[]any{"a", invalidate.Any}, []string{"a:1", "a:2", "a:1:x", strategies.Key("a", "x y")}},
		"any head":             {[]any{invalidate.Any, "1"}, []string{"a:1", "b:1", "a b:1", "*:1", "[a]:1"}},
		"a user's star":        {[]any{"*", "1"}, []string{"*:1"}},
		"a user's set":         {[]any{"[a]", "1"}, []string{"[a]:1"}},
		"a set":                {[]any{invalidate.Glob("[ab]"), "1"}, []string{"a:1", "b:1"}},
		"escaped or not":       {[]any{"a b", "1"}, []string{"a b:1"}},
		"escaped by Key":       {[]any{"a", "x y"}, []string{strategies.Key("a", "x y")}},
		"one character":        {[]any{"a", invalidate.Glob("?")}, []string{"a:1", "a:2"}},
		"not that character":   {[]any{"a", invalidate.Glob("[^1]")}, []string{"a:2"}},
		"nothing has the name": {[]any{"zzz"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			srv := upstashtest.Run(t)
			store, cache := users(t, srv, srv.Token, all...)
			target := invalidate.Pattern(cache, c.parts...)
			dry, err := store.Invalidate(t.Context(), invalidate.DryRun(target))
			require.NoError(t, err)
			assert.Equal(t, len(c.want), dry.Keys)
			assert.Len(t, dry.Matched, len(c.want))
			for _, k := range all {
				require.True(t, cached(t, cache, k), "a dry run removes nothing")
			}
			r, err := store.Invalidate(t.Context(), target)
			require.NoError(t, err)
			assert.Equal(t, len(c.want), r.Keys)
			var gone []string
			for _, k := range all {
				if !cached(t, cache, k) {
					gone = append(gone, k)
				}
			}
			assert.ElementsMatch(t, c.want, gone)
		})
	}
}

func TestPatternWithAReadOnlyToken(t *testing.T) {
	srv := upstashtest.Run(t)
	users(t, srv, srv.Token, "a:1")
	store, cache := users(t, srv, srv.ReadOnlyToken)
	r, err := store.Invalidate(t.Context(), invalidate.Pattern(cache, invalidate.Any))
	require.ErrorIs(t, err, client.ErrPermission)
	assert.ErrorContains(t, err, "may only read")
	assert.Zero(t, r.Keys)
}

func FuzzPattern(f *testing.F) {
	f.Add("a*b*c", "aXbXc")
	f.Add("[^a-z]?\\*", "Ab*")
	f.Add("[", "a")
	f.Fuzz(func(t *testing.T, glob, own string) {
		began := time.Now()
		invalidate.MatchGlob(glob, own)
		if time.Since(began) > time.Second {
			t.Fatalf("%q on %q takes %s", glob, own, time.Since(began))
		}
		if !invalidate.MatchGlob("*"+invalidate.EscapeGlob(own)+"*", "x"+own+"y") {
			t.Fatalf("%q does not match itself", own)
		}
	})
}
