package command

// Eval runs a Lua script and reads its reply as a T: a string, number, bool,
// a slice of these, a map[string]string of names and values in turn, any, a
// [Reply], or anything else from JSON text. Keys that the script touches
// belong into keys. It is a write that is not repeated; mark it with
// [Command.Repeat] if it may be.
func Eval[T any](script string, keys []string, args ...any) Command[T] {
	return write(into[T], "EVAL", script).script(keys, args)
}

// EvalSha is [Eval] of a script that the server knows already by its SHA-1
// hash. A [Script] does this by itself.
func EvalSha[T any](sha string, keys []string, args ...any) Command[T] {
	return write(into[T], "EVALSHA", sha).script(keys, args)
}

// EvalRO is [Eval] of a script that only reads.
func EvalRO[T any](script string, keys []string, args ...any) Command[T] {
	return read(into[T], "EVAL_RO", script).script(keys, args)
}

// EvalShaRO is [EvalSha] of a script that only reads.
func EvalShaRO[T any](sha string, keys []string, args ...any) Command[T] {
	return read(into[T], "EVALSHA_RO", sha).script(keys, args)
}

func (c Command[T]) script(keys []string, args []any) Command[T] {
	return c.add(count(len(keys))).add(keys...).values(args)
}

// ScriptExists reports for each SHA-1 hash whether the server knows the
// script.
func ScriptExists(shas ...string) Command[[]bool] {
	return readSub(toBools, "SCRIPT", "EXISTS").add(shas...).failIf(len(shas) == 0, "no hashes")
}

// ScriptFlush makes the server forget all scripts. A mode of "" leaves the
// choice to the server.
func ScriptFlush(mode FlushMode) Command[OK] {
	return repeatSub(toOK, "SCRIPT", "FLUSH").flush(mode)
}

// ScriptKill ends the script that runs, if it has written nothing yet.
func ScriptKill() Command[OK] { return writeSub(toOK, "SCRIPT", "KILL") }

// ScriptLoad makes a script known to the server and returns its SHA-1 hash.
func ScriptLoad(script string) Command[string] {
	return repeatSub(toString, "SCRIPT", "LOAD", script)
}
