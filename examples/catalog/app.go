package catalog

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/cldcde/restash/handler"
	"github.com/cldcde/restash/strategies"
)

// Config says what an [App] is made of. Database and Store must be set.
type Config struct {
	Database *Database
	Store    *strategies.Store
	// WriteToken is the bearer token that writing routes and login ask for. Without
	// one they answer 403 to everybody.
	WriteToken string
	// AllowWrites lets everybody write and log in. For development on loopback only.
	AllowWrites bool
	// PurgeSecret and CronSecret are the bearer tokens of POST /api/cache/invalidate
	// and of /api/cron/warm. Without one the route refuses everybody.
	PurgeSecret, CronSecret string
	// CDN lets a CDN in front keep the answers of cached routes for a short time,
	// and ask for new ones while it serves them: a refresh in the background where
	// instances have none. What it hears of invalidations is Vercel's to say; its TTL
	// is how old an answer may be beyond all promises. With a TagField answers carry
	// the names of all that an invalidation may replace. Default: nothing is said to a CDN.
	CDN handler.CDN
	// Vercel tells Vercel's CDN of invalidations, after Redis. It fails no write: what
	// could not be told is pending, and told by a later request.
	Vercel VercelCDN
	// SessionKey signs the cookie of the demo login. Default: random, so that
	// cookies are good for this process only.
	SessionKey []byte
	// Timeout bounds each request, because some platforms never end one themselves;
	// default [DefaultTimeout]. Warming by cron has WarmTimeout, default [DefaultWarmTimeout].
	Timeout, WarmTimeout time.Duration
	// Now is the clock of dates stored in the database; default [time.Now].
	Now func() time.Time
	// Logger gets requests that failed; default [slog.Default].
	Logger *slog.Logger
}

// Defaults of [Config].
const (
	DefaultTimeout     = 25 * time.Second
	DefaultWarmTimeout = 50 * time.Second
)

// invalidateTimeout bounds the work after a database write, which no reader's
// leaving may cut short.
const invalidateTimeout = 3 * time.Second

func (c Config) withDefaults() Config {
	if len(c.SessionKey) == 0 {
		c.SessionKey = make([]byte, 32)
		_, _ = rand.Read(c.SessionKey) // documented never to fail
	}
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	if c.WarmTimeout == 0 {
		c.WarmTimeout = DefaultWarmTimeout
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

func (c Config) validate() error {
	switch {
	case c.Database == nil:
		return errors.New("catalog: Database must be set")
	case c.Store == nil:
		return errors.New("catalog: Store must be set")
	case c.Timeout < 0 || c.WarmTimeout < 0:
		return errors.New("catalog: Timeout and WarmTimeout must not be negative")
	case c.CDN.TTL < 0 || c.CDN.StaleWhileRevalidate < 0:
		return errors.New("catalog: CDN must not have negative times")
	}
	return c.Vercel.validate()
}

// App is the sample platform: all routes, ready to serve. It is safe for
// concurrent use. It owns neither the database nor the Store; [FromEnv] returns
// one that does.
type App struct {
	config   Config
	db       *Database
	store    *strategies.Store
	users    *strategies.Cache[User]
	featured *strategies.Cache[Item]
	serve    http.Handler
	cdn      *purger
	close    func(context.Context) error
}

// preset is a row of the preset table as this App uses it, for serving and for
// warming alike: only the same preset finds what the other stored.
func (a *App) preset(config handler.Config) handler.Config {
	config.Advanced.CDN = a.config.CDN
	config.Advanced.CDN.TagField = "" // tagged writes more than the preset's own tags
	return config
}

// Store returns the Store that the App was made with.
func (a *App) Store() *strategies.Store { return a.store }

// now is a time as the database keeps it.
func (a *App) now() time.Time { return a.config.Now().UTC().Truncate(time.Millisecond) }
