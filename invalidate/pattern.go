package invalidate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/internal/keyspace"
)

// Glob is a part of a [Pattern] in which *, ?, [a-z], [^a-z] and a backslash
// before a character have their meaning in Redis patterns (command SCAN).
// Everything that is not a Glob is taken literally.
type Glob string

// Any matches any text, also across segments.
const Any Glob = "*"

type part struct {
	text string
	glob bool
}

// Pattern targets the entries of the handle whose keys consist of the given
// parts, joined by colons as strategies.Key joins them. A part is a [Glob] or
// anything that strategies.Key takes as a string; a user's text passed as a
// string can never act as a glob. Keys too long to be stored verbatim (over
// 512 bytes) do not match anything. "team:7:*" where no part is a Glob is an error
// of the Store's Invalidate: as a text it would match nothing.
//
// A pattern is best effort: it scans the database and unlinks what it finds,
// and does not see an entry that is being loaded. Prefer tags and prefixes.
func Pattern(h Handle, parts ...any) Target {
	it := item{kind: kindPattern, name: h.Name(), budget: DefaultBudget}
	for _, p := range parts {
		if g, ok := p.(Glob); ok {
			it.pattern = append(it.pattern, part{text: string(g), glob: true})
			continue
		}
		it.pattern = append(it.pattern, part{text: fmt.Sprint(p)})
	}
	return Target{items: []item{it}}
}

// DefaultBudget is how many billed commands a [Pattern] may cost.
const DefaultBudget = 1000

// Budget bounds the billed commands of each pattern in t.
func Budget(t Target, commands int) Target {
	return t.each(func(i *item) { i.budget = commands })
}

// DryRun lets the patterns in t only report what they match and what that
// cost; tokens are still replaced for other kinds of target.
func DryRun(t Target) Target {
	return t.each(func(i *item) { i.dry = i.kind == kindPattern })
}

// starWithoutGlob finds the star of a pattern that only looks like one.
func (i item) starWithoutGlob() (text string, found bool) {
	for _, p := range i.pattern {
		if p.glob {
			return "", false
		}
		if strings.Contains(p.text, ":") && strings.Contains(p.text, "*") {
			text, found = p.text, true
		}
	}
	return text, found
}

func (i item) patternString() string {
	texts := make([]string, len(i.pattern))
	for n, p := range i.pattern {
		if texts[n] = p.text; !p.glob {
			texts[n] = fmt.Sprintf("%q", p.text)
		}
	}
	return strings.Join(texts, ":")
}

// Scan is a pattern resolved for one namespace.
type Scan struct {
	match  string // the MATCH of SCAN, at least as wide as the pattern
	prefix string // what all keys of the handle begin with
	glob   string // of the whole key, its literal parts canonical
	budget int
	dry    bool
}

func newScan(space keyspace.Space, i item) Scan {
	s := Scan{prefix: space.Entries(i.name), budget: i.budget, dry: i.dry}
	texts := make([]string, len(i.pattern))
	for n, p := range i.pattern {
		if p.glob {
			texts[n] = p.text
			continue
		}
		// A segment that escaping changes may stand in the database in either
		// spelling; the exact comparison is done here, on canonical segments.
		if texts[n] = keyspace.Escape(p.text); texts[n] != p.text {
			texts[n] = "*"
		}
	}
	s.match = escapeGlob(s.prefix) + "*:" + strings.Join(texts, ":") + "*"
	for n, p := range i.pattern {
		if !p.glob {
			texts[n] = keyspace.Canonical(p.text) // which no glob character survives
		}
	}
	s.glob = strings.Join(texts, ":")
	return s
}

func escapeGlob(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`).Replace(s)
}

// matches reports whether a Redis key is an entry that the pattern means.
func (s Scan) matches(key string) bool {
	rest, ok := strings.CutPrefix(key, s.prefix)
	if !ok {
		return false
	}
	_, own, ok := strings.Cut(rest, ":") // after the fingerprint
	if !ok || strings.HasPrefix(own, "#") {
		return false
	}
	if i := len(own) - 45; i >= 0 && own[i:i+2] == "%;" {
		own = own[:i] // a variant
	}
	segments := strings.Split(own, ":")
	for i, seg := range segments {
		segments[i] = keyspace.Canonical(seg)
	}
	canonical := strings.Join(segments, ":")
	return matchGlob(s.glob, own) || matchGlob(s.glob, canonical)
}

// ErrBudget is wrapped by the error of a pattern that would cost more commands
// than its budget. What it had found until then is removed.
var ErrBudget = errors.New("invalidate: the pattern's command budget is spent")

// Sizes of the steps: SCAN looks at scanCount keys for one command, and one
// UNLINK takes unlinkBatch keys.
const (
	scanCount   = 1000
	unlinkBatch = 500
)

// Batcher sends commands as one request, as *client.Client does.
type Batcher interface {
	Batch(ctx context.Context, cmds ...command.Cmd) ([]command.Reply, error)
}

// Run carries the pattern out on c. The report is right also beside an error.
// With a read-only token it fails with an error that says so.
func (s Scan) Run(ctx context.Context, c Batcher) (Report, error) {
	var r Report
	var found []string
	cursor := "0"
	for {
		if r.Commands+1 >= s.budget { // the last command is kept for what is found
			err := fmt.Errorf("%w: %d commands, %d keys", ErrBudget, r.Commands, r.Keys+len(found))
			if s.dry || len(found) == 0 {
				return r, err
			}
			return r, errors.Join(err, s.unlink(ctx, c, found, &r))
		}
		next, keys, err := s.step(ctx, c, cursor)
		r.Commands, r.Trips = r.Commands+1, r.Trips+1
		if err != nil {
			return r, explain(err)
		}
		found = append(found, slices.DeleteFunc(keys, func(k string) bool { return !s.matches(k) })...)
		for !s.dry && (len(found) >= unlinkBatch || next == "0" && len(found) > 0) {
			n := min(len(found), unlinkBatch)
			if err := s.unlink(ctx, c, found[:n], &r); err != nil {
				return r, err
			}
			found = found[n:]
		}
		if cursor = next; cursor == "0" {
			break
		}
	}
	if s.dry {
		s.tell(found, &r)
	}
	return r, nil
}

// tell names what a dry run found, without the prefix that all share.
func (s Scan) tell(found []string, r *Report) {
	r.Keys = len(found)
	for _, k := range found {
		_, own, _ := strings.Cut(strings.TrimPrefix(k, s.prefix), ":")
		r.Matched = append(r.Matched, own)
	}
}

func (s Scan) step(ctx context.Context, c Batcher, cursor string) (string, []string, error) {
	page, err := do(ctx, c, command.Scan(cursor, command.MATCH(s.match), command.COUNT(scanCount)))
	return page.Cursor, page.Items, err
}

// do sends one command.
func do[T any](ctx context.Context, c Batcher, cmd command.Command[T]) (value T, err error) {
	replies, err := c.Batch(ctx, cmd)
	if err != nil {
		return value, err
	}
	if err := client.ReplyError(cmd, replies[0]); err != nil {
		return value, err
	}
	return cmd.Decode(replies[0])
}

func (s Scan) unlink(ctx context.Context, c Batcher, keys []string, r *Report) error {
	n, err := do(ctx, c, command.Unlink(keys...))
	r.Commands, r.Trips = r.Commands+1, r.Trips+1
	if err != nil {
		return explain(err)
	}
	r.Keys += int(n)
	return nil
}

func explain(err error) error {
	if errors.Is(err, client.ErrPermission) {
		return fmt.Errorf("invalidate: pattern: the token may only read; use the standard token: %w", err)
	}
	return fmt.Errorf("invalidate: pattern: %w", err)
}
