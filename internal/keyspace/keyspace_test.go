package keyspace_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/internal/keyspace"
)

func TestKeysOfTheLayout(t *testing.T) {
	s, err := keyspace.New("ns")
	require.NoError(t, err)
	assert.Equal(t, "ns:e:user:0a1b:ada", s.Entry("user", "0a1b", "ada"))
	assert.Equal(t, "ns:t:team:7", s.Tag("team:7", false))
	assert.Equal(t, "ns:ts:team:7", s.Tag("team:7", true))
	assert.Equal(t, "ns:k:user:ada", s.Key("user", "ada", false))
	assert.Equal(t, "ns:ks:user:ada", s.Key("user", "ada", true))
	assert.Equal(t, "ns:p:user", s.Prefix("user", "", false))
	assert.Equal(t, "ns:p:user:a:b", s.Prefix("user", "a:b", false))
	assert.Equal(t, "ns:g", s.All(false))
	assert.Equal(t, "ns:gs", s.All(true))
	assert.Equal(t, "ns:l:user:0a1b:ada", s.Lease("ns:e:user:0a1b:ada"))
	for _, bad := range []string{"", "a:b", "a b", "*", strings.Repeat("x", 65)} {
		_, err := keyspace.New(bad)
		assert.Error(t, err, bad)
	}
}

func TestLevels(t *testing.T) {
	assert.Equal(t, []string{"ada"}, keyspace.Levels("ada"))
	assert.Equal(t, []string{"a", "a:b", "a:b:c", "a:b:c:d"}, keyspace.Levels("a:b:c:d:e"))
	assert.Equal(t, []string{"%_", "%_:%_"}, keyspace.Levels(":"))
	assert.Equal(t, keyspace.Levels("a b"), keyspace.Levels("a%20b"), "escaped or not, one prefix")
}

func TestNormalizeKeepsKeysSendableAndBounded(t *testing.T) {
	assert.Equal(t, "user:1", keyspace.Normalize("user:1"))
	for _, odd := range []string{strings.Repeat("x", 513), "\xff", "#hash"} {
		n := keyspace.Normalize(odd)
		assert.Len(t, n, 44)
		assert.Equal(t, byte('#'), n[0])
	}
	assert.NotEqual(t, keyspace.Normalize("\xff"), keyspace.Normalize("\xfe"))
}

func TestTokenTellsItsBirth(t *testing.T) {
	now := time.UnixMilli(1790000000123)
	tok := keyspace.NewToken(now)
	born, ok := tok.Born()
	require.True(t, ok)
	assert.True(t, born.Equal(now))
	assert.NotEqual(t, tok, keyspace.NewToken(now))
	for _, bad := range []keyspace.Token{"", "x", "!.1"} {
		_, ok := bad.Born()
		assert.False(t, ok)
	}
}

func FuzzEscape(f *testing.F) {
	for _, s := range []string{"", "a", "a:b", "%", "%_", "%41", "*?[]", "ü", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e := keyspace.Escape(s)
		if strings.ContainsAny(e, ":*?[]\\ \n,=") {
			t.Fatalf("%q escapes to %q", s, e)
		}
		if got := keyspace.Unescape(e); got != s {
			t.Fatalf("%q comes back as %q", s, got)
		}
		if c := keyspace.Canonical(e); c != e {
			t.Fatalf("canonical of %q is %q", e, c)
		}
		for _, l := range keyspace.Levels(s) {
			if keyspace.Normalize(l) == "" {
				t.Fatal("empty level")
			}
		}
	})
}
