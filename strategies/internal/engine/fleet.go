package engine

import (
	"strconv"
	"time"

	"github.com/cldcde/restash/client/command"
)

func (e *Engine) fleetCounters() [fleetFields]int64 {
	c := &e.counters
	return [fleetFields]int64{
		c.Count(CountHits), c.Count(CountMisses), c.Count(CountStale), c.Count(CountNegative), c.Count(CountBypass),
		c.Count(CountErrors), c.Count(CountCommands), c.Count(CountTrips), c.reads.sum.Load() / int64(time.Microsecond), c.reads.n.Load(),
	}
}

// fleetFlush is the command that adds what is new, if it is due; done must be
// called behind it.
func (e *Engine) fleetFlush(now time.Time) (add cmd, done func(sent bool, r []reply), due bool) {
	f := &e.fleet
	if !e.cfg.FleetMetrics {
		return cmd{}, nil, false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.due.IsZero() && e.quota == nil { // else what others have used is asked at once
		f.due = now.Add(fleetEvery)
	}
	if f.sending || now.Before(f.due) {
		return cmd{}, nil, false
	}
	current := e.fleetCounters()
	if e.saving() >= SaveOptional && current[fleetCommands]-f.flushed[fleetCommands] < fleetWorth {
		return cmd{}, nil, false
	}
	args := []string{e.space.Fleet()}
	for i, n := range current {
		if diff := n - f.flushed[i]; diff != 0 {
			args = append(args, "INCRBY", "i64", "#"+strconv.Itoa(i), strconv.FormatInt(diff, 10))
		}
	}
	counted := (len(args) - 1) / 4
	used, told := e.quota.counts(now, current[fleetCommands])
	if args = append(args, used...); len(args) == 1 {
		return cmd{}, nil, false
	}
	f.sending = true
	return command.New(asIs, "BITFIELD", args...).Once(), func(sent bool, r []reply) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.sending = false
		f.due = now.Add(fleetEvery)
		if !sent {
			return
		}
		var sums []command.Reply
		if len(r) > 0 && len(r[0].Array) > counted {
			sums = r[0].Array[counted:]
		}
		told(sums)
		// A flush whose end is unknown counts as done: a count too low is
		// better than the same events twice.
		f.flushed = current
	}, true
}

// fleetWorth is how many commands an instance must have sent since it last told
// them, where commands are saved.
const fleetWorth = 10
