package engine_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/upstashtest/internal/engine"
)

// shape is one line of testdata/shapes.txt.
type shape struct {
	section string
	mode    string
	words   []string
	text    string
}

func shapes(t testing.TB) []shape {
	t.Helper()
	content, err := os.ReadFile("testdata/shapes.txt")
	require.NoError(t, err)
	var all []shape
	section := ""
	for line := range strings.Lines(string(content)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			section = line
			continue
		}
		s := shape{text: line, section: section}
		if rest, ok := strings.CutPrefix(line, "@"); ok {
			s.mode, line, _ = strings.Cut(rest, " ")
		}
		s.words = strings.Fields(line)
		all = append(all, s)
	}
	return all
}

// What is drawn: ordinary values, and those that people and fuzzers send.
var (
	keyNames = []string{"k1", "k2", "k3", "k4", "k5", "k6", "h1", "h2", "g1", "g2"}
	draws    = map[string][]string{
		"v":  {"hello", "10", "-3", "3.5", "007", "", "a\x00\xffb", "1e5", "0x10", " 7", "9223372036854775807", "nan", "inf", "[1,2]", `{"a":null}`, "10", "20"},
		"i":  {"0", "1", "2", "3", "-1", "-2", "5", "100", "007", "+1", "-0", "1.0", "abc", "", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "1", "2", "-3"},
		"p":  {"0", "1", "2", "3", "1", "2", "-1", "x"},
		"f":  {"0", "1", "-1.5", "2.25", "1e3", "nan", "inf", "-inf", "abc", "", "0x10", "3", "1e308", " 1", "10", "-0"},
		"ff": {"0", "1", "-1.5", "0.1", "1e-5", "3", "nan", "inf", "abc", "1e30", " 1", "10", "0.1", "1e17"},
		"m":  {"a", "b", "c", "d", "1", "22", "", "a"},
		"n":  {"a", "b", "c", "1", ""},
		"t":  {"100000", "200000", "300000", "0", "-1", "x", "9223372036854775807", "1e3", "100000"},
		"b":  {"0", "1", "1", "0", "2", "x"},
		"o":  {"0", "1", "7", "8", "33", "100", "-1", "x", "#1", "4294967296"},

		"lo":  {"-inf", "0", "1", "(1", "-1", "(0", "2", "x", "nan", "(x"},
		"hi":  {"+inf", "inf", "3", "(3", "2", "10", "(2.25", "1", "y", ""},
		"xlo": {"-", "[a", "(a", "[", "(b", "[b", "a", "+"},
		"xhi": {"+", "[c", "(c", "[d", "(d", "[b", "c", "-"},
		"id":  {"*1", "1-1", "2-1", "2-2", "3-*", "5-0", "0-0", "0-*", "7", "x", "1-x", "8-1", "9-1", "10-*", "11-*", "18446744073709551615-18446744073709551615"},
		"sid": {"0", "1-1", "2-1", "2-2", "3-0", "5-0", "7-0", "8-1", "9", "x", "-", "(1-1", "18446744073709551615-18446744073709551615"},
		"eid": {"-", "+", "0", "1-1", "(1-1", "2", "(2-1", "5", "9-1", "x", "(-", "10"},
	}
)

// source draws commands; what it draws depends on the seed only.
type source struct {
	rnd *rand.Rand
	now int64 // seconds
	id  int   // of the next entry of a stream that is sure to fit

	keys int // how many of the keys are drawn
}

// family picks the shapes of one section and how many keys they share.
func (s *source) family(all []shape) []shape {
	section := all[s.rnd.IntN(len(all))].section
	s.keys = 1 + s.rnd.IntN(6)
	return slices.DeleteFunc(slices.Clone(all), func(sh shape) bool { return sh.section != section })
}

func (s *source) pick(list []string) string { return list[s.rnd.IntN(len(list))] }

// draw makes a command of a shape. One in thirty has a word too few or many.
func (s *source) draw(sh shape) []string {
	var args []string
	for _, w := range sh.words {
		args = append(args, s.word(w)...)
	}
	switch s.rnd.IntN(60) {
	case 0:
		if len(args) > 1 && args[0] != "SPOP" && !strings.Contains(args[0], "RAND") { // without their count they draw
			args = args[:len(args)-1]
		}
	case 1:
		args = append(args, s.pick([]string{"junk", "1", "", "COUNT", "GET"}))
	}
	return args
}

func (s *source) word(w string) []string {
	if options, ok := strings.CutPrefix(w, "?"); ok {
		if s.rnd.IntN(2) == 0 {
			return nil
		}
		first, second, both := strings.Cut(options, ":")
		if both {
			return append([]string{first}, s.word(second)...)
		}
		return []string{s.pick(strings.Split(options, "|"))}
	}
	if options, ok := strings.CutPrefix(w, "="); ok && options != "" {
		return []string{s.pick(append(strings.Split(options, "|"), strings.Split(options, "|")...))}
	}
	return s.drawn(w)
}

func (s *source) drawn(w string) []string {
	switch w {
	case "k":
		return []string{s.pick(keyNames[:s.keys])}
	case "h":
		return []string{s.pick(keyNames[6:8])}
	case "g":
		return []string{s.pick(keyNames[8:])}
	case "k+":
		return s.some("k")
	case "nk":
		keys := s.some("k")
		n := len(keys)
		if s.rnd.IntN(20) == 0 {
			n = s.rnd.IntN(6) - 1
		}
		return append([]string{strconv.Itoa(n)}, keys...)
	case "m+", "n+":
		return s.some(w[:1])
	case "nv+":
		return s.some("n", "v")
	case "sm+":
		return s.some("f", "m")
	case "at":
		return []string{s.pick([]string{"1", decimal(s.now + 100_000), decimal(s.now + 200_000), "0", "-5", "x"})}
	case "atms":
		return []string{s.pick([]string{"1", decimal((s.now + 100_000) * 1000), decimal((s.now + 300_000) * 1000), "0", "-5", "x"})}
	case "id":
		if s.rnd.IntN(2) == 0 {
			s.id++
			return []string{fmt.Sprint(20+s.id/3, "-", s.id)}
		}
	}
	if list, ok := draws[w]; ok {
		return []string{s.pick(list)}
	}
	return []string{w}
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

// some repeats words one to three times.
func (s *source) some(words ...string) []string {
	var out []string
	for range 1 + s.rnd.IntN(3) {
		for _, w := range words {
			out = append(out, s.drawn(w)...)
		}
	}
	return out
}

// stateScript prints all keys with type, lifetime and value, in a form that
// stateOf prints too. Lifetimes are rounded to 50,000 s: those that are drawn
// are far apart, and the run is short.
const stateScript = `
local out = {}
local function add(t, s) t[#t+1] = tostring(s) end
for _, k in ipairs(KEYS) do
	local t = redis.call('TYPE', k).ok
	if t ~= 'none' then
		local v, ttl = {}, redis.call('PTTL', k)
		if ttl >= 0 then ttl = math.floor(ttl / 50000000 + 0.5) end
		if t == 'string' then
			local s = redis.call('GET', k)
			if string.sub(s, 1, 4) == 'HYLL' then s = 'HYLL' .. redis.call('PFCOUNT', k) end
			add(v, s)
		elseif t == 'list' then v = redis.call('LRANGE', k, 0, -1)
		elseif t == 'set' then v = redis.call('SMEMBERS', k) table.sort(v)
		elseif t == 'zset' then v = redis.call('ZRANGE', k, 0, -1, 'WITHSCORES')
		elseif t == 'hash' then
			local h = redis.call('HGETALL', k)
			for i = 1, #h, 2 do v[#v+1] = h[i] .. '\1' .. h[i+1] end
			table.sort(v)
		elseif t == 'stream' then
			for _, e in ipairs(redis.call('XRANGE', k, '-', '+')) do
				add(v, e[1])
				for _, f in ipairs(e[2]) do add(v, f) end
			end
			local info = redis.call('XINFO', 'STREAM', k)
			for i = 1, #info, 2 do
				if info[i] == 'last-generated-id' or info[i] == 'max-deleted-entry-id' or info[i] == 'entries-added' then add(v, info[i+1]) end
			end
			for _, g in ipairs(redis.call('XINFO', 'GROUPS', k)) do
				for i = 2, #g, 2 do add(v, g[i]) end
				for _, p in ipairs(redis.call('XPENDING', k, g[2], '-', '+', 1000)) do add(v, p[1]) add(v, p[2]) add(v, p[4]) end
				for _, c in ipairs(redis.call('XINFO', 'CONSUMERS', k, g[2])) do add(v, c[2]) end
			end
		end
		add(out, k .. ' ' .. t .. ' ' .. ttl .. ' ' .. table.concat(v, '\1'))
	end
end
return table.concat(out, '\2')`

// do runs a command that cannot fail at the engine.
func do(t testing.TB, e *engine.Engine, args ...string) engine.Reply {
	r, err := e.Do(t.Context(), args)
	if err != nil {
		t.Fatal(err)
	}
	return r.Reply
}

func texts(rs []engine.Reply) []string {
	out := make([]string, len(rs))
	for i, r := range rs {
		out[i] = lua(r)
	}
	return out
}

// lua prints a reply as Lua's tostring does.
func lua(r engine.Reply) string {
	switch r.Kind {
	case command.KindInt:
		return strconv.FormatInt(r.Int, 10)
	case command.KindNil:
		return "false"
	}
	return string(r.Bytes)
}

// stateOf is stateScript for the engine.
func stateOf(t testing.TB, e *engine.Engine) string {
	var out []string
	for _, k := range keyNames {
		kind := string(do(t, e, "TYPE", k).Bytes)
		if kind == "none" {
			continue
		}
		ttl := do(t, e, "PTTL", k).Int
		if ttl >= 0 {
			ttl = (ttl + 25_000_000) / 50_000_000
		}
		out = append(out, fmt.Sprint(k, " ", kind, " ", ttl, " ", strings.Join(valueOf(t, e, k, kind), "\x01")))
	}
	return strings.Join(out, "\x02")
}

func valueOf(t testing.TB, e *engine.Engine, k, kind string) []string {
	switch kind {
	case "string":
		s := string(do(t, e, "GET", k).Bytes)
		if strings.HasPrefix(s, "HYLL") {
			s = "HYLL" + strconv.FormatInt(do(t, e, "PFCOUNT", k).Int, 10)
		}
		return []string{s}
	case "list":
		return texts(do(t, e, "LRANGE", k, "0", "-1").Array)
	case "set":
		v := texts(do(t, e, "SMEMBERS", k).Array)
		slices.Sort(v)
		return v
	case "zset":
		return texts(do(t, e, "ZRANGE", k, "0", "-1", "WITHSCORES").Array)
	case "hash":
		var v []string
		for pair := range slices.Chunk(texts(do(t, e, "HGETALL", k).Array), 2) {
			v = append(v, pair[0]+"\x01"+pair[1])
		}
		slices.Sort(v)
		return v
	}
	return streamState(t, e, k)
}

func streamState(t testing.TB, e *engine.Engine, k string) []string {
	var v []string
	for _, en := range do(t, e, "XRANGE", k, "-", "+").Array {
		v = append(append(v, lua(en.Array[0])), texts(en.Array[1].Array)...)
	}
	info := do(t, e, "XINFO", "STREAM", k).Array
	for i := 0; i+1 < len(info); i += 2 {
		switch lua(info[i]) {
		case "last-generated-id", "max-deleted-entry-id", "entries-added":
			v = append(v, lua(info[i+1]))
		}
	}
	for _, g := range do(t, e, "XINFO", "GROUPS", k).Array {
		for i := 1; i < len(g.Array); i += 2 {
			v = append(v, lua(g.Array[i]))
		}
		name := lua(g.Array[1])
		for _, p := range do(t, e, "XPENDING", k, name, "-", "+", "1000").Array {
			v = append(v, lua(p.Array[0]), lua(p.Array[1]), lua(p.Array[3]))
		}
		for _, c := range do(t, e, "XINFO", "CONSUMERS", k, name).Array {
			v = append(v, lua(c.Array[1]))
		}
	}
	return v
}

// shown prints a reply so that what may differ does not.
func shown(mode string, r engine.Reply) string {
	switch mode {
	case "any":
		if r.Kind == command.KindError {
			return show(r)
		}
		return r.Kind.String()
	case "sorted":
		slices.SortFunc(r.Array, func(a, b engine.Reply) int { return strings.Compare(show(a), show(b)) })
	case "pairs":
		var pairs []string
		for pair := range slices.Chunk(r.Array, 2) {
			pairs = append(pairs, show(engine.Reply{Kind: command.KindArray, Array: pair}))
		}
		if r.Kind == command.KindArray {
			slices.Sort(pairs)
			return strings.Join(pairs, " ")
		}
	case "idle":
		for _, one := range r.Array {
			one.Array[2].Int = 0
		}
	case "ttl":
		if r.Int > 0 {
			return strconv.FormatFloat(float64(r.Int), 'e', 1, 64)
		}
	}
	return show(r)
}

var longNumber = regexp.MustCompile(`\d[\d.]{13,}(e[+-]\d+)?`)

// sameNumbers prints long numbers in one form: scores are the shortest that
// reads back here, as in Redis 8, and have 17 digits in Redis 7.
func sameNumbers(s string) string {
	return longNumber.ReplaceAllStringFunc(s, func(n string) string {
		f, err := strconv.ParseFloat(n, 64)
		if err != nil {
			return n
		}
		return strconv.FormatFloat(f, 'g', 12, 64)
	})
}

// batch is how many commands are sent to the real Redis at once.
const batch = 250

// TestDiffer sends a random sequence of commands to the engine and to a real
// Redis, and compares after each one the reply and all that is stored.
// RESTASH_COMMANDS is how many, RESTASH_SEED where to start. CI, which demands a
// Redis, sends more than a developer waits for, and a soak (RESTASH_SOAK) more
// than CI does.
func TestDiffer(t *testing.T) {
	total := 20_000
	switch {
	case os.Getenv("RESTASH_SOAK") != "":
		total = 1_000_000
	case testing.Short() || raceEnabled:
		total = 5_000
	case os.Getenv("RESTASH_REQUIRE") != "":
		total = 100_000
	}
	total = number(t, "RESTASH_COMMANDS", total)
	seed := uint64(number(t, "RESTASH_SEED", 1))
	real := realRedis(t)
	all := shapes(t)
	require.GreaterOrEqual(t, len(all), 200)
	e := newEngine(t)
	sha := string(real.do(t, []string{"SCRIPT", "LOAD", stateScript}).Bytes)
	src := &source{rnd: rand.New(rand.NewPCG(seed, 0)), now: time.Now().Unix()}
	found := map[string]int{}
	for n := 0; n < total && len(found) < 40; n += batch {
		differ(t, real, e, src, all, sha, found)
	}
	assert.Zero(t, e.Panics(), "recovered panics")
}

func number(t *testing.T, name string, otherwise int) int {
	if s := os.Getenv(name); s != "" {
		n, err := strconv.Atoi(s)
		require.NoError(t, err, name)
		return n
	}
	return otherwise
}

// differ compares one batch, which begins with an empty database.
func differ(t *testing.T, real *wire, e *engine.Engine, src *source, all []shape, sha string, found map[string]int) {
	// Most commands of a batch are of one family and for few keys, so that they
	// meet in one value.
	family := src.family(all)
	cmds := make([][]string, batch)
	used := make([]shape, batch)
	digest := append([]string{"EVALSHA", sha, strconv.Itoa(len(keyNames))}, keyNames...)
	lines := [][]string{{"FLUSHALL"}}
	for i := range cmds {
		from := all
		if src.rnd.IntN(10) < 7 {
			from = family
		}
		used[i] = from[src.rnd.IntN(len(from))]
		cmds[i] = src.draw(used[i])
		lines = append(lines, cmds[i], digest)
	}
	real.send(t, lines)
	real.reply(t)
	do(t, e, "FLUSHALL")
	stop := false
	for i, args := range cmds {
		want, wantState := real.reply(t), string(real.reply(t).Bytes)
		if stop {
			continue
		}
		got, gotState := do(t, e, args...), stateOf(t, e)
		w, g := sameNumbers(shown(used[i].mode, want)), sameNumbers(shown(used[i].mode, got))
		wantState, gotState = sameNumbers(wantState), sameNumbers(gotState)
		if w != g && !deliberate(args, w, g) {
			stop = true
			if found[used[i].text]++; found[used[i].text] == 1 {
				t.Errorf("%q\n redis %.200s\n ours  %.200s\n state %.400q", args, w, g, wantState)
			}
		}
		if wantState != gotState && readsUnacknowledged(args) {
			stop = true // Upstash makes no consumer by it
		} else if wantState != gotState {
			stop = true
			if found[used[i].text]++; found[used[i].text] == 1 {
				t.Errorf("%q -> %.200s\n redis %.400q\n ours  %.400q", args, w, wantState, gotState)
			}
		}
	}
}

// send writes commands without waiting for their replies.
func (c *wire) send(t testing.TB, cmds [][]string) {
	t.Helper()
	go func() {
		w := bufio.NewWriter(c.w)
		for _, args := range cmds {
			fmt.Fprintf(w, "*%d\r\n", len(args))
			for _, a := range args {
				fmt.Fprintf(w, "$%d\r\n%s\r\n", len(a), a)
			}
		}
		_ = w.Flush() // a dead Redis is noticed by the reader
	}()
}

func (c *wire) reply(t testing.TB) engine.Reply {
	t.Helper()
	r, _, err := engine.ParseRESP(c.read(t, nil))
	require.NoError(t, err)
	return r
}
