package engine

import (
	"crypto/rand"
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

func aclCommands() map[string]handler {
	return map[string]handler{
		"ACL WHOAMI": cmdWhoAmI, "ACL USERS": cmdACLUsers, "ACL LIST": cmdACLList, "ACL CAT": cmdACLCat,
		"ACL GENPASS": cmdACLGenPass, "ACL GETUSER": cmdACLGetUser, "ACL LOG": cmdACLLog,
		"ACL SETUSER": cmdACLSetUser, "ACL DELUSER": cmdACLDelUser, "ACL GENTOKEN": cmdACLGenToken,
		"ACL RESTTOKEN": cmdACLRestToken, "ACL SAVE": cmdACLKept, "ACL LOAD": cmdACLKept,
	}
}

func digestOf(password string) string {
	sum := sha256.Sum256([]byte(password))
	return hex.EncodeToString(sum[:])
}

// cmdACLGenToken makes a password for a user, who need not exist yet. Upstash
// accepts no others.
func cmdACLGenToken(e *Engine, c *call) Reply {
	if len(c.args) > 4 {
		return errorReply(msgSyntax)
	}
	name, password := c.args[2], rand.Text()
	if len(c.args) == 4 {
		password = digestOf(name + "\x00" + c.args[3])
	}
	if e.acl.generated[name] == nil {
		e.acl.generated[name] = map[string]bool{}
	}
	e.acl.generated[name][password] = true
	return bulk(password)
}

// cmdACLRestToken gives a REST token to who knows a user's password.
func cmdACLRestToken(e *Engine, c *call) Reply {
	u := e.acl.users[c.args[2]]
	if u == nil || !u.noPassword && !slices.Contains(u.passwords, digestOf(c.args[3])) {
		return errorf(`ERR Wrong password or user "%s" does not exist`, c.args[2])
	}
	token := rand.Text() + rand.Text()
	e.acl.tokens[token] = c.args[2]
	return bulk(token)
}

func cmdACLDelUser(e *Engine, c *call) Reply {
	for _, name := range c.args[2:] {
		if name == fullUser || name == readUser {
			return errorf("ERR The '%s' user cannot be removed", name)
		}
	}
	n := int64(0)
	for _, name := range c.args[2:] {
		if e.acl.users[name] != nil {
			n++
		}
		delete(e.acl.users, name)
		e.acl.revoke(name)
	}
	return intReply(n)
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

// cmdACLSetUser makes or changes a user; a wrong rule changes nothing.
func cmdACLSetUser(e *Engine, c *call) Reply {
	name := c.args[2]
	if name == fullUser || name == readUser {
		return errorf("ERR The '%s' user cannot be changed", name)
	}
	u := e.acl.users[name]
	if u == nil {
		u = &aclUser{}
	}
	u = u.clone()
	before := len(u.passwords)
	for _, rule := range c.args[3:] {
		if strings.HasPrefix(rule, ">") && !e.acl.generated[name][rule[1:]] {
			return errorReply("ERR the password must be one that ACL GENTOKEN made for this user")
		}
		if why := u.apply(rule); why != "" {
			return errorf("ERR Error in ACL SETUSER modifier '%s': %s", rule, why)
		}
	}
	e.acl.users[name] = u
	if len(u.passwords) < before || !u.on {
		e.acl.revoke(name)
	}
	return okReply()
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

// UserOf returns the user for whom ACL RESTTOKEN gave out a token.
func (e *Engine) UserOf(token string) (string, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	name, ok := e.acl.tokens[token]
	u := e.acl.users[name]
	return name, ok && u != nil && u.on
}

// Permit is an error reply if the user may not run the command, and nil
// otherwise. What a script does inside is not asked.
func (e *Engine) Permit(name string, args []string) Reply {
	e.mu.Lock()
	defer e.mu.Unlock()
	in, _ := Lookup(args)
	u := e.acl.users[name]
	switch {
	case u == nil || !u.mayRun(in):
		return errorf("NOPERM this user has no permissions to run the '%s' command or its subcommand", lower(in.Name))
	case slices.ContainsFunc(in.Keys(args), func(key string) bool { return !u.mayUse(key, in) }):
		return errorReply("NOPERM this user has no permissions to access one of the keys used as arguments")
	case in.Name == "PUBLISH" && !slices.ContainsFunc(u.channels, func(p string) bool { return Match(p, args[1]) }):
		return errorReply("NOPERM this user has no permissions to access one of the channels used as arguments")
	}
	return nilReply
}

func cmdWhoAmI(*Engine, *call) Reply { return bulk(fullUser) }

func cmdACLUsers(e *Engine, _ *call) Reply {
	return bulks(append([]string{fullUser, readUser}, sortedNames(e.acl.users)...))
}

func cmdACLLog(*Engine, *call) Reply { return array() }

// cmdACLKept is SAVE and LOAD: users live as long as the server.
func cmdACLKept(*Engine, *call) Reply { return okReply() }

func cmdACLList(e *Engine, _ *call) Reply {
	lines := []string{"user default on ~* &* +@all", "user default_ro on ~* &* -@all +@read -@dangerous"}
	for _, name := range sortedNames(e.acl.users) {
		u := e.acl.users[name]
		words := append([]string{"user", name}, u.flags()...)
		for _, p := range u.passwords {
			words = append(words, "#"+p)
		}
		lines = append(lines, strings.Join(slices.Concat(words, u.keyRules(), u.channelRules(), u.commandRules()), " "))
	}
	return bulks(lines)
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

func cmdACLGetUser(e *Engine, c *call) Reply {
	name := c.args[2]
	u := e.acl.users[name]
	switch name {
	case fullUser:
		u = &aclUser{on: true, keys: []aclKeys{{"*", true, true}}, channels: []string{"*"}, commands: []string{"+@all"}}
	case readUser:
		u = &aclUser{on: true, keys: []aclKeys{{"*", true, true}}, channels: []string{"*"}, commands: []string{"-@all", "+@read", "-@dangerous"}}
	}
	if u == nil {
		return nilReply
	}
	line := func(rules []string) Reply { return bulk(strings.Join(rules, " ")) }
	return array(bulk("flags"), bulks(u.flags()), bulk("passwords"), bulks(append([]string{}, u.passwords...)),
		bulk("commands"), line(u.commandRules()), bulk("keys"), line(u.keyRules()), bulk("channels"), line(u.channelRules()),
		bulk("selectors"), array())
}
