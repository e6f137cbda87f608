package engine

import (
	"slices"
	"strings"

	"github.com/cldcde/restash/upstashtest/internal/lua"
)

func (e *Engine) lua() *lua.Machine {
	if e.scripts.machine == nil {
		e.scripts.machine = lua.New(e.cfg.ScriptSteps)
	}
	return e.scripts.machine
}

func scriptCommands() map[string]handler {
	return map[string]handler{
		"EVAL": cmdEval, "EVAL_RO": cmdEval, "EVALSHA": cmdEvalSHA, "EVALSHA_RO": cmdEvalSHA,
		"SCRIPT LOAD": cmdScriptLoad, "SCRIPT EXISTS": cmdScriptExists, "SCRIPT FLUSH": cmdScriptFlush,
		"SCRIPT KILL": cmdNotBusy, "FUNCTION KILL": cmdNotBusy,
	}
}

func cmdNotBusy(*Engine, *call) Reply {
	return errorReply("NOTBUSY No scripts in execution right now.")
}

func cmdEval(e *Engine, c *call) Reply {
	s, bad := e.addScript(c.args[1])
	if isError(bad) {
		return bad
	}
	return e.runScript(c, s)
}

func cmdEvalSHA(e *Engine, c *call) Reply {
	s, ok := e.scripts.bySHA[strings.ToLower(c.args[1])]
	if !ok {
		return errorReply(msgNoScript)
	}
	return e.runScript(c, s)
}

// addScript keeps a script that compiles.
func (e *Engine) addScript(source string) (lua.Script, Reply) {
	s, err := lua.Parse(source)
	if err != nil {
		return s, errorReply(err.Error())
	}
	if _, known := e.scripts.bySHA[s.SHA]; !known {
		if err := e.lua().Compile(s); err != nil {
			return s, errorReply(err.Error())
		}
		e.scripts.bySHA[s.SHA] = s
	}
	return s, nilReply
}

func (e *Engine) runScript(c *call, s lua.Script) Reply {
	keys, args, bad := scriptArgs(c.args[2:])
	if isError(bad) {
		return bad
	}
	in := inside{c: c, readOnly: s.NoWrites || strings.HasSuffix(c.info.Name, "_RO"), keys: lockedKeys(s.LockKeys, keys)}
	return e.lua().Run(c.ctx, s, keys, args, func(args []string) Reply { return e.fromScript(in, args) })
}

// scriptArgs splits "numkeys key ... arg ...".
func scriptArgs(words []string) (keys, args []string, bad Reply) {
	n, err := strictAtoi(words[0])
	switch {
	case err != nil:
		return nil, nil, errorReply(msgNotInt)
	case n < 0:
		return nil, nil, errorReply("ERR Number of keys can't be negative")
	case n > len(words)-1:
		return nil, nil, errorReply("ERR Number of keys can't be greater than number of args")
	}
	return words[1 : 1+n], words[1+n:], nilReply
}

// inside is what the commands of a script may do.
type inside struct {
	c        *call
	readOnly bool
	keys     []string // all that may be touched; nil is any
}

func lockedKeys(on bool, keys []string) []string {
	if !on {
		return nil
	}
	return append([]string{}, keys...)
}

// fromScript runs a command for a script. The lock is held.
func (e *Engine) fromScript(in inside, args []string) Reply {
	info, name := Lookup(args)
	switch {
	case info == nil:
		return errorReply("ERR Unknown Redis command called from script")
	case !info.arityOK(len(args)):
		return errorReply("ERR Wrong number of args calling Redis command from script")
	case !info.REST || isScript(info) || name == "MONITOR" || name == "SUBSCRIBE" || name == "PSUBSCRIBE" || name == "SELECT":
		return errorReply("ERR This Redis command is not allowed from script")
	case in.readOnly && (info.Write || name == "PUBLISH"):
		// The words of Upstash, with the code in the middle.
		return errorReply("ERR Error running script: READONLY Write commands are not allowed from read-only scripts.")
	}
	if in.keys != nil {
		for _, key := range info.Keys(args) {
			if !slices.Contains(in.keys, key) {
				return errorf("ERR Dynamic keys are not allowed in Lua scripts when 'allow-key-locking' flag is set. Key was: %s", key)
			}
		}
	}
	in.c.inner++
	e.hub.monitor(e.now(), args)
	return e.run(&call{ctx: in.c.ctx, args: args})
}

func cmdScriptLoad(e *Engine, c *call) Reply {
	s, bad := e.addScript(c.args[2])
	if isError(bad) {
		return bad
	}
	return bulk(s.SHA)
}

func cmdScriptExists(e *Engine, c *call) Reply {
	r := array()
	for _, sha := range c.args[2:] {
		_, ok := e.scripts.bySHA[strings.ToLower(sha)]
		r.Array = append(r.Array, boolReply(ok))
	}
	return r
}

func cmdScriptFlush(e *Engine, c *call) Reply {
	if len(c.args) > 3 || len(c.args) == 3 && upper(c.args[2]) != "SYNC" && upper(c.args[2]) != "ASYNC" {
		return errorReply("ERR SCRIPT FLUSH only support SYNC|ASYNC option")
	}
	e.scripts.bySHA = map[string]lua.Script{}
	return okReply()
}

func functionCommands() map[string]handler {
	return map[string]handler{
		"FCALL": cmdFCall, "FCALL_RO": cmdFCall, "FUNCTION LOAD": cmdFunctionLoad,
		"FUNCTION DELETE": cmdFunctionDelete, "FUNCTION FLUSH": cmdFunctionFlush,
		"FUNCTION LIST": cmdFunctionList, "FUNCTION STATS": cmdFunctionStats,
	}
}

func cmdFCall(e *Engine, c *call) Reply {
	for _, lib := range e.scripts.libraries {
		f := lib.Functions[c.args[1]]
		if f == nil {
			continue
		}
		keys, args, bad := scriptArgs(c.args[2:])
		if isError(bad) {
			return bad
		}
		// Upstash lets FCALL_RO run any function, and stops it at its first write.
		in := inside{c: c, readOnly: f.NoWrites || c.info.Name == "FCALL_RO", keys: lockedKeys(f.LockKeys, keys)}
		return e.lua().Call(c.ctx, lib, f, keys, args, func(args []string) Reply { return e.fromScript(in, args) })
	}
	return errorReply("ERR Function not found")
}

func cmdFunctionLoad(e *Engine, c *call) Reply {
	source, replace := c.args[2], false
	if len(c.args) == 4 && upper(c.args[2]) == "REPLACE" {
		source, replace = c.args[3], true
	} else if len(c.args) != 3 {
		return errorf("ERR Unknown option given: %s", c.args[2])
	}
	lib, err := e.lua().Load(c.ctx, source)
	if err != nil {
		return errorReply(err.Error())
	}
	if e.scripts.libraries[lib.Name] != nil && !replace {
		return errorf("ERR Library '%s' already exists", lib.Name)
	}
	for _, other := range e.scripts.libraries {
		for name := range lib.Functions {
			if other.Name != lib.Name && other.Functions[name] != nil {
				return errorf("ERR Function %s already exists", name)
			}
		}
	}
	e.scripts.libraries[lib.Name] = lib
	return bulk(lib.Name)
}

func cmdFunctionDelete(e *Engine, c *call) Reply {
	if e.scripts.libraries[c.args[2]] == nil {
		return errorReply("ERR Library not found")
	}
	delete(e.scripts.libraries, c.args[2])
	return okReply()
}

func cmdFunctionFlush(e *Engine, c *call) Reply {
	if len(c.args) > 3 || len(c.args) == 3 && upper(c.args[2]) != "SYNC" && upper(c.args[2]) != "ASYNC" {
		return errorReply("ERR FUNCTION FLUSH only supports SYNC|ASYNC option")
	}
	clear(e.scripts.libraries)
	return okReply()
}

func cmdFunctionList(e *Engine, c *call) Reply {
	pattern, code := "*", false
	for i := 2; i < len(c.args); i++ {
		switch word := upper(c.args[i]); {
		case word == "WITHCODE":
			code = true
		case word == "LIBRARYNAME" && i+1 < len(c.args):
			i++
			pattern = c.args[i]
		default:
			return errorf("ERR Unknown argument %s", c.args[i])
		}
	}
	r := array()
	for _, name := range sortedNames(e.scripts.libraries) {
		if Match(pattern, name) {
			r.Array = append(r.Array, libraryReply(e.scripts.libraries[name], code))
		}
	}
	return r
}

func libraryReply(lib *lua.Library, code bool) Reply {
	functions := array()
	for _, name := range sortedNames(lib.Functions) {
		f := lib.Functions[name]
		description := nilReply
		if f.Description != "" {
			description = bulk(f.Description)
		}
		functions.Array = append(functions.Array, array(
			bulk("name"), bulk(f.Name), bulk("description"), description, bulk("flags"), bulks(f.Flags)))
	}
	r := array(bulk("library_name"), bulk(lib.Name), bulk("engine"), bulk("LUA"), bulk("functions"), functions)
	if code {
		r.Array = append(r.Array, bulk("library_code"), bulk(lib.Source))
	}
	return r
}

func cmdFunctionStats(e *Engine, _ *call) Reply {
	functions := 0
	for _, lib := range e.scripts.libraries {
		functions += len(lib.Functions)
	}
	return array(bulk("running_script"), nilReply, bulk("engines"), array(bulk("LUA"), array(
		bulk("libraries_count"), intReply(int64(len(e.scripts.libraries))),
		bulk("functions_count"), intReply(int64(functions)))))
}
