package lua

import (
	"strconv"
	"strings"

	glua "github.com/yuin/gopher-lua"

	"github.com/cldcde/restash/client/command"
)

// luaSetRESP sets how replies reach the script until it ends.
func (m *Machine) luaSetRESP(l *glua.LState) int {
	if l.GetTop() != 1 {
		l.Error(m.field("err", "ERR redis.setresp() requires one argument."), 0)
	}
	version := glua.LVAsNumber(l.Get(1)) // text that is a number will do
	if version != 2 && version != 3 {
		l.Error(m.field("err", "ERR RESP version must be 2 or 3."), 0)
	}
	m.resp3 = version == 3
	return 0
}

// asked converts the reply to a command. After redis.setresp(3) maps, sets and
// doubles are tables of their own, and nil is nil.
func (m *Machine) asked(args []string, r command.Reply) glua.LValue {
	if !m.resp3 {
		return m.toValue(r)
	}
	switch shapeOf(args) {
	case "map":
		if r.Kind == command.KindArray {
			return m.mapOf(r)
		}
	case "set":
		if r.Kind == command.KindArray {
			return m.setOf(r)
		}
	case "double":
		return m.double(r)
	case "doubles":
		return m.list(r, m.double)
	case "scores":
		return m.pairs(r, m.double)
	case "pairs":
		return m.pairs(r, m.value3)
	case "member and score":
		return m.memberAndScore(r)
	}
	return m.value3(r)
}

// shapes are the replies that have a type of their own in RESP3, by command and,
// where it depends on one, by a word of it.
var shapes = map[string]string{
	"HGETALL": "map", "CONFIG GET": "map",
	"SMEMBERS": "set", "SINTER": "set", "SUNION": "set", "SDIFF": "set",
	"ZSCORE": "double", "ZINCRBY": "double", "ZADD INCR": "double", "ZMSCORE": "doubles",
	"ZRANGE WITHSCORES": "scores", "ZREVRANGE WITHSCORES": "scores", "ZRANGEBYSCORE WITHSCORES": "scores",
	"ZREVRANGEBYSCORE WITHSCORES": "scores", "ZUNION WITHSCORES": "scores", "ZINTER WITHSCORES": "scores",
	"ZDIFF WITHSCORES": "scores", "ZRANDMEMBER WITHSCORES": "scores", "HRANDFIELD WITHVALUES": "pairs",
}

func shapeOf(args []string) string {
	name := strings.ToUpper(args[0])
	counted := len(args) > 2
	switch {
	case name == "SPOP" && counted:
		return "set"
	case strings.HasPrefix(name, "ZPOP") && counted:
		return "scores"
	case strings.HasPrefix(name, "ZPOP"):
		return "member and score"
	}
	for _, word := range args[1:] {
		if shape := shapes[name+" "+strings.ToUpper(word)]; shape != "" {
			return shape
		}
	}
	return shapes[name]
}

// value3 is toValue of RESP3, where nil is nil at every depth.
func (m *Machine) value3(r command.Reply) glua.LValue {
	switch r.Kind {
	case command.KindNil:
		return glua.LNil
	case command.KindArray:
		return m.list(r, m.value3)
	}
	return m.toValue(r)
}

func (m *Machine) list(r command.Reply, each func(command.Reply) glua.LValue) glua.LValue {
	if r.Kind != command.KindArray {
		return m.value3(r)
	}
	t := m.l.CreateTable(len(r.Array), 0)
	for i, e := range r.Array {
		t.RawSetInt(i+1, each(e))
	}
	return t
}

// pairs makes of a flat list one of pairs, the second of each by second.
func (m *Machine) pairs(r command.Reply, second func(command.Reply) glua.LValue) glua.LValue {
	if r.Kind != command.KindArray {
		return m.value3(r)
	}
	out := m.l.CreateTable(len(r.Array)/2, 0)
	for i := 0; i+1 < len(r.Array); i += 2 {
		pair := m.l.CreateTable(2, 0)
		pair.RawSetInt(1, m.value3(r.Array[i]))
		pair.RawSetInt(2, second(r.Array[i+1]))
		out.RawSetInt(i/2+1, pair)
	}
	return out
}

func (m *Machine) memberAndScore(r command.Reply) glua.LValue {
	if r.Kind != command.KindArray || len(r.Array) != 2 {
		return m.value3(r)
	}
	t := m.l.CreateTable(2, 0)
	t.RawSetInt(1, m.value3(r.Array[0]))
	t.RawSetInt(2, m.double(r.Array[1]))
	return t
}

func (m *Machine) mapOf(r command.Reply) glua.LValue {
	t := m.l.NewTable()
	for i := 0; i+1 < len(r.Array); i += 2 {
		t.RawSet(m.value3(r.Array[i]), m.value3(r.Array[i+1]))
	}
	return m.wrap("map", t)
}

func (m *Machine) setOf(r command.Reply) glua.LValue {
	t := m.l.NewTable()
	for _, e := range r.Array {
		t.RawSet(m.value3(e), glua.LTrue)
	}
	return m.wrap("set", t)
}

func (m *Machine) double(r command.Reply) glua.LValue {
	f, err := strconv.ParseFloat(string(r.Bytes), 64)
	if r.Kind != command.KindBulk || err != nil {
		return m.value3(r)
	}
	return m.wrap("double", glua.LNumber(f))
}

func (m *Machine) wrap(name string, v glua.LValue) glua.LValue {
	t := m.l.CreateTable(0, 1)
	t.RawSetString(name, v)
	return t
}

// typedReply converts a table that names a type of RESP3. The protocol here is
// RESP2, whose clients get text and flat lists.
func typedReply(t *glua.LTable, depth int) (command.Reply, bool) {
	if f, ok := t.RawGetString("double").(glua.LNumber); ok {
		return bulkReply(cFloat(float64(f), 17)), true
	}
	if s, ok := t.RawGetString("big_number").(glua.LString); ok {
		return bulkReply(strings.NewReplacer("\r", " ", "\n", " ").Replace(string(s))), true
	}
	if v, ok := t.RawGetString("verbatim_string").(*glua.LTable); ok {
		s, isText := v.RawGetString("string").(glua.LString)
		_, hasFormat := v.RawGetString("format").(glua.LString)
		if isText && hasFormat {
			return bulkReply(string(s)), true
		}
	}
	values, isMap := t.RawGetString("map").(*glua.LTable)
	members, isSet := t.RawGetString("set").(*glua.LTable)
	if !isMap && !isSet {
		return command.Reply{}, false
	}
	r := command.Reply{Kind: command.KindArray, Array: []command.Reply{}}
	if isMap {
		values.ForEach(func(k, v glua.LValue) { r.Array = append(r.Array, toReply(k, depth+1), toReply(v, depth+1)) })
		return r, true
	}
	members.ForEach(func(k, _ glua.LValue) { r.Array = append(r.Array, toReply(k, depth+1)) })
	return r, true
}

func bulkReply(s string) command.Reply {
	return command.Reply{Kind: command.KindBulk, Bytes: []byte(s)}
}
