package handler

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

// Config says how the answers of one route are cached: it is a preset. Where the
// answers' own headers say it, use package httpcache.
//
// A Config is an [invalidate.Handle]: invalidate.Prefix(config, id) names the
// entries whose first path value is id, invalidate.Prefix(config) all of them.
type Config struct {
	// Prefix names the preset: the first part of every key, and its name in
	// metrics. Required.
	Prefix string
	// TTL is how long an answer is fresh. Required.
	TTL time.Duration
	// StaleWhileRevalidate is how long after that it may be served while it
	// is refreshed. 0 means not at all.
	StaleWhileRevalidate time.Duration
	// StaleIfError is how long after TTL it may be served when the handler
	// panics or answers 500, 502, 503 or 504. 0 means not at all.
	StaleIfError time.Duration
	// Negative is how long a 404 or 410 is stored. 0 means that it is not.
	Negative time.Duration
	// Tags of every answer. A tag may hold the name of a path value or of a
	// parameter in Query: "extension:{id}". If that is empty the tag is left out;
	// where no request can have it, the log says so once.
	Tags []string
	// Query lists the parameters that count, with their defaults. Others are
	// ignored, and the handler does not see them.
	Query Query
	// Key, if set, makes the key instead of the path and Query; the handler
	// then sees the request's query and host as they came.
	Key func(*http.Request) string
	// Vary names request fields that select the answer, such as
	// Accept-Language: they are in the key, and the handler of a preset sees no
	// others but those that select nothing (traceparent, X-Request-Id and the
	// like).
	Vary []string
	// Skip, if set, lets a request go around the cache.
	Skip func(*http.Request) bool
	// Identity, if set, says who asks: the value is in the key, and requests
	// with credentials are cached, each user's for that user. The handler then
	// sees the fields that say who asks. For "" there is no such user.
	Identity func(*http.Request) string
	// Public says that the answers are the same for everyone: what says who
	// asks (Cookie, Authorization, a client certificate, fields such as
	// X-Forwarded-User) is ignored, and removed before the handler runs. Without
	// it requests that say it bypass the cache.
	Public bool
	// ByHost makes the host part of a preset's key; without it the handler
	// does not see the host that was asked for.
	ByHost bool
	// Version, if set, is part of every key: a new deploy with another
	// Version does not serve what an old one stored.
	Version string
	// Advanced holds what few need.
	Advanced Advanced
}

// Query maps the query parameters that select an answer to their defaults.
// A parameter that is absent, empty or has its default's value gives the same
// key as one that is not there; one that is given more than once keeps all its
// values, in their order.
type Query map[string]string

// Advanced settings of a [Config]. The zero value is the default.
type Advanced struct {
	// IdentityFields are request fields that say who asks, besides those that
	// are known to.
	IdentityFields []string
	// Detach lets a refresh run after its request has ended, where the Store's
	// executor works in the background. It is for handlers that take nothing
	// from their router: behind net/http's ServeMux it is safe; chi, echo, gin
	// and Fiber give what a request holds to the next one, so that a handler
	// that runs on answers with another user's data.
	Detach bool
	// MaxAge lets browsers keep a preset's answers this long without asking.
	// 0 means that they ask each time (and mostly get a 304), so that they see
	// invalidations at once.
	MaxAge time.Duration
	// CDN lets a CDN in front of this cache keep answers; see [CDN].
	CDN CDN
	// StoreSetCookie stores responses with a Set-Cookie field, which is then
	// replayed to everyone. Without it they are not stored.
	StoreSetCookie bool
	// Expendable marks a route that matters least: where the Store's Quota would
	// not last otherwise, its handler answers.
	Expendable bool
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
	// TagFields are response fields that hold tags, separated by commas or
	// blanks; they are removed before the client sees them. nil means
	// Cache-Tag and Surrogate-Key. Tags that come this way cost one command
	// and trip more when stored.
	TagFields []string
	// ShowKey writes the key into Cache-Status.
	ShowKey bool
	// Timeout is how long the handler may take for an answer that is to be
	// stored. 0 means 30 s. A later one goes to its client and is not stored;
	// without a client the run is cancelled.
	Timeout time.Duration
}

// CDN is what the cache tells a CDN in front of it. An invalidation does not
// reach that CDN: it may serve an answer for TTL after the answer changed.
type CDN struct {
	// TTL is how long it may keep an answer. 0 means that nothing is written.
	TTL time.Duration
	// StaleWhileRevalidate is how long after that it may serve it while it
	// asks for a new one.
	StaleWhileRevalidate time.Duration
	// Fields to write. nil means CDN-Cache-Control; Vercel's own is
	// Vercel-CDN-Cache-Control.
	Fields []string
	// TagField, if set, is written with the answer's tags: Vercel-Cache-Tag
	// or Cache-Tag (separated by commas), or Surrogate-Key (by blanks).
	TagField string
}

// Lifetime is a TTL and a stale window that fit a class of data.
type Lifetime struct{ TTL, StaleWhileRevalidate time.Duration }

// The lifetimes of usual classes of data.
var (
	// Lists of things, with filters and pages: 1 h, 5 min.
	Lists = Lifetime{time.Hour, 5 * time.Minute}
	// UserData is what belongs to one user: 5 min, 1 min.
	UserData = Lifetime{5 * time.Minute, time.Minute}
	// Details of one thing: 30 min, 5 min.
	Details = Lifetime{30 * time.Minute, 5 * time.Minute}
	// Stats are numbers that change all the time: 10 min, 2 min.
	Stats = Lifetime{10 * time.Minute, 2 * time.Minute}
	// Categories change seldom: 2 h, 10 min.
	Categories = Lifetime{2 * time.Hour, 10 * time.Minute}
	// Featured is what editors choose: 15 min, 5 min.
	Featured = Lifetime{15 * time.Minute, 5 * time.Minute}
)

// Config returns a preset of this lifetime, to be completed by its other fields.
func (l Lifetime) Config(prefix string) Config {
	return Config{Prefix: prefix, TTL: l.TTL, StaleWhileRevalidate: l.StaleWhileRevalidate}
}

const (
	// DefaultMaxBody is the most that an Upstash value of 512 KB can hold.
	DefaultMaxBody = 512 << 10
	// DefaultTimeout is how long the handler may take for an answer that is to
	// be stored.
	DefaultTimeout = 30 * time.Second
)

// Name is the name of the class of values in the cache; it makes a Config a
// handle for package invalidate.
func (c Config) Name() string { return route.PlainName(c.Prefix) }

func (c Config) withDefaults() Config {
	a := &c.Advanced
	if a.MaxBody == 0 {
		a.MaxBody = DefaultMaxBody
	}
	if a.TagFields == nil {
		a.TagFields = []string{"Cache-Tag", "Surrogate-Key"}
	}
	if a.Encodings == nil {
		a.Encodings = append(slices.Clone(route.BrowserEncodings), "")
	}
	if a.Timeout == 0 {
		a.Timeout = DefaultTimeout
	}
	if a.CDN.TTL > 0 && a.CDN.Fields == nil {
		a.CDN.Fields = []string{"CDN-Cache-Control"}
	}
	a.NeverReplay = rfc9111.CanonicalAll(a.NeverReplay)
	a.TagFields = rfc9111.CanonicalAll(a.TagFields)
	a.IdentityFields = rfc9111.CanonicalAll(a.IdentityFields)
	c.Vary = rfc9111.Union(rfc9111.CanonicalAll(c.Vary), nil)
	return c
}

// wrong names the field that is.
func wrong(field, format string, args ...any) error {
	return fmt.Errorf("handler: Config.%s %s", field, fmt.Sprintf(format, args...))
}

func (c Config) check() error {
	switch {
	case c.Prefix == "":
		return wrong("Prefix", "is empty")
	case c.TTL <= 0:
		return wrong("TTL", "is %s, want more than 0; package httpcache goes by the answers' own headers", c.TTL)
	case len(c.Name()) > 128:
		return wrong("Prefix", "has %d bytes, want at most 128", len(c.Name()))
	case c.StaleWhileRevalidate < 0, c.StaleIfError < 0, c.Negative < 0:
		return wrong("StaleWhileRevalidate, StaleIfError or Negative", "is negative")
	case c.Public && c.Identity != nil:
		return wrong("Identity", "is set, and Public says that who asks does not count")
	case c.Advanced.MaxBody < 0:
		return wrong("Advanced.MaxBody", "is negative")
	case c.Advanced.MaxVariants < 0:
		return wrong("Advanced.MaxVariants", "is negative")
	case len(c.Vary) > rfc9111.MaxVary:
		return wrong("Vary", "has %d names, want at most %d", len(c.Vary), rfc9111.MaxVary)
	}
	return checkTags(c.Tags)
}

func checkTags(tags []string) error {
	if len(tags) > strategies.MaxTags {
		return wrong("Tags", "has %d tags, want at most %d", len(tags), strategies.MaxTags)
	}
	for _, t := range tags {
		if t == "" {
			return wrong("Tags", "has an empty tag")
		}
		if strings.Count(t, "{") != strings.Count(t, "}") {
			return wrong("Tags", "has %q with an open brace", t)
		}
	}
	return nil
}

// settings are what the route of c keeps.
func (c Config) settings() route.Settings {
	functions := [...]bool{c.Key != nil, c.Skip != nil, c.Identity != nil}
	class := strategies.Config{
		Name: c.Name(), TTL: c.TTL,
		StaleWhileRevalidate: c.StaleWhileRevalidate, StaleIfError: c.StaleIfError,
		Version: route.Version(c.Version), Tags: route.Fixed(c.Tags),
		Advanced: strategies.Advanced{HardTimeout: c.Advanced.Timeout, Expendable: c.Advanced.Expendable},
	}
	a := c.Advanced
	c.Key, c.Skip, c.Identity = nil, nil, nil
	return route.Settings{
		Class: class, TTL: c.TTL, Description: fmt.Sprintf("%v %#v", functions, c),
		Functions: functions != [3]bool{},
		MaxBody:   a.MaxBody, TagFields: a.TagFields, ShowKey: a.ShowKey, MaxVariants: cmp.Or(a.MaxVariants, 100), NeverReplay: append(a.NeverReplay, "Clear-Site-Data", "Set-Cookie2"), Detach: a.Detach, Ranges: true,
	}
}

// route checks cfg and finds its route, for mounting or for warming.
func (c Config) route(store *strategies.Store, mount bool) (Config, *route.Route) {
	if err := c.check(); err != nil {
		panic(err.Error())
	}
	c = c.withDefaults()
	return c, route.For(store, c.settings(), mount)
}
