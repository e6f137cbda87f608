package invalidate

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cldcde/restash/internal/keyspace"
)

// Handle is a named class of cached values, such as a *strategies.Cache[T].
type Handle interface{ Name() string }

// Target is what to invalidate: an immutable value that can be printed,
// compared by [Target.String], joined, and used many times and concurrently.
// The zero Target is nothing.
type Target struct {
	items []item
}

// item is one thing to invalidate.
type item struct {
	kind    itemKind
	soft    bool
	name    string   // of the handle, or the tag
	parts   []string // the key; the segments of a prefix
	pattern []part
	budget  int
	dry     bool
}

type itemKind byte

const (
	kindTag itemKind = iota
	kindKey
	kindPrefix
	kindAll
	kindPattern
)

// Report is what an invalidation did.
type Report struct {
	// Commands and Trips are what it cost: billed commands and HTTP round trips.
	Commands, Trips int
	// Pending is how many tokens of the Store Redis has not confirmed, also of
	// earlier calls; they are sent again with its later commands.
	Pending int
	// Keys is how many entries patterns removed, or would remove in a dry run.
	Keys int
	// Matched are the keys of the entries, as their callers named them, in a
	// dry run.
	Matched []string
}

// Tags targets every entry that has one of the tags.
func Tags(names ...string) Target {
	return targets(names, func(n string) item { return item{kind: kindTag, name: n} })
}

// Key targets the entries of the handle under the given keys.
func Key(h Handle, keys ...string) Target {
	return targets(keys, func(k string) item { return item{kind: kindKey, name: h.Name(), parts: []string{k}} })
}

// Prefix targets the entries of the handle whose keys begin with the given
// segments: "a", "b" targets "a:b" and "a:b:c", not "a:bc". Segments are as
// they were given to strategies.Key; one with a colon or a percent sign, which may
// be a key's own spelling, targets both readings. Without segments it targets every entry
// of the handle. More than 4 segments are an error of the Store's Invalidate.
func Prefix(h Handle, segments ...string) Target {
	return Target{items: []item{{kind: kindPrefix, name: h.Name(), parts: slices.Clone(segments)}}}
}

// All targets every entry of the Store's namespace.
func All() Target { return Target{items: []item{{kind: kindAll}}} }

// Join is all the targets together.
func Join(ts ...Target) Target {
	var all Target
	for _, t := range ts {
		all.items = append(all.items, t.items...)
	}
	return all
}

// Soft lets what t targets be served as stale until it is refreshed; without
// Soft it is never served again, also not when a load fails. The Store must
// have StoreConfig.Soft set. Patterns know only the hard way.
func Soft(t Target) Target {
	return t.each(func(i *item) { i.soft = true })
}

func (t Target) each(change func(*item)) Target {
	items := slices.Clone(t.items)
	for i := range items {
		change(&items[i])
	}
	return Target{items: items}
}

func targets(names []string, target func(string) item) Target {
	items := make([]item, len(names))
	for i, n := range names {
		items[i] = target(n)
	}
	return Target{items: items}
}

// IsZero reports whether the target is nothing.
func (t Target) IsZero() bool { return len(t.items) == 0 }

// String prints the target, such as "tag(team:7) key(user, ada)". Equal targets
// print the same.
func (t Target) String() string {
	parts := make([]string, len(t.items))
	for i, it := range t.items {
		parts[i] = it.String()
	}
	return strings.Join(parts, " ")
}

func (i item) String() string {
	var s string
	switch i.kind {
	case kindTag:
		s = "tag(" + i.name + ")"
	case kindKey:
		s = "key(" + i.name + ", " + i.parts[0] + ")"
	case kindPrefix:
		s = "prefix(" + strings.Join(append([]string{i.name}, i.parts...), ", ") + ")"
	case kindAll:
		s = "all"
	case kindPattern:
		s = "pattern(" + i.name + ", " + i.patternString() + ")"
	}
	if i.soft {
		s = "soft " + s
	}
	if i.dry {
		s = "dry " + s
	}
	return s
}

// Plan is a target resolved for one namespace.
type Plan struct {
	// Tokens are the Redis keys that get a new token, without repetition.
	Tokens []string
	// Scans are the patterns.
	Scans []Scan
	// Soft says that at least one token is a soft one.
	Soft bool
}

// ErrTarget is wrapped by the errors of targets that cannot be carried out,
// such as an empty tag or a prefix of more than 4 segments.
var ErrTarget = errors.New("invalidate: invalid target")

// Resolve names the Redis keys of targets in a namespace. Applications have no
// need of it: the Store calls it.
func Resolve(namespace string, ts ...Target) (Plan, error) {
	space, err := keyspace.New(namespace)
	if err != nil {
		return Plan{}, fmt.Errorf("%w: %v", ErrTarget, err)
	}
	var p Plan
	for _, i := range Join(ts...).items {
		keys, err := i.resolve(space)
		if err != nil {
			return Plan{}, err
		}
		for _, k := range keys {
			if !slices.Contains(p.Tokens, k) {
				p.Tokens = append(p.Tokens, k)
			}
		}
		p.Soft = p.Soft || i.soft
		if i.kind == kindPattern {
			p.Scans = append(p.Scans, newScan(space, i))
		}
	}
	return p, nil
}

func (i item) resolve(space keyspace.Space) ([]string, error) {
	switch i.kind {
	case kindTag:
		if i.name == "" {
			return nil, fmt.Errorf("%w: a tag is empty", ErrTarget)
		}
		return []string{space.Tag(i.name, i.soft)}, nil
	case kindKey:
		return []string{space.Key(i.name, i.parts[0], i.soft)}, nil
	case kindPrefix:
		if len(i.parts) > keyspace.MaxPrefix {
			return nil, fmt.Errorf("%w: a prefix of %d segments, want at most %d", ErrTarget, len(i.parts), keyspace.MaxPrefix)
		}
		return prefixTokens(space, i), nil
	case kindAll:
		return []string{space.All(i.soft)}, nil
	}
	if i.soft {
		return nil, fmt.Errorf("%w: a pattern cannot be soft", ErrTarget)
	}
	if text, star := i.starWithoutGlob(); star {
		return nil, fmt.Errorf("%w: the star in %q is a plain character, and no part of the pattern is an invalidate.Glob", ErrTarget, text)
	}
	return nil, nil
}

// prefixTokens names the tokens of a prefix. A segment with a percent sign may mean
// itself or an escape, one with a colon itself or several segments of a key that
// strategies.Key has not made: all readings are hit.
func prefixTokens(space keyspace.Space, i item) []string {
	escaped := make([]string, len(i.parts))
	for n, s := range i.parts {
		escaped[n] = keyspace.Escape(s)
	}
	spelt := strings.Split(strings.Join(i.parts, ":"), ":")
	if len(i.parts) == 0 || len(spelt) > keyspace.MaxPrefix {
		spelt = slices.Clone(i.parts)
	}
	for n, s := range spelt {
		spelt[n] = keyspace.Canonical(s)
	}
	var tokens []string
	for _, segments := range [][]string{escaped, spelt} {
		if token := space.Prefix(i.name, strings.Join(segments, ":"), i.soft); !slices.Contains(tokens, token) {
			tokens = append(tokens, token)
		}
	}
	return tokens
}
