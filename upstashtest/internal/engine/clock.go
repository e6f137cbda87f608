package engine

import (
	"math"
	"time"
)

// miniredis keeps of a lifetime what is left of it, and walks over all keys to
// let time pass. Here its clock stands still at the Unix epoch, so that what is
// "left" is the point in time itself, and a heap knows which key or field of a
// hash ends next. A command costs the same however many keys there are.

// now is the database's time: the clock (a synctest bubble's, inside one)
// plus what FastForward added.
func (e *Engine) now() time.Time { return time.Now().Add(e.skew).UTC() }

// tick moves time to the present: what has ended by then goes. Time stands
// still while a command, a script or a transaction runs.
func (e *Engine) tick() {
	e.last = e.now()
	now := e.last.UnixMilli()
	for {
		n, ok := e.endings.due(now)
		if !ok {
			return
		}
		switch {
		case n.field != "":
			if e.fieldDeadline(n.key, n.field) == n.at {
				e.raw("HDEL", n.key, n.field)
			}
		case e.deadline(n.key) == n.at:
			e.remove(n.key)
			if e.wants('x') {
				e.event("expired", n.key)
			}
		}
	}
}

// deadline is when a key ends, in Unix milliseconds; 0 is never.
func (e *Engine) deadline(key string) int64 { return e.db.TTL(key).Milliseconds() }

// setDeadline gives a key that is there an end; one that has come is settled
// after the command.
func (e *Engine) setDeadline(key string, at int64) {
	e.db.SetTTL(key, time.Duration(max(1, min(at, maxLife)))*time.Millisecond)
}

func (e *Engine) fieldDeadline(key, field string) int64 { return e.db.HTTL(key, field).Milliseconds() }

// maxLife is the latest point in time that miniredis can hold, in Unix
// milliseconds: the year 2262.
const maxLife = math.MaxInt64 / int64(time.Millisecond)

// settle looks after the keys that a command may have changed: when they end,
// and whether values of our own are still there.
func (e *Engine) settle(keys []string) {
	now := e.last.UnixMilli()
	for _, key := range keys {
		if e.natives[key] != nil && text(e.raw("GET", key)) != nativeMark {
			delete(e.natives, key)
		}
		switch at := e.deadline(key); {
		case at == 0:
		case at <= now:
			e.remove(key)
		default:
			e.endings.add(ending{at: at, key: key})
		}
	}
}

// settleFields does the same for the fields of a hash that got a new name.
func (e *Engine) settleFields(key string) {
	if !e.hasFieldEnds || e.typeOf(key) != "hash" {
		return
	}
	for _, field := range texts(e.raw("HKEYS", key)) {
		if at := e.fieldDeadline(key, field); at > 0 {
			e.endings.add(ending{at, key, field})
		}
	}
}

// FastForward moves the database's clock ahead by d.
func (e *Engine) FastForward(d time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.skew += d
	if !e.closed {
		e.tick()
	}
}

// lifetimeForms are the ways in which a lifetime is written: its unit, and
// whether it is a point in time.
var lifetimeForms = map[string]struct {
	unit int64 // milliseconds
	at   bool
}{
	"EX": {1000, false}, "PX": {1, false}, "EXAT": {1000, true}, "PXAT": {1, true},
}

// pointInTime turns a lifetime into when it ends, in Unix milliseconds. What
// no 64 bits can hold is refused, as Redis does. allowPast lets what is not
// positive through: EXPIRE takes it, SET does not.
func (e *Engine) pointInTime(command, form, number string, allowPast bool) (int64, Reply) {
	n, bad := wholeNumber(number)
	if isError(bad) {
		return 0, bad
	}
	f := lifetimeForms[form]
	base := int64(0)
	if !f.at {
		base = e.last.UnixMilli()
	}
	if n <= 0 && !allowPast || n > math.MaxInt64/f.unit || n < math.MinInt64/f.unit || n*f.unit > math.MaxInt64-base {
		return 0, errorf("ERR invalid expire time in '%s' command", command)
	}
	return min(n*f.unit+base, maxLife), nilReply
}
