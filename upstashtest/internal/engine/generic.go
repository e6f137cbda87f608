package engine

import (
	"math"
	"strconv"
	"strings"
)

func genericCommands() map[string]handler {
	return map[string]handler{
		"TTL": cmdTTL, "EXPIRETIME": cmdExpireTime, "TYPE": cmdType, "UNLINK": cmdUnlink, "COPY": cmdCopy, "KEYS": cmdKeys,
		"EXPIRE": cmdExpire, "PEXPIRE": cmdExpire, "EXPIREAT": cmdExpire, "PEXPIREAT": cmdExpire,
	}
}

// cmdTTL rounds to the nearest second, as Redis does; miniredis cuts off.
func cmdTTL(e *Engine, c *call) Reply {
	return rounded(e.raw("PTTL", c.args[1]))
}

func cmdExpireTime(e *Engine, c *call) Reply {
	return rounded(e.raw("PEXPIRETIME", c.args[1]))
}

func rounded(r Reply) Reply {
	if r.Int > 0 {
		r.Int = (r.Int + 500) / 1000
	}
	return r
}

func cmdType(e *Engine, c *call) Reply { return status(e.typeOf(c.args[1])) }

// cmdUnlink accepts no keys at all, as Upstash does.
func cmdUnlink(e *Engine, c *call) Reply {
	if len(c.args) == 1 {
		return intReply(0)
	}
	return e.raw(append([]string{"DEL"}, c.args[1:]...)...)
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

func lower(s string) string { return strings.ToLower(s) }

// cmdCopy onto itself copies nothing; Redis calls that an error.
func cmdCopy(e *Engine, c *call) Reply {
	if c.args[1] == c.args[2] {
		return intReply(0)
	}
	return e.raw(c.args...)
}

// cmdExpire refuses what no 64 bits can hold in milliseconds, and shortens
// what miniredis cannot hold.
func cmdExpire(e *Engine, c *call) Reply {
	n, err := strconv.ParseInt(c.args[2], 10, 64)
	if err != nil {
		return e.raw(c.args...)
	}
	limit, unit := int64(math.MaxInt64), "PX"
	if c.info.Name == "EXPIRE" || c.info.Name == "EXPIREAT" {
		limit, unit = limit/1000, "EX"
	}
	if strings.HasPrefix(c.info.Name, "EXPIRE") && !strings.HasSuffix(c.info.Name, "AT") || c.info.Name == "PEXPIRE" {
		limit -= e.last.UnixMilli() // a lifetime is added to the present
	}
	if n > limit || n < -limit {
		return errorf("ERR invalid expire time in '%s' command", lower(c.info.Name))
	}
	args := append([]string{}, c.args...)
	if !strings.HasSuffix(c.info.Name, "AT") {
		args[2] = clampLife(unit, args[2])
		if n < 0 {
			args[2] = "-1"
		}
	}
	return e.raw(args...)
}

// cmdKeys matches bytes; miniredis fails on patterns that are not UTF-8.
func cmdKeys(e *Engine, c *call) Reply {
	names := []string{}
	for _, key := range e.allKeys() {
		if Match(c.args[1], key) {
			names = append(names, key)
		}
	}
	return bulks(names)
}
