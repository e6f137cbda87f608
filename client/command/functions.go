package command

import "fmt"

// FCall calls a function of a loaded library and reads its reply as [Eval]
// does. It is a write that is not repeated.
func FCall[T any](function string, keys []string, args ...any) Command[T] {
	return write(into[T], "FCALL", function).script(keys, args)
}

// FCallRO is [FCall] of a function that only reads.
func FCallRO[T any](function string, keys []string, args ...any) Command[T] {
	return read(into[T], "FCALL_RO", function).script(keys, args)
}

// FunctionDelete deletes a library and reports true.
func FunctionDelete(library string) Command[bool] {
	return writeSub(okOrNil, "FUNCTION", "DELETE", library)
}

// FunctionFlush deletes all libraries and reports true. A mode of "" leaves
// the choice to the server.
func FunctionFlush(mode FlushMode) Command[bool] {
	return repeatSub(okOrNil, "FUNCTION", "FLUSH").flush(mode)
}

// FunctionKill ends the function that runs, if it has written nothing yet,
// and reports true.
func FunctionKill() Command[bool] { return writeSub(okOrNil, "FUNCTION", "KILL") }

// Library describes a loaded library.
type Library struct {
	Name, Engine string
	Functions    []Function
	Code         string // only if it was asked for
}

// Function describes a function of a library.
type Function struct {
	Name, Description string
	Flags             []string
}

// FunctionList describes the libraries whose names match pattern, all if it is
// "".
func FunctionList(pattern string, withCode bool) Command[[]Library] {
	c := readSub(listOf(toLibrary), "FUNCTION", "LIST")
	if pattern != "" {
		c = c.add("LIBRARYNAME", pattern)
	}
	if withCode {
		c = c.add("WITHCODE")
	}
	return c
}

func toLibrary(r Reply) (Library, error) {
	rec := toRecord(r)
	lib := Library{
		Name:      field(rec, "library_name", toString).Value,
		Engine:    field(rec, "engine", toString).Value,
		Functions: field(rec, "functions", listOf(toFunction)).Value,
		Code:      field(rec, "library_code", toString).Value,
	}
	return lib, rec.err
}

func toFunction(r Reply) (Function, error) {
	rec := toRecord(r)
	f := Function{
		Name:        field(rec, "name", toString).Value,
		Description: field(rec, "description", toString).Value,
		Flags:       field(rec, "flags", toStrings).Value,
	}
	return f, rec.err
}

// FunctionLoad loads a library and returns its name. A library of that name
// is an error unless replace is set.
func FunctionLoad(code string, replace bool) Command[string] {
	c := writeSub(toString, "FUNCTION", "LOAD")
	if replace {
		c = c.add("REPLACE").Repeat()
	}
	return c.add(code)
}

// FunctionsInfo is what runs now and what is loaded.
type FunctionsInfo struct {
	Running *RunningFunction // nil if none
	Engines map[string]EngineInfo
}

// RunningFunction is a function or script that runs now.
type RunningFunction struct {
	Name       string
	DurationMS int64
}

// EngineInfo counts what is loaded in an engine, such as LUA.
type EngineInfo struct{ Libraries, Functions int64 }

// FunctionStats describes the function that runs and what is loaded.
func FunctionStats() Command[FunctionsInfo] { return readSub(toFunctionsInfo, "FUNCTION", "STATS") }

func toFunctionsInfo(r Reply) (FunctionsInfo, error) {
	rec := toRecord(r)
	info := FunctionsInfo{Engines: field(rec, "engines", toEngines).Value}
	if run := field(rec, "running_script", toRunning); run.OK {
		info.Running = &run.Value
	}
	return info, rec.err
}

func toRunning(r Reply) (RunningFunction, error) {
	rec := toRecord(r)
	f := RunningFunction{
		Name:       field(rec, "name", toString).Value,
		DurationMS: field(rec, "duration_ms", toInt).Value,
	}
	return f, rec.err
}

func toEngines(r Reply) (map[string]EngineInfo, error) {
	rec := toRecord(r)
	out := make(map[string]EngineInfo, len(rec.values))
	for name, v := range rec.values {
		e := toRecord(v)
		out[name] = EngineInfo{
			Libraries: field(e, "libraries_count", toInt).Value,
			Functions: field(e, "functions_count", toInt).Value,
		}
		if e.err != nil {
			return nil, fmt.Errorf("engine: %w", e.err)
		}
	}
	return out, rec.err
}
