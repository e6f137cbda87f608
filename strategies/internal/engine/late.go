package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/cldcde/restash/internal/flight"
	"github.com/cldcde/restash/internal/keyspace"
)

// Tags that only a load has found out are late: their tokens are read behind
// it, and its value is stored only if none of them has changed since it began.

// lateTags are the tokens of a job's tags that its snapshot lacks.
func (r *run) lateTags(j *job) []flight.Token {
	var late []flight.Token
	for _, t := range j.load.Tags {
		if t != "" && (j.snap == nil || !hasToken(j.snap.tokens, tagID(t))) {
			late = r.c.e.appendTag(late, t)
		}
	}
	return late
}

// unread says that a job depends on tags whose tokens nobody will read: who
// began to read behind its load loads anew.
func (r *run) unread(j *job) {
	if late := r.lateTags(j); len(late) > 0 {
		r.c.e.flights.Late(j.flight, late, j.snap != nil)
	}
}

// readLate reads the tokens of the jobs' late tags with one command.
func (r *run) readLate(ctx context.Context, jobs []*job) {
	e := r.c.e
	jobs = slices.DeleteFunc(slices.Clone(jobs), func(j *job) bool { return !r.fits(j) })
	if len(jobs) == 0 {
		return
	}
	began := time.Now()
	var all []flight.Token
	for _, j := range jobs {
		e.flights.Seal(j.flight) // who reads from now on may know more than the reply says
		for _, t := range r.lateTags(j) {
			if !hasToken(all, t.ID) {
				all = append(all, t)
			}
		}
	}
	var spent Cost
	values, err := e.mget(ctx, r.budget, appendKeys(nil, all), &spent)
	r.spent(spent, began)
	if err != nil {
		for _, j := range jobs {
			r.refuse(j, err)
		}
		return
	}
	all = withValues(all, values)
	created := e.cfg.Strict && r.createLate(ctx, jobs[0], all)
	for _, j := range jobs {
		r.learnLate(j, all, created)
	}
}

// fits reports whether the job may have so many tags.
func (r *run) fits(j *job) bool {
	late := r.lateTags(j)
	if countTags(j.snap.tokens)+countTags(late) > keyspace.MaxTags {
		r.forgetLearned(j)
	}
	if countTags(j.snap.tokens)+countTags(late) <= keyspace.MaxTags {
		return true
	}
	err := fmt.Errorf("%w: more than %d", ErrTags, keyspace.MaxTags)
	r.c.say("late tags", "value not cached: its load adds too many tags", err)
	r.refuse(j, err)
	return false
}

// refuse keeps a job's result from being stored, and shared with later callers.
func (r *run) refuse(j *job, err error) {
	j.refused = true
	r.c.e.flights.Late(j.flight, r.lateTags(j), true)
	r.failed(j, err)
}

// learnLate adds the tokens to the job's snapshot. missing says that one was
// absent in strict mode: this load began without it.
func (r *run) learnLate(j *job, all []flight.Token, missing bool) {
	e := r.c.e
	late := valued(r.lateTags(j), valuesOf(all))
	refuse := youngerThan(late, r.began.Add(-clockSkew-e.cfg.SourceLag))
	if missing {
		refuse = refuse || slices.ContainsFunc(late, func(t flight.Token) bool { return t.Value == "" })
	}
	j.refused = !e.flights.Late(j.flight, late, refuse)
	j.snap = j.snap.with(append(slices.Clip(j.snap.tokens), late...))
	e.learn(j.entry, j.load.Tags)
}

// forgetLearned takes the tags of earlier values out of the snapshot.
func (r *run) forgetLearned(j *job) {
	var keep []flight.Token
	for _, t := range j.snap.tokens {
		named := slices.ContainsFunc(j.load.Tags, func(tag string) bool { return tagID(tag)[1:] == t.ID[1:] })
		if !isTag(t.ID) || named || hasToken(j.tokens[:j.own], t.ID) {
			keep = append(keep, t)
		}
	}
	j.snap = j.snap.with(keep)
}

// bornTooLate reports whether a token of the snapshot is so young that the
// database the loader read may not have had the change it stands for.
func (e *Engine) bornTooLate(tokens []flight.Token, began time.Time) bool {
	if e.cfg.SourceLag == 0 {
		return false
	}
	return youngerThan(tokens, began.Add(-e.cfg.SourceLag-clockSkew))
}
