package redisengine

import (
	"crypto/sha1"
	"encoding/hex"
	"slices"
	"strings"
	"sync"
)

// setScript is SET with a condition on the old value. ARGV: the condition,
// the value it speaks of, the new value, the other words of the command.
const setScript = `
local cond, want, value = ARGV[1], ARGV[2], ARGV[3]
local old = redis.call('GET', KEYS[1])
local holds
if not old then holds = cond == 'IFNE' else holds = (old == want) == (cond == 'IFEQ') end
local words, get = {}, false
for i = 4, #ARGV do
  if string.upper(ARGV[i]) == 'GET' then get = true else words[#words + 1] = ARGV[i] end
end
local done = false
if holds then done = redis.call('SET', KEYS[1], value, unpack(words)) end
if get then return old end
return done`

// delScript is DELEX with a condition.
const delScript = `
local old = redis.call('GET', KEYS[1])
if not old then return 0 end
if (old == ARGV[2]) ~= (ARGV[1] == 'IFEQ') then return 0 end
return redis.call('DEL', KEYS[1])`

// compareScript turns SET IFEQ, SET IFNE and DELEX into scripts. Conditions on
// digests are left to the Redis, which refuses them if it is too old.
func compareScript(args []string) []string {
	if strings.EqualFold(args[0], "DELEX") {
		switch {
		case len(args) == 2:
			return []string{"DEL", args[1]}
		case len(args) == 4 && isCondition(args[2]):
			return []string{"EVAL", delScript, "1", args[1], strings.ToUpper(args[2]), args[3]}
		}
		return args
	}
	at := slices.IndexFunc(args[3:], isCondition) + 3
	if at < 3 || at+1 >= len(args) {
		return args
	}
	out := []string{"EVAL", setScript, "1", args[1], strings.ToUpper(args[at]), args[at+1], args[2]}
	out = append(out, args[3:at]...)
	return append(out, args[at+2:]...)
}

func isCondition(word string) bool {
	return strings.EqualFold(word, "IFEQ") || strings.EqualFold(word, "IFNE")
}

// scripts remembers those that had to be changed: a flag that only Upstash
// knows is taken out, and the digest that callers use is that of the original.
type scripts struct {
	mu  sync.Mutex
	sha map[string]string // the original's digest -> the changed one's
}

const keyLocking = "allow-key-locking"

func (s *scripts) rewrite(args []string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := slices.Clone(args)
	switch strings.ToUpper(args[0]) {
	case "EVALSHA", "EVALSHA_RO":
		if changed := s.sha[strings.ToLower(args[1])]; changed != "" {
			out[1] = changed
		}
	case "SCRIPT":
		for i, a := range args[1:] {
			if changed := s.sha[strings.ToLower(a)]; changed != "" {
				out[i+1] = changed
			} else if strings.EqualFold(args[1], "LOAD") && i == 1 {
				out[i+1] = s.strip(a)
			}
		}
	default:
		out[1] = s.strip(args[1])
	}
	return out
}

func (s *scripts) strip(source string) string {
	line, rest, found := strings.Cut(source, "\n")
	if !found || !strings.HasPrefix(line, "#!") || !strings.Contains(line, keyLocking) {
		return source
	}
	line = strings.NewReplacer(","+keyLocking, "", keyLocking+",", "", "flags="+keyLocking, "").Replace(line)
	changed := strings.TrimRight(line, " ") + "\n" + rest
	if s.sha == nil {
		s.sha = map[string]string{}
	}
	s.sha[digest(source)] = digest(changed)
	return changed
}

func digest(source string) string {
	sum := sha1.Sum([]byte(source))
	return hex.EncodeToString(sum[:])
}
