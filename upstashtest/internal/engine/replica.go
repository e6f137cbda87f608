package engine

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Replica follows an engine and is behind it by a fixed time. It is fed by
// effects, as Redis replicates: a write arrives as what it changed, with
// points in time instead of lifetimes, so that a late replay changes nothing.
type Replica struct {
	primary *Engine
	lag     time.Duration
	e       *Engine

	mu      sync.Mutex // taken after the primary's
	log     []change
	applied uint64
}

// change is one write on its way to the replica.
type change struct {
	seq  uint64
	at   time.Time
	cmds [][]string
}

// NewReplica returns a replica of an engine that has run no command yet.
func NewReplica(primary *Engine, lag time.Duration) (*Replica, error) {
	e, err := New(primary.cfg)
	if err != nil {
		return nil, err
	}
	r := &Replica{primary: primary, lag: lag, e: e}
	primary.onWrite = r.record
	return r, nil
}

// Close drops the replica's data; the primary lives on.
func (r *Replica) Close() error { return r.e.Close() }

// FastForward moves the replica's clock; the primary's has to be moved too.
func (r *Replica) FastForward(d time.Duration) { r.e.FastForward(d) }

// record is called with the primary's lock held.
func (r *Replica) record(seq uint64, args []string, reply Reply) {
	c := change{seq: seq, at: r.primary.now(), cmds: r.primary.effects(args, reply)}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log = append(r.log, c)
}

// Do answers a reading command from what the replica has, but not before it
// has caught up to the write with number atLeast. It returns how far it is.
func (r *Replica) Do(ctx context.Context, args []string, atLeast uint64) (Result, uint64, error) {
	if err := r.wait(ctx, atLeast); err != nil {
		return Result{}, 0, err
	}
	applied := r.catchUp()
	result, err := r.e.Do(ctx, args)
	return result, applied, err
}

// wait returns when the write with that number is due. Numbers from the
// future, which the primary never gave, do not wait.
func (r *Replica) wait(ctx context.Context, seq uint64) error {
	r.mu.Lock()
	var due time.Time
	if i, ok := slices.BinarySearchFunc(r.log, seq, func(c change, seq uint64) int { return int(c.seq) - int(seq) }); ok {
		due = r.log[i].at.Add(r.lag)
	}
	r.mu.Unlock()
	left := due.Sub(r.e.clock())
	if due.IsZero() || left <= 0 {
		return nil
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// catchUp applies what is due.
func (r *Replica) catchUp() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.e.clock()
	n := 0
	for n < len(r.log) && now.Sub(r.log[n].at) >= r.lag {
		r.e.apply(r.log[n].cmds)
		r.applied = r.log[n].seq
		n++
	}
	r.log = slices.Delete(r.log, 0, n)
	return r.applied
}

func (e *Engine) clock() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.now()
}

// apply runs replicated commands: SET goes to miniredis as it is, so that a
// JSON document keeps its mark.
func (e *Engine) apply(cmds [][]string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return
	}
	e.tick()
	for _, args := range cmds {
		if args[0] == "SET" {
			e.hasJSON = e.hasJSON || isJSONText(args[2])
			e.raw(args...)
			e.settle(args[1:2])
			continue
		}
		e.run(&call{ctx: context.Background(), args: args})
	}
}

// effects turns an executed write into commands that do the same at any later
// time. The lock is held.
func (e *Engine) effects(args []string, reply Reply) [][]string {
	in, _ := Lookup(args)
	switch in.Name {
	case "RENAME", "RENAMENX", "COPY", "RESTORE":
		return [][]string{args}
	case "SPOP":
		members := texts(reply)
		if len(args) == 2 {
			members = []string{text(reply)}
		}
		return [][]string{append([]string{"SREM", args[1]}, members...)}
	case "XADD":
		return [][]string{withID(args, text(reply))}
	}
	switch in.Group {
	case "string", "bitmap", "json", "generic":
		var cmds [][]string
		for _, key := range in.Keys(args) {
			cmds = append(cmds, e.state(key)...)
		}
		return cmds
	case "hash":
		return e.fieldEffects(in, args)
	}
	return [][]string{args}
}

// state is how to bring a key to its present value, if that is a string, and
// to its present lifetime.
func (e *Engine) state(key string) [][]string {
	at := e.deadline(key)
	switch {
	case !e.exists(key):
		return [][]string{{"DEL", key}}
	case e.natives[key] == nil && e.db.Type(key) == "string":
		set := []string{"SET", key, text(e.raw("GET", key))}
		if at > 0 {
			set = append(set, "PXAT", itoa(at))
		}
		return [][]string{set}
	}
	if at > 0 {
		return [][]string{{"PEXPIREAT", key, itoa(at)}}
	}
	return [][]string{{"PERSIST", key}}
}

// withID replaces the ID argument of XADD by the one that was given out.
func withID(args []string, id string) []string {
	out := slices.Clone(args)
	for i := 2; i < len(out); i++ {
		switch upper(out[i]) {
		case "NOMKSTREAM", "~", "=":
			continue
		case "MAXLEN", "MINID", "LIMIT":
			if i+1 < len(out) && (out[i+1] == "~" || out[i+1] == "=") {
				i++
			}
			i++
			continue
		}
		if id != "" {
			out[i] = id
		}
		break
	}
	return out
}
