package shell

import (
	"slices"
	"strings"

	"github.com/cldcde/restash/client/command"
)

// Local are the commands of the prompt itself.
var Local = []string{"CLEAR", "EXIT", "HELP", "QUIT"}

// Complete extends what stands before the cursor by what every command that
// begins so has in common. Where that adds nothing, it returns the candidates,
// or after a whole command the hint on its arguments, for the prompt to show.
func Complete(typed string) (extended string, show []string) {
	names := candidates(typed)
	switch common := commonPrefix(names); {
	case len(names) == 1 && len(typed) <= len(common):
		return letterCase(typed, common) + " ", nil
	case len(names) > 0 && len(common) > len(typed):
		return letterCase(typed, common), nil
	case len(names) > 1:
		return typed, names
	}
	return typed, Hints(typed)
}

// candidates are the names that begin with what was typed. A space counts: it
// asks for the second word of commands such as XINFO STREAM.
func candidates(typed string) []string {
	want := strings.ToUpper(strings.TrimLeft(typed, " "))
	var names []string
	for _, name := range allNames() {
		if strings.HasPrefix(name, want) && !strings.HasSuffix(want, " "+name) {
			names = append(names, name)
		}
	}
	return names
}

func allNames() []string {
	names := slices.Clone(Local)
	for _, info := range command.Table() {
		if !info.Stream {
			names = append(names, info.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func commonPrefix(names []string) string {
	if len(names) == 0 {
		return ""
	}
	first, last := names[0], names[len(names)-1] // they are sorted
	n := 0
	for n < len(first) && n < len(last) && first[n] == last[n] {
		n++
	}
	return first[:n]
}

// letterCase writes name as the person writes: small letters stay small.
func letterCase(typed, name string) string {
	if typed == strings.ToLower(typed) && typed != "" {
		return strings.ToLower(name)
	}
	return name
}
