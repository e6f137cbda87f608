package explain

import (
	"fmt"
	"time"

	"github.com/cldcde/restash/internal/keyspace"
)

// Served says whether a reader would get an entry, and as what.
type Served struct {
	// As is HIT, STALE, or "" for an entry that no reader gets.
	As string `json:"as"`
	// OnError says that readers get it if its load fails.
	OnError bool   `json:"onError"`
	Words   string `json:"words"`
}

// judge decides as the cache does: a changed token ends an entry, whatever its
// age; a changed soft token ends its freshness.
func (e *Entry) judge(now time.Time) Served {
	softly := ""
	for _, t := range e.Tokens {
		switch {
		case t.Valid:
		case !t.soft:
			return Served{Words: "no; " + e.story(t)}
		case softly == "":
			softly = e.story(t)
		}
	}
	age, reason := now.Sub(e.FreshTo), fmt.Sprintf("its TTL ended %s ago", Span(now.Sub(e.FreshTo)))
	if softly != "" {
		reason = softly + ", softly: Stores without StoreConfig.Soft do not see it"
	}
	onError := now.Before(e.ErrorTo)
	switch {
	case age < 0 && softly == "":
		return Served{As: "HIT", OnError: true, Words: fmt.Sprintf("yes, fresh for another %s", Span(-age))}
	case now.Before(e.StaleTo):
		return Served{As: "STALE", OnError: onError, Words: fmt.Sprintf("yes, as STALE while it is refreshed, for another %s; %s", Span(e.StaleTo.Sub(now)), reason)}
	case onError:
		return Served{OnError: true, Words: fmt.Sprintf("only if its load fails, for another %s; %s", Span(e.ErrorTo.Sub(now)), reason)}
	}
	return Served{Words: "no; " + reason + ", and no stale window is left"}
}

// story tells what became of a token.
func (e *Entry) story(t Token) string {
	if t.Now == "" {
		return fmt.Sprintf("the token of %s is gone: evicted, flushed or deleted", t.Of)
	}
	born, ok := keyspace.Token(t.Now).Born()
	if !ok {
		return fmt.Sprintf("the token of %s was overwritten", t.Of)
	}
	if after := born.Sub(e.StoredAt); after > 0 {
		return fmt.Sprintf("%s was invalidated %s after this was loaded", t.Of, Span(after))
	}
	return fmt.Sprintf("%s was invalidated while this was loaded", t.Of)
}

// Span writes a duration for people: 3 s, 4m 12s, 2h 5m, 3d 4h.
func Span(d time.Duration) string {
	switch d = max(d, 0); {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm %ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh %dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd %dh", int(d.Hours())/24, int(d.Hours())%24)
}
