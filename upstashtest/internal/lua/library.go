package lua

import (
	"context"
	"fmt"
	"regexp"

	glua "github.com/yuin/gopher-lua"

	"github.com/cldcde/restash/client/command"
)

// Library is a set of functions loaded together.
type Library struct {
	Name      string
	Source    string
	Functions map[string]*Function
}

// Function is one function of a library.
type Function struct {
	Name, Description string
	Flags             []string
	NoWrites          bool
	LockKeys          bool

	f *glua.LFunction
	l *glua.LState // the state that f belongs to
}

var nameRule = regexp.MustCompile(`^[A-Za-z0-9_]+$`)

func (lib *Library) add(f *Function) error {
	if !nameRule.MatchString(f.Name) {
		return fmt.Errorf("ERR Library names can only contain letters, numbers, or underscores(_) and must be at least one character long")
	}
	if lib.Functions[f.Name] != nil {
		return fmt.Errorf("ERR Function already exists in the library")
	}
	lib.Functions[f.Name] = f
	return nil
}

// registration reads the arguments of redis.register_function: a name and a
// function, or a table of names.
func registration(l *glua.LState) (*Function, error) {
	f := &Function{l: l}
	var callback glua.LValue
	switch first := l.Get(1).(type) {
	case glua.LString:
		f.Name, callback = string(first), l.Get(2)
	case *glua.LTable:
		f.Name = glua.LVAsString(first.RawGetString("function_name"))
		f.Description = glua.LVAsString(first.RawGetString("description"))
		callback = first.RawGetString("callback")
		if flags, ok := first.RawGetString("flags").(*glua.LTable); ok {
			for i := 1; i <= flags.Len(); i++ {
				f.Flags = append(f.Flags, glua.LVAsString(flags.RawGetInt(i)))
			}
		}
	default:
		return nil, fmt.Errorf("ERR wrong number of arguments to redis.register_function")
	}
	fn, ok := callback.(*glua.LFunction)
	if !ok || f.Name == "" {
		return nil, fmt.Errorf("ERR redis.register_function must get a function name and a callback argument")
	}
	f.f = fn
	for _, flag := range f.Flags {
		switch flag {
		case "no-writes":
			f.NoWrites = true
		case "allow-key-locking":
			f.LockKeys = true
		case "allow-oom", "allow-stale", "no-cluster", "allow-cross-slot-keys":
		default:
			return nil, fmt.Errorf("ERR unknown flag given")
		}
	}
	return f, nil
}

// Load runs the code of a library and returns the functions it registers.
func (m *Machine) Load(ctx context.Context, source string) (*Library, error) {
	if len(source) < 2 || source[:2] != "#!" {
		return nil, fmt.Errorf("ERR Missing library metadata")
	}
	options, code, err := shebang(source)
	if err != nil {
		return nil, err
	}
	for name := range options {
		if name != "name" {
			return nil, fmt.Errorf("ERR Invalid metadata value given: %s", name)
		}
	}
	if options["name"] == "" {
		return nil, fmt.Errorf("ERR Library name was not given")
	}
	lib := &Library{Name: options["name"], Source: source, Functions: map[string]*Function{}}
	if !nameRule.MatchString(lib.Name) {
		return nil, fmt.Errorf("ERR Library names can only contain letters, numbers, or underscores(_) and must be at least one character long")
	}
	f, err := m.compile(code, "user_function")
	if err != nil {
		return nil, err
	}
	m.loading = lib
	defer func() { m.loading = nil }()
	if r := m.invoke(ctx, f, nil, nil, lib.Name+", on @user_function"); r.Kind == command.KindError {
		return nil, fmt.Errorf("ERR Error registering functions: %s", r.Bytes)
	}
	if len(lib.Functions) == 0 {
		return nil, fmt.Errorf("ERR No functions registered")
	}
	return lib, nil
}

// Call runs a function of a library. After a script had to be stopped the
// state is new, and the library is loaded again first.
func (m *Machine) Call(ctx context.Context, lib *Library, f *Function, keys, args []string, call Caller) command.Reply {
	if f.l != m.l {
		again, err := m.Load(ctx, lib.Source)
		if err != nil {
			return failure(err.Error())
		}
		for name, fn := range again.Functions {
			if old := lib.Functions[name]; old != nil {
				old.f, old.l = fn.f, fn.l
			}
		}
	}
	params := []glua.LValue{m.strings(keys), m.strings(args)}
	return m.invoke(ctx, f.f, params, call, f.Name+", on @user_function")
}
