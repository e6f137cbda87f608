package engine_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/upstashtest/internal/engine"
)

// alive fails if f does not end.
func alive(t *testing.T, what any, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second): // real time: what hangs, hangs in it
		t.Fatalf("%q hangs", what)
	}
}

// FuzzCommands runs lines of commands: whatever they are, each is answered and
// the engine lives on.
func FuzzCommands(f *testing.F) {
	names := engine.Names()
	slices.Sort(names)
	for i := range names {
		f.Add(byte(i), byte(0), []byte("k\x001\x00$\x00a"))
		f.Add(byte(i), byte(1), []byte("k\x00-1\x002\x00FIELDS\x001\x00f"))
	}
	f.Add(byte(0), byte(0), []byte("k\x00999999999999\x00x"))
	f.Fuzz(func(t *testing.T, low, high byte, raw []byte) {
		e, err := engine.New(engine.Config{ScriptSteps: 10_000})
		if err != nil {
			t.Fatal(err)
		}
		args := strings.Fields(names[(int(low)|int(high&1)<<8)%len(names)])
		for _, part := range bytes.Split(raw, []byte{0}) {
			args = append(args, string(part))
		}
		for _, big := range args { // a huge string is not a fault
			if len(big) > 4 && strings.Trim(big, "#0123456789") == "" {
				t.Skip()
			}
		}
		alive(t, args, func() {
			for _, set := range [][]string{
				{"SET", "k", "v"}, args, {"DEL", "k"}, {"HSET", "k", "f", "1"}, args, {"DEL", "k"},
				{"ZADD", "k", "1", "a"}, args, {"DEL", "k"}, {"XADD", "k", "*", "f", "v"}, args, {"DEL", "k"},
				{"JSON.SET", "k", "$", `{"a":[1,{"b":"c"}]}`}, args, {"DEL", "k"}, {"RPUSH", "k", "a"}, args, {"DEL", "k"},
				{"ARSET", "k", "1", "a", "b"}, args, {"DEL", "k"}, {"VECTOR.CREATE", "k", "DIM", "1", "METRIC", "DOT"}, {"VECTOR.ADD", "k", "a", "VALUES", "1", "1"}, args,
			} {
				before := footprint(e)
				r, err := e.Do(context.Background(), set)
				if r.Reply.Kind == command.KindError && footprint(e) != before && !strings.HasPrefix(set[0], "EVAL") && !strings.HasPrefix(set[0], "FCALL") {
					t.Errorf("%q failed and left a trace: %s", set, r.Reply.Bytes)
				}
				if err != nil {
					t.Error(err)
					return
				}
				if strings.Contains(string(r.Reply.Bytes), "internal error") {
					t.Errorf("%q: %s", set, r.Reply.Bytes)
				}
			}
			if e.Panics() > 0 {
				t.Errorf("%q: a panic was recovered", args)
			}
			_ = e.Close() // not deferred: an engine that hangs cannot be closed
		})
	})
}

// footprint is all that is stored, with its lifetimes.
func footprint(e *engine.Engine) string {
	var b strings.Builder
	for _, args := range e.Save() {
		b.WriteString(strings.Join(args, "\x00") + "\n")
	}
	return b.String()
}

// FuzzScripts runs Lua.
func FuzzScripts(f *testing.F) {
	for _, s := range []string{
		"return 1", "while true do end", "return function() end", "return cjson.decode(ARGV[1])", "#!lua flags=no-writes\nreturn 1",
		"local t={} t.x=t return cjson.encode(t)", "return string.rep('x', 100000)", "return redis.call('SET','k','v')",
		"error({})", "error()", "return setmetatable({}, {__index=function() return 1 end})", "coroutine.wrap(function() coroutine.yield() end)()",
		"return {err=1}", "return {ok={}}", "return tostring(nil)..1", "string.rep=nil return 1", "return ('x'):rep(1e9)", "_G.x=1",
		"setmetatable(_G, nil)", "KEYS=nil", "redis=nil return redis", "return os.clock()", "return bit.tohex(1, -8)", "return #string.format('%99d', 1)",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, source string) {
		e, err := engine.New(engine.Config{ScriptSteps: 10_000})
		if err != nil {
			t.Fatal(err)
		}
		alive(t, source, func() {
			for _, args := range [][]string{
				{"EVAL", source, "1", "k", `{"a":[1,2]}`}, {"FUNCTION", "LOAD", "#!lua name=l\n" + source},
				{"EVAL", "return 1", "0"},
			} {
				if _, err := e.Do(context.Background(), args); err != nil {
					t.Error(err)
				}
			}
			r, err := e.Do(context.Background(), []string{"EVAL", "return redis.call('PING')", "0"})
			if err != nil || string(r.Reply.Bytes) != "PONG" {
				t.Errorf("after it: %s %v", r.Reply.Bytes, err)
			}
			_ = e.Close()
		})
	})
}

func FuzzMatch(f *testing.F) {
	f.Add("a*[b-d]?\\", "abc")
	f.Fuzz(func(t *testing.T, pattern, s string) {
		engine.Match(pattern, s)
		if !engine.Match("*"+strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(s), s) {
			t.Fatalf("%q does not match itself", s)
		}
	})
}

// FuzzJSON stores documents and walks over them by paths.
func FuzzJSON(f *testing.F) {
	f.Add(`{"a":[1,{"b":2.5}],"c":null}`, "$..b")
	f.Add(`[[[1]],"x",true]`, "$[?(@.a>1)]")
	f.Add(`{"a":{"a":{"a":1}}}`, "$..a..a")
	f.Add(`1`, ".")
	f.Add(`{"":""}`, "$['']")
	f.Fuzz(func(t *testing.T, doc, path string) {
		e, err := engine.New(engine.Config{})
		if err != nil {
			t.Fatal(err)
		}
		alive(t, path, func() {
			do := func(args ...string) engine.Reply {
				r, err := e.Do(context.Background(), args)
				if err != nil || strings.Contains(string(r.Reply.Bytes), "internal error") {
					t.Errorf("%q: %s %v", args, r.Reply.Bytes, err)
				}
				return r.Reply
			}
			stored := do("JSON.SET", "k", "$", doc)
			before := do("JSON.GET", "k")
			if string(stored.Bytes) == "OK" && do("JSON.SET", "k2", "$", string(before.Bytes)).Kind.String() == "error" {
				t.Errorf("%q printed as %q", doc, before.Bytes)
			}
			for _, cmd := range []string{"GET", "TYPE", "STRLEN", "ARRLEN", "OBJLEN", "OBJKEYS", "RESP", "CLEAR", "ARRPOP", "DEL"} {
				do("JSON."+cmd, "k", path)
				do("JSON.SET", "k", "$", doc)
			}
			do("JSON.SET", "k", path, "1")
			do("JSON.MERGE", "k", path, `{"x":1}`)
			do("JSON.NUMINCRBY", "k", path, "1")
			do("JSON.TOGGLE", "k", path)
			do("JSON.ARRAPPEND", "k", path, "1")
			do("JSON.ARRINSERT", "k", path, "0", "1")
			do("JSON.ARRTRIM", "k", path, "0", "1")
			_ = e.Close()
		})
	})
}
