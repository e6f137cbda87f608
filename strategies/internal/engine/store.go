package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cldcde/restash/client/command"
)

// store hands out what was loaded and puts it into Redis if it may, in as few
// requests as it takes; behind the answer, where work may go on there. What its
// caller may change once it has it is encoded before that.
func (r *run) store(ctx context.Context, jobs []*job, took time.Duration) {
	parcels, late := r.sort(jobs, took)
	left := func() {
		r.readLate(ctx, late)
		for _, j := range late {
			r.publish(j, true)
			if p, ok := r.pack(j, took); ok {
				parcels = append(parcels, p)
			}
		}
		r.send(ctx, parcels)
	}
	if !r.handOut(jobs, late, parcels, left) {
		left()
	}
}

// sort packs what can be sent, and encodes what must wait for its late tags.
func (r *run) sort(jobs []*job, took time.Duration) (parcels []parcel, late []*job) {
	for _, j := range jobs {
		if r.c.cfg.Copy && j.load.Err == nil {
			j.encode(r.c)
			j.out.body = j.ownBody()
		}
		switch storable := !j.failed() && r.storable(j); {
		case storable && len(r.lateTags(j)) > 0:
			j.encode(r.c)
			late = append(late, j)
			continue
		case !storable && !j.failed():
			r.unread(j)
		}
		if p, ok := r.pack(j, took); ok {
			parcels = append(parcels, p)
		}
	}
	return parcels, late
}

// storable reports whether the job's result is meant to be stored at all.
func (r *run) storable(j *job) bool {
	if j.negative() {
		j.load.TTL, j.load.StaleWhileRevalidate, j.load.StaleIfError = r.c.cfg.Negative, 0, 0
	}
	return j.snap != nil && !j.load.NoStore && j.load.TTL >= time.Millisecond
}

// pack makes a job's commands, if it has any.
func (r *run) pack(j *job, took time.Duration) (parcel, bool) {
	e := r.c.e
	switch {
	case j.failed():
		return parcel{}, false
	case !r.storable(j):
		if j.negative() && !j.load.NoStore {
			return r.removal(j)
		}
		return parcel{}, false
	case j.refused || !e.flights.Storable(j.flight) || e.bornTooLate(j.snap.tokens, r.began):
		return parcel{}, false
	}
	p, err := r.entries(j, took)
	if err != nil {
		r.unstorable(j, err)
		return r.removal(j)
	}
	return p, true
}

// removal removes the entry that was valid before a load whose result cannot
// take its place: else every reader would be served that, and load.
func (r *run) removal(j *job) (parcel, bool) {
	e := r.c.e
	if j.snap == nil || !j.snap.parsed {
		return parcel{}, false
	}
	if hard, _ := compare(j.snap, rules{strict: e.cfg.Strict, soft: e.cfg.Soft}); !hard {
		return parcel{}, false
	}
	if e.cfg.Local != nil {
		e.cfg.Local.Void([]string{j.token})
	}
	return parcel{job: j, gone: true, cmds: []cmd{command.New(asIs, "UNLINK", j.entry).Repeat()}}, true
}

// unstorable notes a value that cannot become an entry.
func (r *run) unstorable(j *job, err error) {
	if !errors.Is(err, errOversized) {
		r.c.say("encode", "value not cached: it cannot be encoded", err)
		r.failed(j, err)
		return
	}
	j.out.oversized = true
	r.c.oversized(err)
}

// send sends the parcels, up to chunkBytes in one request, with the leases of
// their jobs.
func (r *run) send(ctx context.Context, parcels []parcel) {
	for len(parcels) > 0 {
		n, size := 0, 0
		var cmds []cmd
		for n < len(parcels) && n < chunkKeys && (n == 0 || size+parcels[n].size <= chunkBytes) {
			size += parcels[n].size
			cmds = append(cmds, parcels[n].cmds...)
			n++
		}
		part := parcels[:n]
		parcels = parcels[n:]
		if !inTime(part[0].job.snap, r.c.cfg.HardTimeout) {
			continue
		}
		for _, p := range part {
			if cmd, held := r.back(p.job); held {
				cmds = append(cmds, cmd)
			}
		}
		replies, err := r.set(ctx, cmds, len(part) > 1)
		for _, p := range part {
			own := replies[:min(len(p.cmds), len(replies))]
			replies = replies[len(own):]
			r.sent(p, own, err)
		}
	}
}

// sent notes what became of a parcel.
func (r *run) sent(p parcel, own []reply, err error) {
	if e := firstError(own); err == nil && e != nil {
		err = fmt.Errorf("strategies: store: %w", e)
	}
	switch {
	case err != nil:
		r.failed(p.job, err)
	case !p.gone:
		p.job.out.stored, p.job.out.ttl, p.job.out.size = true, p.ttl, p.size
	}
}
