package engine

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/internal/flight"
	"github.com/cldcde/restash/internal/keyspace"
)

// A lease lets one instance load while the others wait for what it stores. It
// always has an expiry, and it is never what makes a value valid: an instance
// that waits too long, or cannot ask, loads too. Of several keys an instance
// first loads and stores those whose leases it has, and only then waits for the
// others: two that wait for each other's would both wait in vain.

const (
	firstPoll = 25 * time.Millisecond
	lastPoll  = 400 * time.Millisecond
	leaseID   = "l"
)

// takeLeases asks for the leases of the jobs and returns those to load at once,
// and those that another instance loads.
func (r *run) takeLeases(ctx context.Context) (mine, others []*job) {
	var asked []*job
	for _, j := range r.jobs {
		if r.c.cfg.Lease > 0 && !r.refresh && j.snap != nil {
			asked = append(asked, j)
		} else {
			mine = append(mine, j)
		}
	}
	if len(asked) == 0 {
		return mine, nil
	}
	tokens, cmds := make([]string, len(asked)), make([]cmd, len(asked))
	for i, j := range asked {
		tokens[i] = string(keyspace.NewToken(time.Now()))
		cmds[i] = setPX(r.leaseKey(j), tokens[i], r.c.cfg.Lease, "NX")
	}
	replies, err := r.call(ctx, cmds...)
	for i, j := range asked {
		switch {
		case err != nil || replies[i].err != nil:
			mine = append(mine, j)
		case replies[i].Kind != command.KindNil:
			j.lease = tokens[i]
			mine = append(mine, j)
		default:
			others = append(others, j)
		}
	}
	return mine, others
}

func (r *run) leaseKey(j *job) string { return r.c.e.space.Lease(j.entry) }

// poll reads the entries until they are there, the leases have run out, or
// their holders gave them back without an entry: then there is nothing to wait
// for. It returns the jobs that must be loaded after all.
func (r *run) poll(ctx context.Context, jobs []*job) (load []*job) {
	until := time.Now().Add(r.c.cfg.Lease)
	for pause := firstPoll; len(jobs) > 0 && time.Now().Before(until); pause = min(2*pause, lastPoll) {
		select {
		case <-time.After(min(pause, time.Until(until))):
		case <-ctx.Done():
			return append(load, jobs...)
		}
		var over []*job
		var err error
		if jobs, over, err = r.look(ctx, jobs); err != nil {
			return append(load, jobs...)
		}
		load = append(load, over...)
	}
	return append(load, jobs...)
}

// look reads the entries once: those that are there are taken.
func (r *run) look(ctx context.Context, jobs []*job) (waiting, over []*job, err error) {
	e := r.c.e
	qs := make([]query, len(jobs))
	for i, j := range jobs {
		qs[i] = j.query
		qs[i].tokens = append(slices.Clip(j.tokens), flight.Token{ID: leaseID, Key: r.leaseKey(j)})
	}
	var spent Cost
	list, err := e.snapshots(ctx, e.share(ctx), qs, &spent)
	r.jobs[0].out.cost.add(spent)
	if err != nil {
		return jobs, nil, err
	}
	for i, j := range jobs {
		s := list[i]
		at := slices.IndexFunc(s.tokens, func(t flight.Token) bool { return t.ID == leaseID })
		held := s.tokens[at].Value != ""
		s.tokens = slices.Delete(s.tokens, at, at+1)
		switch {
		case r.found(j, s):
		case held:
			waiting = append(waiting, j)
		default:
			over = append(over, j)
		}
	}
	return waiting, over, nil
}

// found takes the entry that the lease's holder has stored, if it is valid.
func (r *run) found(j *job, s *snapshot) bool {
	e := r.c.e
	d := decide(s, time.Now(), rules{strict: e.cfg.Strict, soft: e.cfg.Soft})
	if d.act != serve {
		return false
	}
	j.load.Err = ErrNotFound
	if !d.negative {
		value, err := r.c.decode(s)
		if err != nil {
			return false
		}
		j.out.value, j.load.Err = value, nil
	}
	r.publish(j, true)
	return true
}

// back is the command that gives a job's lease back if it is still its own.
func (r *run) back(j *job) (cmd, bool) {
	if j.lease == "" {
		return cmd{}, false
	}
	token := j.lease
	j.lease = ""
	return command.New(asIs, "DELEX", r.leaseKey(j), "IFEQ", token).Repeat(), true
}

// release gives the leases back that did not go with an entry.
func (r *run) release(ctx context.Context) {
	var cmds []cmd
	for _, j := range r.jobs {
		if cmd, held := r.back(j); held {
			cmds = append(cmds, cmd)
		}
	}
	if len(cmds) == 0 {
		return
	}
	if _, err := r.call(ctx, cmds...); err != nil && !errors.Is(err, errOpen) {
		r.failed(r.jobs[0], err) // it expires by itself
	}
}
