package handler

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/cldcde/restash/internal/json"
	"github.com/cldcde/restash/invalidate"
	"github.com/cldcde/restash/strategies"
)

// maxPurge bounds the body of a purge request, and purgeTimeout its duration.
const (
	maxPurge     = 64 << 10
	purgeTimeout = 20 * time.Second
)

// Purge invalidates what POST requests name. Without [Secret], or with an
// empty one, it refuses every request with 403. The body is JSON:
//
//	{"tags": ["team:7"],
//	 "keys": [{"name": "user", "key": "ada"}],
//	 "prefixes": [{"name": "list", "segments": ["a"]}],
//	 "patterns": [{"name": "list", "glob": "a*"}], "dryRun": false, "budget": 500,
//	 "all": false, "soft": false}
//
// or the same as a query: ?tag=team:7&tag=b. A pattern is only counted, not
// carried out, unless dryRun is false in so many words: look first at what it
// hits. The answer names the targets and what they cost; 202 says that Redis
// has not confirmed all of them yet.
func Purge(store *strategies.Store, options ...Option) http.Handler {
	a := accessOf(options)
	a.demanded = true
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.refuse(w, r) || onlyMethods(w, r, http.MethodPost) {
			return
		}
		order, err := readOrder(r)
		if err != nil {
			writeError(w, http.StatusBadRequest, err.Error())
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), purgeTimeout)
		defer cancel()
		order.carryOut(ctx, w, store)
	})
}

// order is what a purge request asks for.
type order struct {
	Tags []string `json:"tags"`
	Keys []struct {
		Name string `json:"name"`
		Key  string `json:"key"`
	} `json:"keys"`
	Prefixes []struct {
		Name     string   `json:"name"`
		Segments []string `json:"segments"`
	} `json:"prefixes"`
	Patterns []struct {
		Name string `json:"name"`
		Glob string `json:"glob"`
	} `json:"patterns"`
	All    bool  `json:"all"`
	Soft   bool  `json:"soft"`
	DryRun *bool `json:"dryRun"`
	Budget int   `json:"budget"`
}

func readOrder(r *http.Request) (order, error) {
	o := order{Tags: r.URL.Query()["tag"]}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxPurge+1))
	switch {
	case err != nil:
		return o, errors.New("the body could not be read")
	case len(body) > maxPurge:
		return o, errors.New("the body is too long")
	case len(body) > 0:
		if json.Unmarshal(body, &o) != nil {
			return o, errors.New("the body is no JSON of the expected form")
		}
	}
	return o, nil
}

// named is a handle by its name.
type named string

func (n named) Name() string { return string(n) }

func (o order) dry() bool { return o.DryRun == nil || *o.DryRun }

// target is everything that is asked for.
func (o order) target() invalidate.Target {
	all := invalidate.Tags(o.Tags...)
	for _, k := range o.Keys {
		all = invalidate.Join(all, invalidate.Key(named(k.Name), k.Key))
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
	Targets  string   `json:"targets"`
	DryRun   bool     `json:"dryRun"`
	Commands int      `json:"commands"`
	Trips    int      `json:"trips"`
	Pending  int      `json:"pending"`
	Keys     int      `json:"keys"`
	Matched  []string `json:"matched,omitempty"`
	Error    string   `json:"error,omitempty"`
}

func (o order) carryOut(ctx context.Context, w http.ResponseWriter, store *strategies.Store) {
	t := o.target()
	if t.IsZero() {
		writeError(w, http.StatusBadRequest, "nothing to invalidate: name tags, keys, prefixes, patterns or all")
		return
	}
	report, err := store.Invalidate(ctx, t)
	answer := purged{
		Targets: t.String(), DryRun: len(o.Patterns) > 0 && o.dry(),
		Commands: report.Commands, Trips: report.Trips, Pending: report.Pending,
		Keys: report.Keys, Matched: report.Matched,
	}
	status := http.StatusOK
	switch {
	case errors.Is(err, invalidate.ErrTarget), errors.Is(err, strategies.ErrSoft):
		status, answer.Error = http.StatusBadRequest, err.Error()
	case errors.Is(err, strategies.ErrPending):
		status, answer.Error = http.StatusAccepted, "not confirmed by Redis yet; it is sent again"
	case errors.Is(err, invalidate.ErrBudget):
		status, answer.Error = http.StatusAccepted, "the pattern's budget is spent; some entries may be left"
	case err != nil:
		status, answer.Error = http.StatusBadGateway, "the cache could not be reached"
	}
	writeJSON(w, status, answer)
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
