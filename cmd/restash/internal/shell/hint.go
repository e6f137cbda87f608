package shell

import (
	"regexp"
	"slices"
	"strings"

	"github.com/cldcde/restash/client/command"
)

// Hints returns one line for each form of the command that a line begins with,
// such as "SET key value [options ...]". They are the parameters of the
// Go functions in package command, under the same names.
func Hints(line string) []string {
	words := strings.Fields(strings.ToUpper(line))
	if len(words) == 0 {
		return nil
	}
	short, long := formsOf(words[0]), []string(nil)
	if len(words) > 1 {
		long = formsOf(words[0] + " " + words[1])
	}
	if len(long) > 0 {
		return long
	}
	return short
}

func formsOf(name string) []string {
	var forms []string
	for _, info := range command.Table() {
		if info.Name == name {
			forms = append(forms, strings.TrimRight(name+" "+arguments(name, info.Signature), " "))
		}
	}
	return slices.Compact(forms)
}

var parameters = regexp.MustCompile(`^func \w+(?:\[[^(]*\])?\((.*)\) (?:Command\[|Stream)`)

// arguments turns "key string, opts ...SetOption" into "key [options ...]".
func arguments(command, signature string) string {
	match := parameters.FindStringSubmatch(signature)
	if match == nil {
		return ""
	}
	var words []string
	for part := range strings.SplitSeq(match[1], ", ") {
		name, kind, _ := strings.Cut(part, " ")
		switch item, variadic := strings.CutPrefix(kind, "..."); {
		case variadic && strings.HasSuffix(item, "Option"):
			words = append(words, "[options ...]")
		case variadic, strings.HasPrefix(kind, "[]"), strings.HasPrefix(kind, "map["):
			words = append(words, name+" ...")
		case kind == "time.Duration":
			words = append(words, unit(command)+"seconds")
		case kind == "time.Time":
			words = append(words, "unix-"+unit(command)+"seconds")
		default:
			words = append(words, name)
		}
	}
	return strings.Join(words, " ")
}

// unit tells the two families of times apart: EXPIRE takes seconds, PEXPIRE
// milliseconds.
func unit(command string) string {
	if strings.HasPrefix(strings.TrimPrefix(command, "H"), "P") {
		return "milli"
	}
	return ""
}
