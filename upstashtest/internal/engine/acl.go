package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// Users that the two tokens of every server belong to; their rights are the
// server's affair.
const (
	fullUser = "default"
	readUser = "default_ro"
)

// aclUser is a user that ACL SETUSER made.
type aclUser struct {
	on, noPassword bool
	passwords      []string // SHA-256, in hexadecimal
	commands       []string // +@read, -get and so on, in order: the last that fits decides
	keys           []aclKeys
	channels       []string
}

// aclKeys are keys that may be used, for reading, writing or both.
type aclKeys struct {
	pattern     string
	read, write bool
}

func (k aclKeys) String() string {
	switch {
	case k.read && k.write:
		return "~" + k.pattern
	case k.read:
		return "%R~" + k.pattern
	}
	return "%W~" + k.pattern
}

// acl are the users, and the tokens that were given out for them.
type acl struct {
	users     map[string]*aclUser
	tokens    map[string]string          // REST token to user
	generated map[string]map[string]bool // by user: passwords of ACL GENTOKEN
}

func (a *acl) init() {
	a.users, a.tokens, a.generated = map[string]*aclUser{}, map[string]string{}, map[string]map[string]bool{}
}

func digestOf(password string) string {
	sum := sha256.Sum256([]byte(password))
	return hex.EncodeToString(sum[:])
}

// revoke takes back the tokens of a user.
func (a *acl) revoke(name string) {
	for token, owner := range a.tokens {
		if owner == name {
			delete(a.tokens, token)
		}
	}
}

func (u *aclUser) clone() *aclUser {
	o := *u
	o.passwords, o.commands = slices.Clone(u.passwords), slices.Clone(u.commands)
	o.keys, o.channels = slices.Clone(u.keys), slices.Clone(u.channels)
	return &o
}

// apply follows one rule; it returns why it cannot.
func (u *aclUser) apply(rule string) string {
	switch word := lower(rule); word {
	case "on", "off":
		u.on = word == "on"
	case "nopass", "resetpass":
		u.noPassword, u.passwords = word == "nopass", nil
	case "allkeys":
		u.keys = append(u.keys, aclKeys{"*", true, true})
	case "resetkeys":
		u.keys = nil
	case "allchannels":
		u.channels = append(u.channels, "*")
	case "resetchannels":
		u.channels = nil
	case "allcommands":
		u.commands = []string{"+@all"}
	case "nocommands":
		u.commands = []string{"-@all"}
	case "reset":
		*u = aclUser{}
	case "clearselectors", "sanitize-payload", "skip-sanitize-payload":
	default:
		return u.applyMarked(rule)
	}
	return ""
}

// applyMarked follows a rule that begins with a mark.
func (u *aclUser) applyMarked(rule string) string {
	if rule == "" {
		return "Syntax error"
	}
	rest := rule[1:]
	switch rule[0] {
	case '>':
		u.passwords = append(u.passwords, digestOf(rest))
	case '<':
		u.passwords = slices.DeleteFunc(u.passwords, func(p string) bool { return p == digestOf(rest) })
	case '~':
		u.keys = append(u.keys, aclKeys{rest, true, true})
	case '%':
		access, pattern, ok := strings.Cut(rest, "~")
		access = upper(access)
		if !ok || strings.Trim(access, "RW") != "" || access == "" {
			return "Syntax error"
		}
		u.keys = append(u.keys, aclKeys{pattern, strings.Contains(access, "R"), strings.Contains(access, "W")})
	case '&':
		u.channels = append(u.channels, rest)
	case '+', '-':
		if !knownRight(lower(rest)) {
			return "Unknown command or category name in ACL"
		}
		u.commands = append(u.commands, lower(rule))
	default:
		return "Syntax error"
	}
	return ""
}

// knownRight says whether there is such a category ("@read"), command or
// subcommand ("xgroup|create").
func knownRight(name string) bool {
	category, isCategory := strings.CutPrefix(name, "@")
	if isCategory && category == "all" {
		return true
	}
	for full, in := range table() {
		full = lower(strings.ReplaceAll(full, " ", "|"))
		if isCategory && slices.Contains(categoriesOf(in), category) || full == name || strings.HasPrefix(full, name+"|") {
			return true
		}
	}
	return false
}

// aclGroups are the categories that are not called as the group.
var aclGroups = map[string]string{
	"sorted-set": "sortedset", "streams": "stream", "generic": "keyspace", "pub-sub": "pubsub",
	"functions": "scripting", "transactions": "transaction", "server": "admin",
}

func categoriesOf(in *Info) []string {
	group := in.Group
	if name := aclGroups[group]; name != "" {
		group = name
	}
	categories := []string{group}
	if in.Read {
		categories = append(categories, "read")
	}
	if in.Write {
		categories = append(categories, "write")
	}
	if in.Risky {
		categories = append(categories, "dangerous")
	}
	return categories
}

// mayRun decides whether a user may run a command at all.
func (u *aclUser) mayRun(in *Info) bool {
	full := lower(strings.ReplaceAll(in.Name, " ", "|"))
	first, _, _ := strings.Cut(full, "|")
	for _, rule := range slices.Backward(u.commands) {
		name := rule[1:]
		category, isCategory := strings.CutPrefix(name, "@")
		if name == full || name == first || name == "@all" || isCategory && slices.Contains(categoriesOf(in), category) {
			return rule[0] == '+'
		}
	}
	return false
}

func (u *aclUser) mayUse(key string, in *Info) bool {
	return slices.ContainsFunc(u.keys, func(k aclKeys) bool {
		return Match(k.pattern, key) && (in.Write && k.write || !in.Write && k.read)
	})
}

func (u *aclUser) flags() []string {
	flags := []string{"off"}
	if u.on {
		flags[0] = "on"
	}
	if u.noPassword {
		flags = append(flags, "nopass")
	}
	return flags
}

func (u *aclUser) keyRules() []string {
	var rules []string
	for _, k := range u.keys {
		rules = append(rules, k.String())
	}
	return rules
}

func (u *aclUser) channelRules() []string {
	if len(u.channels) == 0 {
		return []string{"resetchannels"}
	}
	var rules []string
	for _, p := range u.channels {
		rules = append(rules, "&"+p)
	}
	return rules
}

func (u *aclUser) commandRules() []string {
	if len(u.commands) == 0 {
		return []string{"-@all"}
	}
	return u.commands
}
