package ops

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/cldcde/restash/invalidate"
	"github.com/cldcde/restash/strategies"
)

// Purge invalidates what POST requests name. Without [Secret], or with an
// empty one, it refuses every request with 403. The body is JSON:
//
//	{"tags": ["team:7"],
//	 "keys": [{"name": "user", "key": "ada"}],
//	 "prefixes": [{"name": "list", "segments": ["a"]}],
//	 "patterns": [{"name": "list", "glob": "a*"}], "dryRun": false, "budget": 500,
//	 "urls": ["/api/extensions?page=2"],
//	 "all": false, "soft": false}
//
// or a query: ?tag=team:7&tag=b&url=/x&all=true&soft=true&dryRun=true. With dryRun
// nothing is changed: the answer says what would be hit and what it would cost,
// where Redis has MSETEX; without that it is a command per target.
//
// URLs need [App]. A URL stands for all variants of its entry, with the scheme, the
// host where it names none, and the forwarding fields of the purge request itself.
//
// An order with a pattern is a dry run unless dryRun is false in so many words:
// look first at what a pattern hits. A name that means nothing here is refused
// with 400, and so is an order that says something twice. The answer names the targets and what they cost; 202 says that Redis
// has not confirmed all of them yet.
func Purge(store *strategies.Store, options ...Option) http.Handler {
	a := accessOf(options)
	a.demanded = true
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.refuse(w, r) || onlyMethods(w, r, http.MethodPost) {
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), purgeTimeout)
		defer cancel()
		order, err := readOrder(r)
		if err == nil {
			err = order.find(ctx, a.app, r)
		}
		switch {
		case errors.Is(err, errTooLong):
			writeError(w, http.StatusRequestEntityTooLarge, "too_large", err.Error())
		case err != nil:
			writeError(w, http.StatusBadRequest, codeInvalid, err.Error())
		default:
			order.carryOut(ctx, w, store)
		}
	})
}

// named is a handle by its name.
type named string

func (n named) Name() string { return string(n) }

// dry reports whether nothing is to be changed: that is said, or there is a
// pattern and nothing is said.
func (o order) dry() bool {
	if o.DryRun == nil {
		return len(o.Patterns) > 0
	}
	return *o.DryRun
}

// tokens are the targets that are told apart by a token: all but patterns.
func (o order) tokens() invalidate.Target {
	all := invalidate.Tags(o.Tags...)
	for _, k := range o.Keys {
		all = invalidate.Join(all, invalidate.Key(named(k.Name), k.Key))
	}
	for _, k := range o.found {
		all = invalidate.Join(all, invalidate.Key(named(k.name), k.key))
	}
	for _, p := range o.Prefixes {
		all = invalidate.Join(all, invalidate.Prefix(named(p.Name), p.Segments...))
	}
	if o.All {
		all = invalidate.Join(all, invalidate.All())
	}
	if o.Soft {
		all = invalidate.Soft(all)
	}
	return all
}

func (o order) patterns() invalidate.Target {
	var all invalidate.Target
	for _, p := range o.Patterns {
		t := invalidate.Pattern(named(p.Name), globs(p.Glob)...)
		if o.dry() {
			t = invalidate.DryRun(t)
		}
		if o.Budget > 0 {
			t = invalidate.Budget(t, o.Budget)
		}
		all = invalidate.Join(all, t)
	}
	return all
}

func globs(glob string) []any {
	var parts []any
	for part := range strings.SplitSeq(glob, ":") {
		parts = append(parts, invalidate.Glob(part))
	}
	return parts
}

// purged is the answer to a purge.
type purged struct {
	Targets string `json:"targets"`
	DryRun  bool   `json:"dryRun"`
	// Count is how many targets are named; Keys how many entries patterns hit.
	Count    int      `json:"count"`
	Commands int      `json:"commands"`
	Trips    int      `json:"trips"`
	Pending  int      `json:"pending"`
	Keys     int      `json:"keys"`
	Matched  []string `json:"matched,omitempty"`
	// Code and Message are there if it is not done yet.
	Code    string `json:"code,omitempty"`
	Message string `json:"message,omitempty"`
}

func (o order) carryOut(ctx context.Context, w http.ResponseWriter, store *strategies.Store) {
	all := invalidate.Join(o.tokens(), o.patterns())
	if all.IsZero() {
		writeError(w, http.StatusBadRequest, codeInvalid, "nothing to invalidate: name tags, keys, prefixes, patterns, urls or all")
		return
	}
	answer := purged{Targets: all.String(), DryRun: o.dry()}
	err := o.invalidate(ctx, store, &answer)
	switch {
	case errors.Is(err, invalidate.ErrTarget), errors.Is(err, strategies.ErrSoft):
		writeError(w, http.StatusBadRequest, codeInvalid, err.Error())
	case errors.Is(err, strategies.ErrPending):
		answer.Code, answer.Message = "pending", "not confirmed by Redis yet; it is sent again"
		writeJSON(w, http.StatusAccepted, answer)
	case errors.Is(err, invalidate.ErrBudget):
		answer.Code, answer.Message = "budget", "the pattern's budget is spent; some entries may be left"
		writeJSON(w, http.StatusAccepted, answer)
	case err != nil:
		writeError(w, http.StatusBadGateway, "unreachable", "the cache could not be reached")
	default:
		writeJSON(w, http.StatusOK, answer)
	}
}

// invalidate carries the order out. A dry run looks for what patterns match,
// and reports what the rest would cost.
func (o order) invalidate(ctx context.Context, store *strategies.Store, answer *purged) error {
	plan, err := invalidate.Resolve(store.Namespace(), o.tokens())
	if err != nil {
		return err
	}
	answer.Count = len(plan.Tokens) + len(o.Patterns)
	var report invalidate.Report
	switch {
	case !o.dry():
		report, err = store.Invalidate(ctx, o.tokens(), o.patterns())
	case len(o.Patterns) > 0:
		report, err = store.Invalidate(ctx, o.patterns())
	}
	answer.Commands, answer.Trips, answer.Pending = report.Commands, report.Trips, report.Pending
	answer.Keys, answer.Matched = report.Keys, report.Matched
	if o.dry() && len(plan.Tokens) > 0 {
		answer.Commands++
		answer.Trips++
	}
	return err
}
