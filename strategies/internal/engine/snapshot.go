package engine

import (
	"sync/atomic"
	"time"

	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/internal/entry"
	"github.com/cldcde/restash/internal/flight"
	"github.com/cldcde/restash/internal/keyspace"
)

// snapshot is what one read says about a query: its entry and its tokens. The
// callers of the read share it and do not change it.
type snapshot struct {
	data   []byte // the entry as it stands in Redis, nil if absent
	entry  entry.Entry
	parsed bool
	tokens []flight.Token // with their values, late tags included
	at     time.Time      // before it was sent
	took   time.Duration
	cost   Cost   // of the read, where the snapshot is shared
	stamp  uint64 // of the local cache
	// pending tokens when it was sent: Redis may not have heard of them.
	hardPending, softPending bool
	paid                     atomic.Bool
}

// claim returns true to the one caller that the read's cost is charged to.
func (s *snapshot) claim() bool { return s.paid.CompareAndSwap(false, true) }

// with returns the snapshot with other tokens.
func (s *snapshot) with(tokens []flight.Token) *snapshot {
	return &snapshot{data: s.data, entry: s.entry, parsed: s.parsed, tokens: tokens, at: s.at, took: s.took,
		hardPending: s.hardPending, softPending: s.softPending}
}

func (s *snapshot) parse(r command.Reply) {
	if r.Kind == command.KindNil {
		return
	}
	s.data = r.Bytes
	e, err := entry.Parse(r.Bytes)
	s.entry, s.parsed = e, err == nil
}

// missingTags are the tags of the entry whose tokens were not read.
func (s *snapshot) missingTags() []string {
	if !s.parsed {
		return nil
	}
	tags := s.entry.MissingTags(func(id string) bool { return hasToken(s.tokens, id) })
	for i, t := range tags {
		tags[i] = keyspace.Unescape(t)
	}
	return tags
}
