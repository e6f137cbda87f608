package engine_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/upstashtest/internal/engine"
)

func newEngine(t testing.TB) *engine.Engine {
	t.Helper()
	e, err := engine.New(engine.Config{ScriptSteps: 200_000})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	return e
}

func run(t testing.TB, e *engine.Engine, args ...string) string {
	t.Helper()
	r, err := e.Do(context.Background(), args)
	require.NoError(t, err)
	return show(r.Reply)
}

// show prints a reply the way redis-cli does, on one line.
func show(r engine.Reply) string {
	switch r.Kind.String() {
	case "nil":
		return "(nil)"
	case "int":
		return "(integer) " + itoa(r.Int)
	case "array":
		parts := make([]string, len(r.Array))
		for i, e := range r.Array {
			parts[i] = show(e)
		}
		return "[" + strings.Join(parts, " ") + "]"
	case "error":
		return "(error) " + string(r.Bytes)
	case "status":
		return string(r.Bytes)
	}
	return quote(string(r.Bytes))
}

func TestScripts(t *testing.T) {
	e := newEngine(t)
	for _, c := range [][2]string{
		{"return 1.9", "(integer) 1"},
		{"return {1,2,nil,3}", "[(integer) 1 (integer) 2]"},
		{"return {ok='FINE'}", "FINE"},
		{"return false", "(nil)"},
		{"return true", "(integer) 1"},
		{"return redis.call('SET','k','v')", "OK"},
		{"return redis.call('GET','k')", `"v"`},
		{"return redis.call('GET','none')", "(nil)"},
		{"return redis.pcall('INCR','k')", "(error) ERR value is not an integer or out of range"},
		{"return redis.error_reply('MY why')", "(error) MY why"},
		{"return #KEYS + #ARGV", "(integer) 0"},
		{"return cjson.encode({a={}, b={1,2}})", ""},
		{"return cjson.encode(cjson.decode('[1,2.5,\"x\",null,true]'))", `"[1,2.5,\"x\",null,true]"`},
		{"return cjson.encode({})", `"{}"`},
		{"return bit.band(7, 12)", "(integer) 4"},
		{"return redis.sha1hex('')", `"da39a3ee5e6b4b0d3255bfef95601890afd80709"`},
		{"return string.format('%d', 3)", `"3"`},
		{"return math.floor(2.5)", "(integer) 2"},
		{"#!lua flags=allow-key-locking\nreturn 1", "(integer) 1"},
		// Hostile ones: an answer, and the engine lives on.
		{"return function() end", "(nil)"},
		{"return coroutine.create(function() end)", "(nil)"},
		{"while true do end", "(error) ERR Error running script: it was stopped because it did not end"},
		{"while true do pcall(function() while true do end end) end", "(error) ERR Error running script: it was stopped because it did not end"},
		{"local t = {}; t[1] = t; return t", "*"},
		{"local function f() return f() + 1 end return f()", "*"},
		{"return string.rep('x', 1000000000)", "*"},
		{"return redis.call()", "*"},
		{"x = 1", "*"},
		{"return y", "*"},
		{"return cjson.decode('{')", "*"},
		{"retur 1", "*"},
		{"#!python\nreturn 1", "(error) ERR Unexpected engine in script shebang: python"},
		{"return redis.call('EVAL','return 1',0)", "*"},
		{"return redis.call('BLPOP','a',1)", "*"},
		{"return redis.call('NOPE')", "*"},
		{"return 1", "(integer) 1"},
	} {
		got := run(t, e, "EVAL", c[0], "0")
		switch c[1] {
		case "*":
			if !strings.HasPrefix(got, "[[") {
				assert.Contains(t, got, "(error) ERR", c[0])
			}
		case "":
		default:
			assert.Equal(t, c[1], got, c[0])
		}
	}
	assert.Equal(t, `"v"`, run(t, e, "GET", "k"))
}

func TestScriptsReadOnly(t *testing.T) {
	e := newEngine(t)
	assert.Contains(t, run(t, e, "EVAL_RO", "return redis.call('SET','k',1)", "0"), "READONLY")
	assert.Contains(t, run(t, e, "EVAL", "#!lua flags=no-writes\nreturn redis.call('SET','k',1)", "0"), "READONLY")
	assert.Equal(t, "(nil)", run(t, e, "EVAL_RO", "return redis.call('GET',KEYS[1])", "1", "k"))
}

func TestScriptsLockedKeys(t *testing.T) {
	e := newEngine(t)
	const script = "#!lua flags=allow-key-locking\nreturn redis.call('SET', ARGV[1], 1)"
	assert.Equal(t, "OK", run(t, e, "EVAL", script, "1", "a", "a"))
	assert.Contains(t, run(t, e, "EVAL", script, "1", "a", "b"), "Dynamic keys are not allowed")
}

func TestScriptsKeepTheSHAOfWhatWasSent(t *testing.T) {
	e := newEngine(t)
	const script = "#!lua flags=no-writes\nreturn ARGV[1]"
	sha := run(t, e, "SCRIPT", "LOAD", script)
	sha = sha[1 : len(sha)-1]
	assert.Equal(t, `"x"`, run(t, e, "EVALSHA", strings.ToUpper(sha), "0", "x"))
	assert.Equal(t, "[(integer) 1 (integer) 0]", run(t, e, "SCRIPT", "EXISTS", sha, "no"))
	assert.Equal(t, "OK", run(t, e, "SCRIPT", "FLUSH"))
	assert.Contains(t, run(t, e, "EVALSHA", sha, "0"), "NOSCRIPT")
}

func TestScriptsCountTheirCommands(t *testing.T) {
	e := newEngine(t)
	r, err := e.Do(t.Context(), []string{"EVAL", "redis.call('INCR','n'); redis.call('PEXPIRE','n',1000); return 1", "0"})
	require.NoError(t, err)
	assert.Equal(t, 2, r.Inner)
}

const library = `#!lua name=mylib
local function set(keys, args) return redis.call('SET', keys[1], args[1]) end
redis.register_function('my_set', set)
redis.register_function{function_name='my_get', flags={'no-writes'}, description='reads',
  callback=function(keys) return redis.call('GET', keys[1]) end}
redis.register_function('forever', function() while true do end end)`

func TestFunctions(t *testing.T) {
	e := newEngine(t)
	assert.Equal(t, `"mylib"`, run(t, e, "FUNCTION", "LOAD", library))
	assert.Contains(t, run(t, e, "FUNCTION", "LOAD", library), "already exists")
	assert.Equal(t, `"mylib"`, run(t, e, "FUNCTION", "LOAD", "REPLACE", library))
	assert.Equal(t, "OK", run(t, e, "FCALL", "my_set", "1", "k", "v"))
	assert.Equal(t, `"v"`, run(t, e, "FCALL_RO", "my_get", "1", "k"))
	assert.Contains(t, run(t, e, "FCALL_RO", "my_set", "1", "k", "v"), "READONLY Write commands are not allowed from read-only scripts")
	assert.Contains(t, run(t, e, "FCALL", "forever", "0"), "did not end")
	assert.Equal(t, "OK", run(t, e, "FCALL", "my_set", "1", "k", "w"), "loaded again after the stop")
	assert.Contains(t, run(t, e, "FUNCTION", "LIST", "WITHCODE"), `"description" "reads" "flags" ["no-writes"]`)
	assert.Contains(t, run(t, e, "FUNCTION", "STATS"), `"functions_count" (integer) 3`)
	assert.Equal(t, "OK", run(t, e, "FUNCTION", "DELETE", "mylib"))
	assert.Contains(t, run(t, e, "FCALL", "my_set", "1", "k", "v"), "not found")
	assert.Contains(t, run(t, e, "FUNCTION", "LOAD", "return 1"), "Missing library metadata")
	assert.Contains(t, run(t, e, "FUNCTION", "LOAD", "#!lua name=x\nreturn 1"), "No functions registered")
	assert.Contains(t, run(t, e, "FUNCTION", "LOAD", "#!lua name=x\nredis.call('GET','k')"), "Error registering functions")
}
