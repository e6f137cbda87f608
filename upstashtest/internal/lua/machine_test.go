package lua_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/upstashtest/internal/lua"
)

func eval(t testing.TB, m *lua.Machine, ctx context.Context, source string) command.Reply {
	t.Helper()
	s, err := lua.Parse(source)
	require.NoError(t, err)
	return m.Run(ctx, s, []string{"k"}, []string{"a"}, func([]string) command.Reply { return command.Reply{} })
}

// Scripts share one machine: none may leave anything behind for the next.
func TestMachineScriptsCannotChangeIt(t *testing.T) {
	m := lua.New(100_000)
	defer m.Close()
	for _, hostile := range []string{
		"redis = nil", "string.rep = nil", "KEYS = {}", "rawset(_G, 'redis', nil)", "rawset(string, 'rep', nil)",
		"setmetatable(_G, nil)", "getmetatable(_G).__index = nil", "_G.redis = nil", "table.insert = 1", "cjson.null = 1",
		"local f = function() end setfenv(f, {}) f()", "error({err='x'})", "while true do end",
	} {
		eval(t, m, t.Context(), hostile)
		r := eval(t, m, t.Context(), "return #string.rep('x', 3) + #KEYS + #ARGV + (redis.call and 1 or 0) + (cjson.null ~= 1 and 1 or 0)")
		assert.Equal(t, int64(7), r.Int, hostile)
	}
}

func TestMachineEndsWithItsContext(t *testing.T) {
	m := lua.New(1 << 60)
	defer m.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := eval(t, m, ctx, "while true do end")
	assert.Contains(t, string(r.Bytes), "did not end")
	assert.Equal(t, int64(1), eval(t, m, t.Context(), "return 1").Int)
}

func TestParse(t *testing.T) {
	s, err := lua.Parse("#!lua flags=no-writes,allow-key-locking\nreturn 1")
	require.NoError(t, err)
	assert.True(t, s.NoWrites && s.LockKeys)
	assert.Equal(t, "\nreturn 1", s.Code, "lines keep their numbers")
	for _, bad := range []string{"#!lua", "#!js\nreturn 1", "#!lua flags=bogus\n", "#!lua name=x\nreturn 1", "#!lua flags\n"} {
		_, err := lua.Parse(bad)
		require.Error(t, err, bad)
	}
}

func BenchmarkRun(b *testing.B) {
	m := lua.New(1 << 40)
	defer m.Close()
	b.ReportAllocs()
	for b.Loop() {
		eval(b, m, b.Context(), "local n = redis.call('INCR', KEYS[1]) if n == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end return n")
	}
}
