package engine

import (
	"crypto/rand"
	"encoding/hex"
	"slices"
	"strings"
)

func aclCommands() map[string]handler {
	return map[string]handler{
		"ACL WHOAMI": cmdWhoAmI, "ACL USERS": cmdACLUsers, "ACL LIST": cmdACLList, "ACL CAT": cmdACLCat,
		"ACL GENPASS": cmdACLGenPass, "ACL GETUSER": cmdACLGetUser, "ACL LOG": cmdACLLog,
		"ACL SETUSER": cmdACLSetUser, "ACL DELUSER": cmdACLDelUser, "ACL GENTOKEN": cmdACLGenToken,
		"ACL RESTTOKEN": cmdACLRestToken, "ACL SAVE": cmdACLKept, "ACL LOAD": cmdACLKept,
	}
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

// cmdACLCat lists the families, or the commands of one.
func cmdACLCat(_ *Engine, c *call) Reply {
	found := map[string]bool{}
	for name, in := range table() {
		for _, category := range categoriesOf(in) {
			switch {
			case len(c.args) == 2:
				found[category] = true
			case category == lower(c.args[2]):
				found[lower(strings.ReplaceAll(name, " ", "|"))] = true
			}
		}
	}
	if len(found) == 0 {
		return errorf("ERR Unknown category '%s'", c.args[2])
	}
	return bulks(sortedNames(found))
}

func cmdACLGenPass(_ *Engine, c *call) Reply {
	bits := 256
	if len(c.args) > 2 {
		var err error
		if bits, err = strictAtoi(c.args[2]); err != nil || bits < 1 || bits > 4096 {
			return errorReply("ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096")
		}
	}
	b := make([]byte, (bits+7)/8)
	_, _ = rand.Read(b) // it never fails
	return bulk(hex.EncodeToString(b)[:(bits+3)/4])
}
