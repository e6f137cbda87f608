package engine_test

import (
	"slices"
	"strings"
)

// deliberate are the differences that are meant: FIDELITY.md has them too.
func deliberate(args []string, want, got string) bool {
	name := strings.ToUpper(args[0])
	switch { // what is added here has its line in FIDELITY.md
	case strings.Contains(want, "unknown command") && strings.Contains(got, "not available"),
		strings.Contains(want, "wrong number of arguments") && strings.Contains(got, "wrong number of arguments"):
		return true // Upstash's words; Redis names the subcommand otherwise
	case name == "EVAL_RO" && strings.Contains(want, "read-only") && strings.Contains(got, "read-only"):
		return true // Upstash's words
	case name == "EVAL" && (strings.Contains(want, "user_script:1:") || strings.Contains(want, "number or type")) && strings.Contains(got, "user_script:1:"):
		return true // gopher-lua's words
	case name == "EVAL" && strings.Contains(args[1], "error_reply"):
		return want == "(error) ERR " // an empty one
	case name == "UNLINK" && len(args) == 1:
		return true // Upstash deletes nothing, without an error
	case name == "COPY" && len(args) > 2 && args[1] == args[2]:
		return true // the same
	case strings.HasPrefix(want, `"HYLL`) && strings.HasPrefix(got, `"HYLL`):
		return true // the bytes of a HyperLogLog
	case strings.HasPrefix(name, "EXPIRE") || name == "PEXPIRE":
		// Two lifetimes of the same length are compared to the millisecond.
		return len(args) > 3 && !strings.Contains(want+got, "error")
	case strings.HasPrefix(name, "GEO") && slices.Contains(args, "COUNT"):
		return strings.Count(want, `"`) == strings.Count(got, `"`) // which of the equally far is anybody's
	case name == "LPOS":
		return strings.Contains(got, "value must between") // as Redis from 7.2; 7.0 counts past the end of its integers
	case name == "XINFO":
		return strings.Contains(want, "NOGROUP")
	}
	return false
}

// readsUnacknowledged reports whether a command may read as a new consumer that
// Redis lists and Upstash does not.
func readsUnacknowledged(args []string) bool {
	return strings.EqualFold(args[0], "XREADGROUP") && slices.ContainsFunc(args, func(a string) bool { return strings.EqualFold(a, "NOACK") })
}
