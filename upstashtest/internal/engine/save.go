package engine

import "slices"

// Save returns the commands that make the present data in an empty database.
// Streams and what else has state that no command can set come as RESTORE.
func (e *Engine) Save() [][]string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil
	}
	e.tick()
	var cmds [][]string
	for _, key := range e.allKeys() {
		cmds = append(cmds, e.saveKey(key)...)
		if at := e.deadline(key); at > 0 {
			cmds = append(cmds, []string{"PEXPIREAT", key, itoa(at)})
		}
	}
	return cmds
}

// saveWords is the most elements in one saved command.
const saveWords = 500

func (e *Engine) saveKey(key string) [][]string {
	parts := e.parts(key)
	switch kind := e.typeOf(key); kind {
	case "string":
		return [][]string{{"SET", key, parts[0]}}
	case jsonType:
		return [][]string{{"JSON.SET", key, "$", parts[0]}}
	case "list":
		return many("RPUSH", key, parts)
	case "set":
		return many("SADD", key, parts)
	case "zset":
		for i := 0; i+1 < len(parts); i += 2 {
			parts[i], parts[i+1] = parts[i+1], parts[i]
		}
		return many("ZADD", key, parts)
	case "hash":
		return append(many("HSET", key, parts), e.saveFieldEnds(key, parts)...)
	default:
		return [][]string{{"RESTORE", key, "0", seal(append([]string{kind}, e.dumpOf(key)...))}}
	}
}

func many(name, key string, words []string) [][]string {
	var cmds [][]string
	for some := range slices.Chunk(words, saveWords) {
		cmds = append(cmds, append([]string{name, key}, some...))
	}
	return cmds
}

func (e *Engine) saveFieldEnds(key string, parts []string) [][]string {
	var cmds [][]string
	for i := 0; e.hasFieldEnds && i < len(parts); i += 2 {
		if at := e.fieldDeadline(key, parts[i]); at > 0 {
			cmds = append(cmds, []string{"HPEXPIREAT", key, itoa(at), "FIELDS", "1", parts[i]})
		}
	}
	return cmds
}
