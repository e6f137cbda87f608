package ops

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
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
// or a query: ?tag=team:7&tag=b&all=true&soft=true&dryRun=true. With dryRun
// nothing is changed: the answer says what would be hit and what it would cost.
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
		order, err := readOrder(r)
		if err != nil {
			if errors.Is(err, errTooLong) {
				writeError(w, http.StatusRequestEntityTooLarge, "too_large", err.Error())
				return
			}
			writeError(w, http.StatusBadRequest, codeInvalid, err.Error())
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
	var o order
	body, err := io.ReadAll(io.LimitReader(r.Body, maxPurge+1))
	switch {
	case err != nil:
		return o, errors.New("the body could not be read")
	case len(body) > maxPurge:
		return o, errTooLong
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return o, errors.New("the query cannot be read")
	}
	unknown := unknownNames(query, body)
	if len(unknown) > 0 {
		return o, fmt.Errorf("unknown: %s", strings.Join(unknown, ", "))
	}
	if len(body) > 0 {
		if err := strictly(body, &o); err != nil {
			return o, err
		}
	}
	return o, o.addQuery(query)
}

// addQuery adds what the query asks for.
func (o *order) addQuery(query url.Values) error {
	o.Tags = append(o.Tags, query["tag"]...)
	for name, values := range query {
		if name == "tag" {
			continue
		}
		on, err := strconv.ParseBool(values[0])
		if err != nil || len(values) > 1 {
			return fmt.Errorf("%s is neither true nor false", name)
		}
		switch name {
		case "all":
			o.All = o.All || on
		case "soft":
			o.Soft = o.Soft || on
		case "dryRun":
			dry := on || o.DryRun != nil && *o.DryRun
			o.DryRun = &dry
		}
	}
	return nil
}

// members are the names that an order may hold, at each of its levels.
var members = map[string][]string{
	"":         {"tags", "keys", "prefixes", "patterns", "all", "soft", "dryRun", "budget"},
	"keys":     {"name", "key"},
	"prefixes": {"name", "segments"},
	"patterns": {"name", "glob"},
}

// unknownNames are the parameters and members that mean nothing here: a slip in
// "dryRun" must not purge.
func unknownNames(query url.Values, body []byte) (unknown []string) {
	for _, name := range sortedNames(query) {
		if !slices.Contains([]string{"tag", "all", "soft", "dryRun"}, name) {
			unknown = append(unknown, name)
		}
	}
	var top map[string]any
	if json.Unmarshal(body, &top) != nil {
		return unknown // the body is refused as a whole
	}
	for _, name := range sortedNames(top) {
		if !slices.Contains(members[""], name) {
			unknown = append(unknown, name)
		}
		targets, _ := top[name].([]any)
		for _, target := range targets {
			fields, _ := target.(map[string]any)
			for _, member := range sortedNames(fields) {
				if !slices.Contains(members[name], member) {
					unknown = append(unknown, name+"."+member)
				}
			}
		}
	}
	return unknown
}

// codeInvalid is the code of a request that cannot be understood.
const codeInvalid = "invalid_request"

var errTooLong = fmt.Errorf("the body is too long: at most %d bytes", maxPurge)

var errForm = errors.New("the body is no JSON of the expected form")

// strictly reads a body that must be one JSON object in which no name comes twice.
func strictly(body []byte, o *order) error {
	if json.Unmarshal(body, o) != nil {
		return errForm
	}
	seen := map[string]bool{}
	for depth, rest := 0, body; ; {
		i := bytes.IndexAny(rest, `{}[]"`)
		if i < 0 {
			return nil
		}
		switch rest[i] {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case '"':
			text, after := quotedText(rest[i:])
			if depth == 1 && bytes.HasPrefix(bytes.TrimLeft(after, " \t\r\n"), []byte(":")) {
				if seen[text] {
					return fmt.Errorf("%s is there twice", text)
				}
				seen[text] = true
			}
			rest = after
			continue
		}
		rest = rest[i+1:]
	}
}

// quotedText cuts the JSON string off that s begins with.
func quotedText(s []byte) (text string, after []byte) {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return string(s[1:i]), s[i+1:]
		}
	}
	return string(s), nil
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
	all := invalidate.Join(o.tokens(), o.patterns())
	if all.IsZero() {
		writeError(w, http.StatusBadRequest, codeInvalid, "nothing to invalidate: name tags, keys, prefixes, patterns or all")
		return
	}
	report, err := o.invalidate(ctx, store)
	answer := purged{
		Targets: all.String(), DryRun: o.dry(),
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

// invalidate carries the order out. A dry run looks for what patterns match,
// and reports what the rest would cost.
func (o order) invalidate(ctx context.Context, store *strategies.Store) (invalidate.Report, error) {
	if !o.dry() {
		return store.Invalidate(ctx, o.tokens(), o.patterns())
	}
	plan, err := invalidate.Resolve(store.Namespace(), o.tokens())
	if err != nil {
		return invalidate.Report{}, err
	}
	var report invalidate.Report
	if len(o.Patterns) > 0 {
		report, err = store.Invalidate(ctx, o.patterns())
	}
	if n := len(plan.Tokens); n > 0 {
		report.Commands += n
		report.Trips++
	}
	return report, err
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
