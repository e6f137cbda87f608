package upstashtest_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/upstashtest"
)

// What Save wrote is the same data after Load, of every type, and saved again
// it is the same text.
func TestSaveAndLoad(t *testing.T) {
	s := upstashtest.Run(t)
	for _, line := range []string{
		`SET s "a b \x00\xff \" \\ # ' ünï"`, `SET empty ""`, `SET "key with blanks" '#'`, `SET dying v PX 1000000`,
		`HSET h f v g ""`, `HPEXPIREAT h 3333333333333 FIELDS 1 f`, `RPUSH l 1 2 1 ""`, `SADD set a b`, `ZADD z 1.5 m inf n`,
		`JSON.SET j $ '{"a":[1,null,"x y"]}'`, `PFADD hll a b c`, `GEOADD geo 13.4 52.5 berlin`,
		`XADD x 1-1 f v`, `XADD x 2-1 f v`, `XGROUP CREATE x g 0`, `XREADGROUP GROUP g c COUNT 1 STREAMS x >`, `XDEL x 2-1`,
	} {
		require.NoError(t, s.Load(strings.NewReader("# a comment\n\n"+line)), line)
	}
	var first, second bytes.Buffer
	require.NoError(t, s.Save(&first))
	other := upstashtest.Run(t)
	require.NoError(t, other.Load(&first))
	require.NoError(t, s.Save(&first))
	require.NoError(t, other.Save(&second))
	assert.Equal(t, first.String(), second.String())

	got, err := upstashtest.Do(other, command.Get("s"))
	require.NoError(t, err)
	assert.Equal(t, "a b \x00\xff \" \\ # ' ünï", got)
	pending, err := other.Do("XPENDING", "x", "g")
	require.NoError(t, err)
	assert.EqualValues(t, 1, pending.Array[0].Int, "groups are saved")
	ends, err := other.Do("HPEXPIRETIME", "h", "FIELDS", "1", "f")
	require.NoError(t, err)
	assert.EqualValues(t, 3333333333333, ends.Array[0].Int)
	assert.Zero(t, other.Bill())
}

func TestLoadNamesTheLine(t *testing.T) {
	s := upstashtest.Run(t)
	for text, want := range map[string]string{
		"SET a 1\nSET a":         "line 2: ERR wrong number",
		"SET a 1\n\nLPUSH a 1":   "line 3: WRONGTYPE",
		`SET a "open`:            "line 1: a quote",
		`SET a "x"y`:             "line 1: a quote",
		"BLPOP a 1":              "line 1: ERR Command is not available",
		`SET a "\xzz"`:           "line 1: a quote",
		"SET a 'it''s joined'\n": "line 1: a quote",
	} {
		assert.ErrorContains(t, s.Load(strings.NewReader(text)), want, text)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add("a b\x00", "\"'#\\x")
	f.Fuzz(func(t *testing.T, key, value string) {
		s := upstashtest.Run(t, func(c *upstashtest.Config) { c.InMemory = true })
		if _, err := s.Do("SET", key, value); err != nil {
			t.Skip()
		}
		var b bytes.Buffer
		require.NoError(t, s.Save(&b))
		again := upstashtest.Run(t, func(c *upstashtest.Config) { c.InMemory = true })
		require.NoError(t, again.Load(strings.NewReader(b.String())), fmt.Sprintf("%q", b.String()))
		r, err := again.Do("GET", key)
		require.NoError(t, err)
		assert.Equal(t, value, string(r.Bytes))
	})
}
