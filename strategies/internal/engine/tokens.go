package engine

import (
	"fmt"
	"slices"
	"time"

	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/internal/flight"
	"github.com/cldcde/restash/internal/keyspace"
)

// tagID is how an entry names a tag; a soft token's id is in upper case.
func tagID(tag string) string { return "t" + keyspace.Escape(tag) }

func isTag(id string) bool { return id[0] == 't' || id[0] == 'T' }

func isSoft(id string) bool { return id[0] >= 'A' && id[0] <= 'Z' }

func hasToken(tokens []flight.Token, id string) bool {
	return slices.ContainsFunc(tokens, func(t flight.Token) bool { return t.ID == id })
}

func checkTags(tokens []flight.Token) error {
	switch n := countTags(tokens); {
	case hasToken(tokens, tagID("")):
		return fmt.Errorf("%w: an empty tag", ErrTags)
	case n > keyspace.MaxTags:
		return fmt.Errorf("%w: %d tags, want at most %d", ErrTags, n, keyspace.MaxTags)
	}
	return nil
}

func countTags(tokens []flight.Token) int {
	n := 0
	for _, t := range tokens {
		if t.ID[0] == 't' {
			n++
		}
	}
	return n
}

func appendKeys(keys []string, tokens []flight.Token) []string {
	for _, t := range tokens {
		keys = append(keys, t.Key)
	}
	return keys
}

// union is all tokens of the lists, each once.
func union(lists iterTokens) []flight.Token {
	var all []flight.Token
	seen := map[string]bool{}
	for tokens := range lists {
		for _, t := range tokens {
			if !seen[t.Key] {
				seen[t.Key] = true
				all = append(all, t)
			}
		}
	}
	return all
}

type iterTokens = func(yield func([]flight.Token) bool)

// valued returns tokens with the values they have in known.
func valued(tokens []flight.Token, known map[string]string) []flight.Token {
	out := make([]flight.Token, len(tokens))
	for i, t := range tokens {
		t.Value = known[t.Key]
		out[i] = t
	}
	return out
}

func valuesOf(tokens []flight.Token) map[string]string {
	m := make(map[string]string, len(tokens))
	for _, t := range tokens {
		m[t.Key] = t.Value
	}
	return m
}

func withValues(tokens []flight.Token, values []command.Reply) []flight.Token {
	seen := make([]flight.Token, len(tokens))
	for i, t := range tokens {
		t.Value = string(values[i].Bytes)
		seen[i] = t
	}
	return seen
}

// clockSkew is by how much the clocks of instances may differ.
const clockSkew = 2 * time.Second

func youngerThan(tokens []flight.Token, limit time.Time) bool {
	for _, t := range tokens {
		if t.Value == "" {
			continue
		}
		if born, ok := keyspace.Token(t.Value).Born(); !ok || !born.Before(limit) {
			return true
		}
	}
	return false
}

// tokenLife is how long tokens live: longer than any entry that may name them,
// also one whose load and store took their longest.
const tokenLife = MaxExpiry + 15*time.Minute + time.Hour

// MaxExpiry is the longest that an entry can live in Redis.
const MaxExpiry = 7 * 24 * time.Hour
