package command

import (
	"iter"
	"strconv"
	"strings"
)

// KeyPositions yields the indexes in args, the words of a command with the
// name first, at which keys stand. Of a command that this package does not
// know the first argument is taken for a key.
func KeyPositions(name string, args []string) iter.Seq[int] {
	return func(yield func(int) bool) {
		first, last, step := keyRange(name, args)
		for i := first; i > 0 && i <= last && i < len(args); i += step {
			if !yield(i) {
				return
			}
		}
	}
}

// keyRange returns the first and the last position of keys and the distance
// between them; first is 0 if there are none.
func keyRange(name string, args []string) (first, last, step int) {
	end := len(args) - 1
	switch name {
	case "DEL", "EXISTS", "MGET", "PFCOUNT", "PFMERGE", "SDIFF", "SDIFFSTORE", "SINTER", "SINTERSTORE",
		"SUNION", "SUNIONSTORE", "TOUCH", "UNLINK":
		return 1, end, 1
	case "MSET", "MSETNX":
		return 1, end, 2
	case "JSON.MSET":
		return 1, end, 3
	case "JSON.MGET":
		return 1, end - 1, 1
	case "COPY", "GEOSEARCHSTORE", "LMOVE", "RENAME", "RENAMENX", "RPOPLPUSH", "SMOVE", "ZRANGESTORE":
		return 1, 2, 1
	case "BITOP":
		return 2, end, 1
	case "MSETEX":
		first, last, _ = numbered(args, 1)
		return first, first + 2*(last-first), 2
	case "SINTERCARD", "SDIFFCARD", "SUNIONCARD", "ZINTERCARD", "ZDIFF", "ZINTER", "ZUNION", "LMPOP", "ZMPOP":
		return numbered(args, 1)
	case "EVAL", "EVALSHA", "EVAL_RO", "EVALSHA_RO", "FCALL", "FCALL_RO":
		return numbered(args, 2)
	case "ZDIFFSTORE", "ZINTERSTORE", "ZUNIONSTORE":
		return 1, 1, 1
	case "XREAD", "XREADGROUP":
		return streamKeys(args)
	case "ECHO", "PING", "SCAN", "KEYS", "TIME", "INFO", "PUBLISH", "RANDOMKEY", "DBSIZE", "FLUSHALL",
		"FLUSHDB", "COMMAND", "CONFIG GET", "CONFIG SET":
		return 0, 0, 1
	}
	switch word, _, _ := strings.Cut(name, " "); word {
	case "SCRIPT", "FUNCTION", "PUBSUB", "JSON.DEBUG":
		return 0, 0, 1
	case "XGROUP", "XINFO", "MEMORY", "OBJECT":
		return 2, 2, 1
	}
	return 1, 1, 1
}

// numbered reads a count of keys at position at; the keys follow it.
func numbered(args []string, at int) (first, last, step int) {
	if at >= len(args) {
		return 0, 0, 1
	}
	n, err := strconv.Atoi(args[at])
	if err != nil {
		return 0, 0, 1
	}
	return at + 1, at + n, 1
}

// streamKeys finds the keys after STREAMS: the first half of what follows.
func streamKeys(args []string) (first, last, step int) {
	for i, a := range args {
		if strings.EqualFold(a, "STREAMS") {
			return i + 1, i + (len(args)-1-i)/2, 1
		}
	}
	return 0, 0, 1
}
