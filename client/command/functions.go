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

// FunctionDelete deletes a library.
func FunctionDelete(library string) Command[OK] {
	return writeSub(toOK, "FUNCTION", "DELETE", library)
}

// FunctionFlush deletes all libraries. A mode of "" leaves the choice to the
// server.
func FunctionFlush(mode FlushMode) Command[OK] {
	return repeatSub(toOK, "FUNCTION", "FLUSH").flush(mode)
}

// FunctionKill ends the function that runs, if it has written nothing yet.
func FunctionKill() Command[OK] { return writeSub(toOK, "FUNCTION", "KILL") }

// Library describes a loaded library.
type Library struct {
	Name, Engine string
	Functions    []Function
	Code         string // only from [FunctionListWithCode]
}

// Function describes a function of a library.
type Function struct {
	Name, Description string
	Flags             []string
}

// FunctionList describes the libraries whose names match pattern, all if it is
// "".
func FunctionList(pattern string) Command[[]Library] {
	return readSub(listOf(toLibrary), "FUNCTION", "LIST").libraries(pattern)
}

// FunctionListWithCode is [FunctionList] with the code of the libraries.
func FunctionListWithCode(pattern string) Command[[]Library] {
	return readSub(listOf(toLibrary), "FUNCTION", "LIST").libraries(pattern).add("WITHCODE")
}

func (c Command[T]) libraries(pattern string) Command[T] {
	if pattern == "" {
		return c
	}
	return c.add("LIBRARYNAME", pattern)
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

// FunctionLoad loads a library and returns its name. A library that has this
// name already is an error.
func FunctionLoad(code string) Command[string] {
	return writeSub(toString, "FUNCTION", "LOAD").add(code)
}

// FunctionLoadReplace is [FunctionLoad], replacing a library of that name.
func FunctionLoadReplace(code string) Command[string] {
	return repeatSub(toString, "FUNCTION", "LOAD").add("REPLACE", code)
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
