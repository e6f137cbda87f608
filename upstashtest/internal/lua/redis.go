package lua

import (
	"fmt"
	"strings"

	glua "github.com/yuin/gopher-lua"

	"github.com/cldcde/restash/client/command"
)

// open loads the libraries, the table redis, and the protection of globals.
func (m *Machine) open() {
	for name, f := range map[string]glua.LGFunction{
		glua.BaseLibName: glua.OpenBase, glua.TabLibName: glua.OpenTable, glua.StringLibName: glua.OpenString,
		glua.MathLibName: glua.OpenMath, glua.CoroutineLibName: glua.OpenCoroutine,
	} {
		m.l.Push(m.l.NewFunction(f))
		m.l.Push(glua.LString(name))
		m.l.Call(1, 0)
	}
	g := m.l.G.Global
	for _, name := range []string{"print", "dofile", "loadfile", "require", "module", "newproxy", "_printregs"} {
		g.RawSetString(name, glua.LNil)
	}
	m.limitStrings()
	tostring := g.RawGetString("tostring")
	g.RawSetString("tostring", m.l.NewFunction(func(l *glua.LState) int {
		if n, ok := l.CheckAny(1).(glua.LNumber); ok {
			l.Push(glua.LString(cFloat(float64(n), 14)))
			return 1
		}
		l.SetTop(1)
		l.Insert(tostring, 1)
		l.Call(1, 1)
		return 1
	}))
	g.RawSetString("tonumber", m.l.NewFunction(luaToNumber))
	m.plainErrors()
	redis := m.l.NewTable()
	m.l.SetFuncs(redis, map[string]glua.LGFunction{
		"call": m.luaCall, "pcall": m.luaPCall, "error_reply": m.luaErrorReply, "status_reply": m.luaStatusReply,
		"sha1hex": luaSHA, "log": luaNothing, "setresp": m.luaSetRESP, "set_repl": luaNothing, "breakpoint": luaFalse,
		"debug": luaNothing, "replicate_commands": luaTrue, "acl_check_cmd": luaTrue, "register_function": m.luaRegister,
	})
	for name, v := range map[string]glua.LValue{
		"LOG_DEBUG": glua.LNumber(0), "LOG_VERBOSE": glua.LNumber(1), "LOG_NOTICE": glua.LNumber(2), "LOG_WARNING": glua.LNumber(3),
		"REPL_ALL": glua.LNumber(3), "REPL_AOF": glua.LNumber(1), "REPL_SLAVE": glua.LNumber(2), "REPL_REPLICA": glua.LNumber(2),
		"REPL_NONE": glua.LNumber(0), "REDIS_VERSION": glua.LString("8.2.0"), "REDIS_VERSION_NUM": glua.LNumber(0x080200),
	} {
		redis.RawSetString(name, v)
	}
	g.RawSetString("redis", redis)
	g.RawSetString("server", redis)
	g.RawSetString("cjson", m.cjson())
	g.RawSetString("bit", m.bit())
	g.RawSetString("cmsgpack", m.cmsgpack())
	g.RawSetString("struct", m.structs())
	g.RawSetString("os", m.l.SetFuncs(m.l.NewTable(), map[string]glua.LGFunction{"clock": luaClock}))
	m.protect()
}

// plainErrors makes pcall return the text of a failed command, as Redis does,
// and not the table that carries it.
func (m *Machine) plainErrors() {
	pcall := m.l.G.Global.RawGetString("pcall")
	m.l.G.Global.RawSetString("pcall", m.l.NewFunction(func(l *glua.LState) int {
		n := l.GetTop()
		l.Insert(pcall, 1)
		l.Call(n, glua.MultRet)
		if t, ok := l.Get(2).(*glua.LTable); ok && l.Get(1) == glua.LFalse {
			if text := t.RawGetString("err"); text != glua.LNil {
				l.Replace(2, text)
			}
		}
		return l.GetTop()
	}))
}

// limitStrings keeps one instruction from taking all memory.
func (m *Machine) limitStrings() {
	const most = 64 << 20
	lib, ok := m.l.G.Global.RawGetString("string").(*glua.LTable)
	if !ok {
		panic("lua: no string library")
	}
	rep := lib.RawGetString("rep")
	lib.RawSetString("rep", m.l.NewFunction(func(l *glua.LState) int {
		if s, n := l.CheckString(1), l.CheckInt(2); n > 0 && len(s) > most/n {
			l.RaiseError("resulting string too large")
		}
		l.Push(rep)
		l.Insert(rep, 1)
		l.SetTop(3)
		l.Call(2, 1)
		return 1
	}))
}

// protect hides the globals and the libraries behind tables that can only be
// read: scripts share one state, and none may change it for the next.
func (m *Machine) protect() {
	real := m.l.G.Global
	real.RawSetString("KEYS", m.l.NewTable())
	real.RawSetString("ARGV", m.l.NewTable())
	shields := map[*glua.LTable]bool{}
	for _, name := range []string{"string", "table", "math", "coroutine", "os", "bit", "cjson", "redis"} {
		if lib, ok := real.RawGetString(name).(*glua.LTable); ok {
			shield := m.shield(lib)
			shields[shield] = true
			real.RawSetString(name, shield)
		}
	}
	real.RawSetString("server", real.RawGetString("redis"))
	env := m.shield(m.l.NewFunction(func(l *glua.LState) int {
		var v glua.LValue = glua.LNil
		if name, ok := l.Get(2).(glua.LString); ok {
			v = real.RawGetString(string(name))
		}
		if v == glua.LNil {
			l.RaiseError("Script attempted to access nonexistent global variable '%s'", l.Get(2).String())
		}
		l.Push(v)
		return 1
	}))
	shields[env] = true
	rawset := real.RawGetString("rawset")
	real.RawSetString("rawset", m.l.NewFunction(func(l *glua.LState) int {
		if shields[l.CheckTable(1)] {
			l.RaiseError(msgReadOnly)
		}
		l.Insert(rawset, 1)
		l.Call(3, 1)
		return 1
	}))
	real.RawSetString("_G", env)
	m.env = env
}

const msgReadOnly = "Attempt to modify a readonly table"

// shield returns an empty table that reads from behind and refuses writes.
func (m *Machine) shield(behind glua.LValue) *glua.LTable {
	meta := m.l.NewTable()
	meta.RawSetString("__index", behind)
	meta.RawSetString("__metatable", glua.LFalse)
	meta.RawSetString("__newindex", m.l.NewFunction(func(l *glua.LState) int {
		l.RaiseError(msgReadOnly)
		return 0
	}))
	t := m.l.NewTable()
	t.Metatable = meta
	return t
}

func luaNothing(*glua.LState) int { return 0 }

func luaTrue(l *glua.LState) int {
	l.Push(glua.LTrue)
	return 1
}

func luaFalse(l *glua.LState) int {
	l.Push(glua.LFalse)
	return 1
}

// luaClock does not tell real time: a script shall give the same each time.
func luaClock(l *glua.LState) int {
	l.Push(glua.LNumber(0))
	return 1
}

func luaSHA(l *glua.LState) int {
	if l.GetTop() != 1 {
		l.RaiseError("wrong number of arguments")
	}
	l.Push(glua.LString(SHA(l.OptString(1, ""))))
	return 1
}

func (m *Machine) luaErrorReply(l *glua.LState) int {
	text := strings.TrimPrefix(l.CheckString(1), "-")
	if !strings.Contains(text, " ") {
		text = "ERR " + text
	}
	l.Push(m.field("err", text))
	return 1
}

func (m *Machine) luaStatusReply(l *glua.LState) int {
	l.Push(m.field("ok", l.CheckString(1)))
	return 1
}

// luaCall raises what goes wrong; luaPCall returns it.
func (m *Machine) luaCall(l *glua.LState) int {
	args, r := m.command(l)
	if r.Kind == command.KindError {
		t := m.field("err", string(r.Bytes))
		if where := strings.SplitN(l.Where(1), ":", 3); len(where) > 1 {
			t.RawSetString("line", glua.LString(where[1]))
		}
		l.Error(t, 0)
	}
	l.Push(m.asked(args, r))
	return 1
}

func (m *Machine) luaPCall(l *glua.LState) int {
	l.Push(m.asked(m.command(l)))
	return 1
}

// command runs what a script asks for, and returns it beside the reply.
func (m *Machine) command(l *glua.LState) ([]string, command.Reply) {
	if m.call == nil {
		return []string{""}, failure("ERR redis.call can only be called inside a script invocation")
	}
	if l.GetTop() == 0 {
		return []string{""}, failure("ERR Please specify at least one argument for this redis lib call")
	}
	args := make([]string, l.GetTop())
	for i := range args {
		var ok bool
		if args[i], ok = argument(l.Get(i + 1)); !ok {
			return []string{""}, failure("ERR Lua redis lib command arguments must be strings or integers")
		}
	}
	return args, m.call(args)
}

func (m *Machine) luaRegister(l *glua.LState) int {
	if m.loading == nil {
		l.Error(m.field("err", "ERR redis.register_function can only be called on FUNCTION LOAD command"), 0)
	}
	f, err := registration(l)
	if err == nil {
		err = m.loading.add(f)
	}
	if err != nil {
		l.Error(m.field("err", fmt.Sprint(err)), 0)
	}
	return 0
}
