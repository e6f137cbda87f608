package lua

import (
	"context"
	"errors"
	"fmt"
	"strings"

	glua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/parse"

	"github.com/cldcde/restash/client/command"
)

// Caller runs one Redis command for a script.
type Caller func(args []string) command.Reply

// Machine is a Lua state with the libraries that Redis offers. It is used by
// one goroutine at a time. Scripts share it, but cannot make globals.
type Machine struct {
	l       *glua.LState
	env     *glua.LTable // the globals as scripts see them
	steps   int64
	call    Caller
	resp3   bool     // redis.setresp(3) was called
	loading *Library // set while a library is loaded
	cache   map[string]*glua.FunctionProto
}

// New returns a machine whose runs end after so many instructions.
func New(steps int64) *Machine {
	m := &Machine{steps: steps, cache: map[string]*glua.FunctionProto{}}
	m.reset()
	return m
}

// Close releases the state.
func (m *Machine) Close() { m.l.Close() }

// reset starts with a fresh state. Values of the old one must not be used.
func (m *Machine) reset() {
	if m.l != nil {
		m.l.Close()
	}
	m.l = glua.NewState(glua.Options{SkipOpenLibs: true, CallStackSize: 200, RegistrySize: 1024, RegistryMaxSize: 1 << 20, RegistryGrowStep: 1024})
	m.open()
}

// compile turns a script into a function. Its first line may be a shebang.
func (m *Machine) compile(source, name string) (*glua.LFunction, error) {
	key := name + "\x00" + source
	proto := m.cache[key]
	if proto == nil {
		chunk, err := parse.Parse(strings.NewReader(source), name)
		var wrong *parse.Error
		if errors.As(err, &wrong) {
			return nil, fmt.Errorf("ERR Error compiling script (new function): %s:%d: %s near '%s'", name, wrong.Pos.Line, wrong.Message, wrong.Token)
		}
		if err != nil {
			return nil, fmt.Errorf("ERR Error compiling script (new function): %s", oneLine(err.Error()))
		}
		if proto, err = glua.Compile(chunk, name); err != nil {
			return nil, fmt.Errorf("ERR Error compiling script (new function): %s", oneLine(err.Error()))
		}
		if len(m.cache) > 1000 {
			clear(m.cache)
		}
		m.cache[key] = proto
	}
	f := m.l.NewFunctionFromProto(proto)
	f.Env = m.env
	return f, nil
}

// Compile reports whether a script compiles.
func (m *Machine) Compile(s Script) error {
	_, err := m.compile(s.Code, "user_script")
	return err
}

// Run executes a script and returns its reply, or an error reply.
func (m *Machine) Run(ctx context.Context, s Script, keys, args []string, call Caller) command.Reply {
	f, err := m.compile(s.Code, "user_script")
	if err != nil {
		return failure(err.Error())
	}
	m.l.G.Global.RawSetString("KEYS", m.strings(keys))
	m.l.G.Global.RawSetString("ARGV", m.strings(args))
	return m.invoke(ctx, f, nil, call, s.SHA+", on @user_script")
}

// invoke calls f and converts what it returns or raises. where is the tail of
// error texts, without the line.
func (m *Machine) invoke(ctx context.Context, f *glua.LFunction, params []glua.LValue, call Caller, where string) (r command.Reply) {
	b := &budget{Context: ctx, left: m.steps}
	m.call, m.resp3 = call, false
	m.l.SetContext(b)
	defer func() {
		if p := recover(); p != nil {
			r = failure(fmt.Sprintf("ERR Error running script: %v", p))
			m.reset()
		}
		m.call = nil
		m.l.RemoveContext()
		m.l.SetTop(0)
	}()
	err := m.l.CallByParam(glua.P{Fn: f, NRet: 1, Protect: true}, params...)
	if b.spent() {
		m.reset()
		return failure("ERR Error running script: it was stopped because it did not end")
	}
	if err != nil {
		return m.raised(err, where)
	}
	return toReply(m.l.Get(-1), 0)
}

// raised is the reply to an error that the script did not catch.
func (m *Machine) raised(err error, where string) command.Reply {
	var api *glua.ApiError
	if !errors.As(err, &api) {
		return failure("ERR " + oneLine(err.Error()))
	}
	text := ""
	line := "1"
	switch v := api.Object.(type) {
	case *glua.LTable:
		text = glua.LVAsString(v.RawGetString("err"))
		if n := v.RawGetString("line"); n != glua.LNil {
			line = n.String()
		}
	case glua.LString:
		text = "ERR " + string(v)
		if parts := strings.SplitN(string(v), ":", 3); len(parts) == 3 {
			line = parts[1]
		}
	default:
		text = "ERR " + oneLine(err.Error())
	}
	return failure(oneLine(text) + " script: " + where + ":" + line + ".")
}

func failure(text string) command.Reply {
	return command.Reply{Kind: command.KindError, Bytes: []byte(oneLine(text))}
}

func oneLine(s string) string {
	return strings.TrimSpace(strings.NewReplacer("\r", " ", "\n", " ", "\t", " ").Replace(s))
}

// budget ends a script after a number of instructions: the machine looks at
// Done before each of them. Counting works where clocks do not move while a
// script runs, as in a synctest bubble.
type budget struct {
	context.Context
	left int64
}

var over = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// Done is closed once the budget is spent.
func (b *budget) Done() <-chan struct{} {
	b.left--
	if b.left < 0 {
		return over
	}
	return b.Context.Done()
}

// Err explains Done.
func (b *budget) Err() error {
	if b.left < 0 {
		return errors.New("the script did not end")
	}
	return b.Context.Err()
}

func (b *budget) spent() bool { return b.left < 0 || b.Context.Err() != nil }

func (m *Machine) strings(ss []string) *glua.LTable {
	t := m.l.CreateTable(len(ss), 0)
	for _, s := range ss {
		t.Append(glua.LString(s))
	}
	return t
}
