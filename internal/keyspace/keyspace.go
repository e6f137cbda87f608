package keyspace

import (
	"errors"
	"fmt"
	"strings"
)

// Limits of what one entry may depend on.
const (
	// MaxTags is how many tags one entry may have.
	MaxTags = 16
	// MaxPrefix is how many leading segments of a key have a token.
	MaxPrefix = 4
)

// Space is the keys of one namespace.
type Space struct{ ns string }

// New returns the key layout of a namespace. It fails if the name is empty,
// longer than 64 bytes, or has a character that [Escape] would change.
func New(ns string) (Space, error) {
	if ns == "" {
		return Space{}, errors.New("namespace is empty")
	}
	if len(ns) > 64 {
		return Space{}, fmt.Errorf("namespace has %d bytes, want at most 64", len(ns))
	}
	if Escape(ns) != ns {
		return Space{}, fmt.Errorf("namespace %q has a character other than letters, digits and -._~", ns)
	}
	return Space{ns: ns}, nil
}

// String returns the name of the namespace.
func (s Space) String() string { return s.ns }

// Entry is the key of an entry: handle, fingerprint of its type, caller's key.
func (s Space) Entry(name, fp, key string) string {
	return s.ns + ":e:" + name + ":" + fp + ":" + Normalize(key)
}

// Entries is the part before the caller's key that all entries of a handle
// begin with, whatever their fingerprint.
func (s Space) Entries(name string) string { return s.ns + ":e:" + name + ":" }

// Tag is the token of a tag.
func (s Space) Tag(tag string, soft bool) string { return s.ns + kind(":t", soft) + Normalize(tag) }

// Key is the token of one key of a handle.
func (s Space) Key(name, key string, soft bool) string {
	return s.ns + kind(":k", soft) + name + ":" + Normalize(key)
}

// Prefix is the token of all keys of a handle that begin with the given
// canonical segments; without segments, of all its keys.
func (s Space) Prefix(name, segments string, soft bool) string {
	if segments == "" {
		return s.ns + kind(":p", soft) + name
	}
	return s.ns + kind(":p", soft) + name + ":" + Normalize(segments)
}

// All is the token of the whole namespace.
func (s Space) All(soft bool) string {
	if soft {
		return s.ns + ":gs"
	}
	return s.ns + ":g"
}

// Lease is the key that one instance holds while it loads an entry.
func (s Space) Lease(entry string) string {
	return s.ns + ":l:" + strings.TrimPrefix(entry, s.ns+":e:")
}

// Fleet is the key of the counters that all instances add to.
func (s Space) Fleet() string { return s.ns + ":m" }

func kind(letter string, soft bool) string {
	if soft {
		return letter + "s:"
	}
	return letter + ":"
}

// Levels returns the canonical prefixes of key: its first segment, its first
// two, and so on, at most [MaxPrefix] of them, the key itself included.
func Levels(key string) []string {
	levels := make([]string, 0, MaxPrefix)
	rest, sofar := key, ""
	part := true // sofar is a part of key, so that nothing needs to be joined
	for i := range MaxPrefix {
		segment, tail, more := strings.Cut(rest, ":")
		canonical := Canonical(segment)
		part = part && canonical == segment
		switch {
		case part:
			sofar = key[:len(key)-len(rest)+len(segment)]
		case i == 0:
			sofar = canonical
		default:
			sofar += ":" + canonical
		}
		levels = append(levels, sofar)
		if !more {
			break
		}
		rest = tail
	}
	return levels
}
