package httpcache

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/cldcde/restash/handler/internal/rfc9111"
	"github.com/cldcde/restash/handler/internal/route"
	"github.com/cldcde/restash/strategies"
)

// Config says how a cache that goes by the answers' own headers differs from
// the default, which is the zero Config.
//
// A Config is an [invalidate.Handle]: invalidate.Key(config, key) names one URL's
// entry, invalidate.Prefix(config) all of them.
type Config struct {
	// Prefix is the first part of every key, and the cache's name in metrics.
	// "" means "http".
	Prefix string
	// Tags of every answer. A tag may hold the name of a path value:
	// "extension:{id}". If that is empty the tag is left out; where no request
	// can have it, the log says so once.
	Tags []string
	// Key, if set, makes the key instead of the URL.
	Key func(*http.Request) string
	// Vary names request fields that are known to select answers, so that the
	// first hit in a process need not learn them.
	Vary []string
	// Skip, if set, lets a request go around the cache.
	Skip func(*http.Request) bool
	// Version, if set, is part of every key: a new deploy with another
	// Version does not serve what an old one stored.
	Version string
	// Advanced holds what few need.
	Advanced Advanced
}

// Advanced settings of a [Config]. The zero value is the default.
type Advanced struct {
	// Detach lets a refresh run after its request has ended, where the Store's
	// executor works in the background. A reverse proxy and handlers behind
	// net/http's ServeMux can do that; chi, echo, gin and Fiber give what a
	// request holds to the next one, so that a handler that runs on answers with
	// another user's data.
	Detach bool
	// StoreSetCookie stores responses with a Set-Cookie field, which is then
	// replayed to everyone. Without it they are not stored.
	StoreSetCookie bool
	// Encodings are the Accept-Encoding values that Warm asks with, "" for none,
	// where answers vary by them. nil means what browsers send (Chrome and Firefox,
	// then Safari), and for presets none as well.
	Encodings []string
	// MaxVariants is how many variants of one URL an instance stores within an
	// hour; the handler answers for others. 0 means 100.
	MaxVariants int
	// NeverReplay are response fields that go to the client that they were made
	// for and are not stored, besides those that are known to speak of one
	// exchange: X-Request-Id, X-Csrf-Token, Authorization, Server-Timing,
	// X-Ratelimit-Remaining and their kin; HTTP.md in httpcache lists them.
	NeverReplay []string
	// MaxBody is the most bytes of a body that is held to be stored; a longer
	// one passes through. 0 means 512 KB (512 × 1,024), the most that fits.
	MaxBody int
	// Targets are the targeted fields that take the place of Cache-Control,
	// the first that is there counting (RFC 9213). nil means CDN-Cache-Control.
	Targets []string
	// TagFields are response fields that hold tags, separated by commas or
	// blanks; they are removed before the client sees them. nil means
	// Cache-Tag and Surrogate-Key. Tags that come this way cost one command
	// and trip more when stored.
	TagFields []string
	// Keep is how long past its lifetime a response that can be validated is
	// kept. 0 means 24 hours, negative not at all.
	Keep time.Duration
	// ShowKey writes the key into Cache-Status.
	ShowKey bool
	// Timeout is how long the handler may take for an answer that is to be
	// stored. 0 means 30 s. A later one goes to its client and is not stored;
	// without a client the run is cancelled.
	Timeout time.Duration
}

const (
	defaultMaxBody = 512 << 10
	defaultTimeout = 30 * time.Second
	defaultKeep    = 24 * time.Hour
	// keepUnvalidated is the same for a response that cannot be validated: it
	// helps only while the handler is out of reach.
	keepUnvalidated = 10 * time.Minute
	defaultName     = "http"
	// classTTL is the TTL of the class of values; every load sets its own.
	classTTL = time.Hour
)

// Name is the name of the class of values in the cache; it makes a Config a
// handle for package invalidate.
func (c Config) Name() string {
	if c.Prefix == "" {
		return defaultName
	}
	return route.PlainName(c.Prefix)
}

func (c Config) withDefaults() Config {
	a := &c.Advanced
	if a.MaxBody == 0 {
		a.MaxBody = defaultMaxBody
	}
	if a.Targets == nil {
		a.Targets = []string{"Cdn-Cache-Control"}
	}
	if a.TagFields == nil {
		a.TagFields = []string{"Cache-Tag", "Surrogate-Key"}
	}
	if a.Keep == 0 {
		a.Keep = defaultKeep
	}
	if a.Encodings == nil {
		a.Encodings = route.BrowserEncodings
	}
	if a.Timeout == 0 {
		a.Timeout = defaultTimeout
	}
	a.NeverReplay = rfc9111.CanonicalAll(a.NeverReplay)
	a.Targets, a.TagFields = rfc9111.CanonicalAll(a.Targets), rfc9111.CanonicalAll(a.TagFields)
	c.Vary = rfc9111.Union(rfc9111.CanonicalAll(c.Vary), nil)
	return c
}

// check names the field that is wrong.
func (c Config) check() error {
	wrong := func(field, format string, args ...any) error {
		return fmt.Errorf("httpcache: Config.%s %s", field, fmt.Sprintf(format, args...))
	}
	switch {
	case len(c.Name()) > 128:
		return wrong("Prefix", "has %d bytes, want at most 128", len(c.Name()))
	case len(c.Tags) > 16:
		return wrong("Tags", "has %d tags, want at most 16", len(c.Tags))
	case slices.Contains(c.Tags, ""):
		return wrong("Tags", "has an empty tag")
	case c.Advanced.MaxBody < 0:
		return wrong("Advanced.MaxBody", "is negative")
	case c.Advanced.MaxVariants < 0:
		return wrong("Advanced.MaxVariants", "is negative")
	case len(c.Vary) > rfc9111.MaxVary:
		return wrong("Vary", "has %d names, want at most %d", len(c.Vary), rfc9111.MaxVary)
	}
	for _, t := range c.Tags {
		if strings.Count(t, "{") != strings.Count(t, "}") {
			return wrong("Tags", "has %q with an open brace", t)
		}
	}
	return nil
}

func (c Config) tags(r *http.Request) []string { return route.Tags(c.Tags, r.PathValue) }

func (c Config) sharing() rfc9111.Sharing {
	return rfc9111.Sharing{Targets: c.Advanced.Targets, SetCookie: c.Advanced.StoreSetCookie}
}

// settings are what the route of c keeps.
func (c Config) settings() route.Settings {
	functions := [...]bool{c.Key != nil, c.Skip != nil}
	a := c.Advanced
	c.Key, c.Skip = nil, nil
	return route.Settings{
		Class: strategies.Config{
			Name: c.Name(), TTL: classTTL, Version: route.Version(c.Version), Tags: route.Fixed(c.Tags),
			Advanced: strategies.Advanced{HardTimeout: a.Timeout},
		},
		Description: fmt.Sprintf("%v %#v", functions, c), Functions: functions != [2]bool{},
		MaxBody: a.MaxBody, TagFields: a.TagFields, ShowKey: a.ShowKey, MaxVariants: cmp.Or(a.MaxVariants, 100), NeverReplay: a.NeverReplay, Detach: a.Detach,
	}
}
