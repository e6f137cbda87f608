package engine

import (
	"strconv"
	"sync"
	"time"

	"github.com/cldcde/restash/client/command"
)

// Quota is how many commands the database's plan allows in a day and in a month,
// by UTC; 0 for any number.
type Quota struct{ Daily, Monthly int64 }

// Saving says what is left out so that a quota lasts to its period's end.
type Saving int

// Each leaves out what those before it do.
const (
	SaveNothing  Saving = iota
	SaveOptional        // audits, refreshes that can wait, warm-ups; fleet counters come less often
	SaveClasses         // reads of expendable classes
	SaveReads           // all reads: what is left is for invalidations
)

// A part of the quota is there from the start, so that a busy morning is no
// reason to save; the rest comes in evenly. What saving keeps back at the end is
// for the classes that matter, and the last hundredth for invalidations.
const (
	optionalAtOnce, optionalInAll = 0.03, 0.93
	classesAtOnce, classesInAll   = 0.05, 0.97
	readsInAll                    = 0.99
)

// period is what a quota counts at present.
type period struct {
	name       string
	limit      int64
	start, end time.Time
	// known were used when this instance had sent at commands: its own, or all
	// instances' if they share their counters.
	known, at int64
}

// roll begins a new period if the last one is over.
func (p *period) roll(now time.Time, sent int64) {
	now = now.UTC()
	if !now.Before(p.start) && now.Before(p.end) {
		return
	}
	y, m, d := now.Date()
	if p.name == "month" {
		p.start = time.Date(y, m, 1, 0, 0, 0, 0, time.UTC)
		p.end = p.start.AddDate(0, 1, 0)
	} else {
		p.start = time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
		p.end = p.start.AddDate(0, 0, 1)
	}
	p.known, p.at = 0, sent
}

func (p *period) used(sent int64) int64 { return p.known + sent - p.at }

func (p *period) saving(now time.Time, sent int64) Saving {
	gone := float64(now.Sub(p.start)) / float64(p.end.Sub(p.start))
	used := float64(p.used(sent)) / float64(p.limit)
	due := func(atOnce, inAll float64) bool { return used >= atOnce+(inAll-atOnce)*gone }
	switch {
	case used >= readsInAll:
		return SaveReads
	case due(classesAtOnce, classesInAll):
		return SaveClasses
	case due(optionalAtOnce, optionalInAll):
		return SaveOptional
	}
	return SaveNothing
}

// firstDay of the fleet's counts of quotas; later ones stand behind it, the count
// of a month beside that of its first day.
var firstDay = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// slot is where the fleet counts the period, among its 64-bit counters. Nothing
// has to be cleared there for 89 years.
func (p *period) slot() string {
	day := int(p.start.Sub(firstDay)/(24*time.Hour)) & (1<<15 - 1)
	slot := 32 + 2*day
	if p.name == "month" {
		slot++
	}
	return "#" + strconv.Itoa(slot)
}

// quota is what an engine knows of its quotas. Without any it is nil.
type quota struct {
	mu      sync.Mutex
	periods []*period
	said    [SaveReads + 1]time.Time
}

func newQuota(q Quota) *quota {
	var list []*period
	if q.Daily > 0 {
		list = append(list, &period{name: "day", limit: q.Daily})
	}
	if q.Monthly > 0 {
		list = append(list, &period{name: "month", limit: q.Monthly})
	}
	if list == nil {
		return nil
	}
	return &quota{periods: list}
}

// tightest is the period that asks for the most saving.
func (q *quota) tightest(now time.Time, sent int64) (p *period, s Saving) {
	for _, one := range q.periods {
		one.roll(now, sent)
		if saving := one.saving(now, sent); p == nil || saving > s {
			p, s = one, saving
		}
	}
	return p, s
}

// String says what is left out.
func (s Saving) String() string {
	return [...]string{"nothing", "optional", "classes", "reads"}[s]
}

// counts are the parts of a BITFIELD that add what this instance has used to the
// fleet's, and told is to be called with what it answered, nil if that is
// unknown, once the command was sent.
func (q *quota) counts(now time.Time, sent int64) (args []string, told func(sums []command.Reply)) {
	if q == nil {
		return nil, func([]command.Reply) {}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	starts := make([]time.Time, len(q.periods))
	for i, p := range q.periods {
		p.roll(now, sent)
		starts[i] = p.start
		args = append(args, "INCRBY", "i64", p.slot(), strconv.FormatInt(sent-p.at, 10))
	}
	return args, func(sums []command.Reply) {
		q.mu.Lock()
		defer q.mu.Unlock()
		for i, p := range q.periods {
			if !p.start.Equal(starts[i]) {
				continue
			}
			p.known, p.at = p.used(sent), sent
			if i < len(sums) {
				p.known = sums[i].Int
			}
		}
	}
}

// QuotaStats are the quota that is closest to its end.
type QuotaStats struct {
	Period      string // "day" or "month", "" without a quota
	Limit, Used int64
	Saving      Saving
}
