package engine

import "time"

// sayEvery is how often it is said that commands are saved.
const sayEvery = time.Hour

// saving is what is left out at the moment.
func (e *Engine) saving() Saving {
	q := e.quota
	if q == nil {
		return SaveNothing
	}
	now, sent := time.Now(), e.counters.Count(CountCommands)
	q.mu.Lock()
	defer q.mu.Unlock()
	p, s := q.tightest(now, sent)
	if s > SaveNothing && now.Sub(q.said[s]) >= sayEvery {
		q.said[s] = now
		e.log.warn("quota "+s.String(), "commands are saved: the quota would not last", "period", p.name,
			"used", p.used(sent), "limit", p.limit, "left out", s.String())
	}
	return s
}

// sheds reports whether optional work of the class is left out, and counts it.
func (c *Class) sheds() bool {
	if c.e.saving() < SaveOptional {
		return false
	}
	c.count(CountShed, 1)
	return true
}

// unaffordable reports whether reads of the class are left out.
func (c *Class) unaffordable() bool {
	s := c.e.saving()
	return s >= SaveReads || s == SaveClasses && c.cfg.Expendable
}

func (e *Engine) quotaStats() QuotaStats {
	q := e.quota
	if q == nil {
		return QuotaStats{}
	}
	now, sent := time.Now(), e.counters.Count(CountCommands)
	q.mu.Lock()
	defer q.mu.Unlock()
	p, s := q.tightest(now, sent)
	return QuotaStats{Period: p.name, Limit: p.limit, Used: p.used(sent), Saving: s}
}
