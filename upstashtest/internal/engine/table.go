package engine

import (
	_ "embed"
	"strconv"
	"strings"
	"sync"
)

//go:embed commands.txt
var commandsText string

// Info says what is known of one command.
type Info struct {
	Name  string // upper case; a container's subcommand follows a blank: "XGROUP CREATE"
	Group string
	Arity int  // as COMMAND has it: exact, or -n for "at least n"; the name counts
	Read  bool // reads only
	Write bool // changes data
	REST  bool // served over REST
	Risky bool // in Redis' category "dangerous": not for read-only tokens

	first, last, step int // key positions, as COMMAND has them
}

// containers are the commands whose second word belongs to the name.
var containers = map[string]bool{
	"ACL": true, "CLIENT": true, "CONFIG": true, "FUNCTION": true, "JSON.DEBUG": true,
	"MEMORY": true, "PUBSUB": true, "SCRIPT": true, "XGROUP": true, "XINFO": true,
}

// table maps a command's full name to its row.
var table = sync.OnceValue(func() map[string]*Info {
	rows := make(map[string]*Info, 320)
	group := ""
	for line := range strings.Lines(commandsText) {
		if name, ok := strings.CutPrefix(line, "# "); ok {
			group = strings.TrimSpace(name)
			continue
		}
		f := strings.Fields(line)
		in := &Info{
			Name: strings.ReplaceAll(f[0], "|", " "), Group: group, Arity: number(f[1]),
			Read: strings.Contains(f[2], "r"), Write: strings.Contains(f[2], "w"),
			REST: !strings.Contains(f[2], "n"), Risky: strings.Contains(f[2], "d"),
			first: number(f[3]), last: number(f[4]), step: number(f[5]),
		}
		rows[in.Name] = in
	}
	return rows
})

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic("engine: commands.txt: " + err.Error())
	}
	return n
}

// Names returns the full names of all commands of the table, in no order.
func Names() []string {
	var names []string
	for name := range table() {
		names = append(names, name)
	}
	return names
}

// Lookup finds the row of a command. The second result is the name to print
// when there is none.
func Lookup(args []string) (*Info, string) {
	if len(args) == 0 {
		return nil, ""
	}
	name := upper(args[0])
	if containers[name] && len(args) > 1 {
		name += " " + upper(args[1])
	}
	return table()[name], name
}

// upper is strings.ToUpper for ASCII, without an allocation when there is
// nothing to change.
func upper(s string) string {
	for i := range len(s) {
		if c := s[i]; 'a' <= c && c <= 'z' || c >= 0x80 {
			return strings.ToUpper(s)
		}
	}
	return s
}

// arityOK reports whether n words fit the command.
func (in *Info) arityOK(n int) bool {
	if in.Arity >= 0 {
		return n == in.Arity
	}
	return n >= -in.Arity
}

// Keys returns the keys that args touch, as far as their positions are known
// before the command runs.
func (in *Info) Keys(args []string) []string {
	if in.first == 0 {
		return in.movableKeys(args)
	}
	last := in.last
	if last < 0 {
		last += len(args)
	}
	last = min(last, len(args)-1)
	var keys []string
	for i := in.first; i <= last; i += in.step {
		keys = append(keys, args[i])
	}
	switch in.Name {
	case "ZUNIONSTORE", "ZINTERSTORE", "ZDIFFSTORE":
		keys = append(keys, counted(args, 2)...)
	}
	return keys
}

func (in *Info) movableKeys(args []string) []string {
	switch in.Name {
	case "EVAL", "EVAL_RO", "EVALSHA", "EVALSHA_RO", "FCALL", "FCALL_RO":
		return counted(args, 2)
	case "ZUNION", "ZINTER", "ZDIFF", "ZINTERCARD", "SINTERCARD", "SDIFFCARD", "SUNIONCARD", "LMPOP", "ZMPOP":
		return counted(args, 1)
	case "MSETEX":
		return pairedKeys(args)
	case "XREAD", "XREADGROUP":
		for i, a := range args {
			if upper(a) == "STREAMS" {
				rest := args[i+1:]
				return rest[:len(rest)/2]
			}
		}
	}
	return nil
}

// counted returns the keys that follow their number at position at.
func counted(args []string, at int) []string {
	if at >= len(args) {
		return nil
	}
	n, err := strconv.Atoi(args[at])
	if err != nil || n < 0 || n > len(args)-at-1 {
		return nil
	}
	return args[at+1 : at+1+n]
}

// pairedKeys returns the keys of "n key value ...".
func pairedKeys(args []string) []string {
	n, err := strconv.Atoi(args[1])
	if err != nil || n < 1 || n > (len(args)-2)/2 {
		return nil
	}
	keys := make([]string, n)
	for i := range keys {
		keys[i] = args[2+2*i]
	}
	return keys
}

func lower(s string) string { return strings.ToLower(s) }
