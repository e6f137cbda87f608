package command

import (
	"fmt"
	"strings"
	"time"
)

// Commands returns what the server says of its commands: on Upstash an empty
// list. For what this package offers see [Table].
func Commands() Command[[]string] { return read(toCommandNames, "COMMAND") }

// toCommandNames takes the first element of each description.
func toCommandNames(r Reply) ([]string, error) {
	if r.Kind != KindArray {
		return nil, mismatch("an array", r)
	}
	names := make([]string, 0, len(r.Array))
	for _, e := range r.Array {
		if e.Kind == KindArray && len(e.Array) > 0 {
			e = e.Array[0]
		}
		name, err := toString(e)
		if err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, nil
}

// ConfigGet returns the settings whose names match pattern. Upstash knows
// notify-keyspace-events only.
func ConfigGet(pattern string) Command[map[string]string] {
	return readSub(toMap, "CONFIG", "GET", pattern)
}

// ConfigSet changes a setting.
func ConfigSet(name string, value any) Command[OK] {
	return repeatSub(toOK, "CONFIG", "SET", name).value(value)
}

// DBSize returns the number of keys.
func DBSize() Command[int64] { return read(toInt, "DBSIZE") }

// FlushMode says whether a flush waits until the memory is free.
type FlushMode string

// The modes of [FlushAll], [FlushDB], [ScriptFlush] and [FunctionFlush].
const (
	ASYNC FlushMode = "ASYNC"
	SYNC  FlushMode = "SYNC"
)

// flush appends a mode, or none if it is "".
func (c Command[T]) flush(m FlushMode) Command[T] {
	switch m {
	case "":
		return c
	case ASYNC, SYNC:
		return c.add(string(m))
	}
	return c.fail(fmt.Errorf("unknown flush mode %q", string(m)))
}

// FlushAll deletes all keys. A mode of "" leaves the choice to the server.
func FlushAll(mode FlushMode) Command[OK] { return write(toOK, "FLUSHALL").flush(mode) }

// FlushDB deletes all keys of the database, see [FlushAll].
func FlushDB(mode FlushMode) Command[OK] { return write(toOK, "FLUSHDB").flush(mode) }

// ServerInfo is INFO: the server's figures by section and name. Without
// sections the server chooses which.
func ServerInfo(sections ...string) Command[map[string]map[string]string] {
	return read(toInfo, "INFO").add(sections...)
}

func toInfo(r Reply) (map[string]map[string]string, error) {
	text, err := toString(r)
	if err != nil {
		return nil, err
	}
	out := map[string]map[string]string{}
	section := map[string]string{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "# "); ok {
			section = map[string]string{}
			out[name] = section
		} else if name, value, ok := strings.Cut(line, ":"); ok {
			section[name] = value
			if len(out) == 0 {
				out[""] = section
			}
		}
	}
	return out, nil
}

// Time returns the server's clock, to the microsecond.
func Time() Command[time.Time] { return read(toTime, "TIME") }

func toTime(r Reply) (time.Time, error) {
	if r.Kind != KindArray || len(r.Array) != 2 {
		return time.Time{}, mismatch("seconds and microseconds", r)
	}
	s, err := toInt(r.Array[0])
	if err != nil {
		return time.Time{}, err
	}
	us, err := toInt(r.Array[1])
	return time.Unix(s, us*1000), err
}
