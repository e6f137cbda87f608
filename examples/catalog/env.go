package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/handler"
	"github.com/cldcde/restash/strategies"
)

// databaseNames are the variables that may name the database, the first one set
// counts. The second is what Vercel's marketplace calls it.
var databaseNames = []string{"DATABASE_URL", "POSTGRES_URL"}

// switchedOn reads a variable such as CATALOG_FLEET_METRICS.
func switchedOn(value string) bool {
	on, err := strconv.ParseBool(value)
	return err == nil && on
}

// FromEnv makes an [App] of the environment: Redis as [client.FromEnv] reads it,
// PostgreSQL from DATABASE_URL or POSTGRES_URL, and what [ConfigFromEnv] reads, each
// of which may be absent. driver is the name under which the program registered a
// PostgreSQL driver; config is the Store's, usually the zero value.
// CATALOG_FLEET_METRICS=1 makes the metrics those of all instances.
//
// Behind a pooler in transaction mode that knows no prepared statements add
// default_query_exec_mode=exec to the URL's parameters; that is pgx's.
//
// It touches no network: the schema is brought up to date by the first query, so
// that what is in the cache is served even while the database is away.
func FromEnv(driver string, config strategies.StoreConfig) (*App, error) {
	db, err := openPostgres(driver)
	if err != nil {
		return nil, err
	}
	database, err := NewDatabase(db, Postgres)
	if err != nil {
		return nil, err
	}
	database.PrepareOnUse()
	redis, err := client.FromEnv()
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	config.FleetMetrics = config.FleetMetrics || switchedOn(os.Getenv("CATALOG_FLEET_METRICS"))
	store, err := strategies.NewStore(redis, config)
	if err != nil {
		return nil, errors.Join(err, redis.Close(), db.Close())
	}
	app, err := New(ConfigFromEnv(database, store))
	if err != nil {
		return nil, errors.Join(err, redis.Close(), db.Close())
	}
	app.close = func(ctx context.Context) error {
		return errors.Join(store.Close(ctx), redis.Close(), db.Close())
	}
	return app, nil
}

// ConfigFromEnv returns a Config with the secrets of the environment
// (CATALOG_WRITE_TOKEN, CACHE_PURGE_SECRET, CRON_SECRET, CATALOG_SESSION_SECRET) and
// with CATALOG_CDN_TTL, such as 10s: how long a CDN may keep answers. On Vercel
// CATALOG_CDN_TOKEN tells the CDN of invalidations, with CATALOG_CDN_TEAM if the
// project belongs to a team.
func ConfigFromEnv(database *Database, store *strategies.Store) Config {
	return Config{
		CDN: cdnFromEnv(), Vercel: vercelFromEnv(),
		Database: database, Store: store,
		WriteToken:  os.Getenv("CATALOG_WRITE_TOKEN"),
		PurgeSecret: os.Getenv("CACHE_PURGE_SECRET"),
		CronSecret:  os.Getenv("CRON_SECRET"),
		SessionKey:  []byte(os.Getenv("CATALOG_SESSION_SECRET")),
	}
}

// cdnFromEnv speaks to Vercel's CDN alone where there is one: its own field is
// not passed on, and it may serve stale answers while it asks for new ones.
func cdnFromEnv() handler.CDN {
	value := os.Getenv("CATALOG_CDN_TTL")
	if value == "" {
		return handler.CDN{}
	}
	ttl, err := time.ParseDuration(value)
	if err != nil || ttl <= 0 {
		slog.Warn("CATALOG_CDN_TTL is no duration such as 10s; CDNs keep nothing", "value", value)
		return handler.CDN{}
	}
	cdn := handler.CDN{TTL: ttl, StaleWhileRevalidate: 6 * ttl}
	if os.Getenv("VERCEL") != "" {
		cdn.Fields, cdn.TagField = []string{"Vercel-CDN-Cache-Control"}, vercelTagField
	}
	return cdn
}

// vercelFromEnv takes what Vercel itself says of the project and its environment.
func vercelFromEnv() VercelCDN {
	token := strings.Trim(os.Getenv("CATALOG_CDN_TOKEN"), " \"'")
	if token == "" || os.Getenv("VERCEL") == "" {
		return VercelCDN{}
	}
	cdn := VercelCDN{Token: token, Project: os.Getenv("VERCEL_PROJECT_ID"), Team: os.Getenv("CATALOG_CDN_TEAM"), Target: "preview"}
	if cdn.Project == "" {
		slog.Warn("CATALOG_CDN_TOKEN needs VERCEL_PROJECT_ID; the CDN hears of no invalidation")
		return VercelCDN{}
	}
	if os.Getenv("VERCEL_ENV") == "production" {
		cdn.Target = "production"
	}
	return cdn
}

// openPostgres never repeats the URL in an error: it holds a password.
func openPostgres(driver string) (*sql.DB, error) {
	var url string
	for _, name := range databaseNames {
		if url = strings.Trim(os.Getenv(name), " \"'"); url != "" {
			break
		}
	}
	if !strings.HasPrefix(url, "postgres://") && !strings.HasPrefix(url, "postgresql://") {
		return nil, fmt.Errorf("catalog: %s must hold a postgres:// URL", strings.Join(databaseNames, " or "))
	}
	db, err := sql.Open(driver, url)
	if err != nil {
		return nil, fmt.Errorf("catalog: the database URL cannot be used with driver %q", driver)
	}
	db.SetMaxOpenConns(8) // many small instances share one database
	db.SetMaxIdleConns(4)
	db.SetConnMaxIdleTime(time.Minute) // a frozen instance wakes up with dead connections
	return db, nil
}

// Lazy serves an App that is made by the first request. If that fails the
// request is answered 503 and the next one tries again. What went wrong is
// logged, not told.
func Lazy(open func() (*App, error)) http.Handler { return &lazy{open: open} }

type lazy struct {
	open func() (*App, error)

	mu  sync.Mutex
	app *App
}

// ServeHTTP makes the App if need be and lets it answer.
func (l *lazy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	app, err := l.get()
	if err != nil {
		fail(slog.Default(), w, r, fmt.Errorf("start: %w", err))
		return
	}
	app.ServeHTTP(w, r)
}

func (l *lazy) get() (app *App, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer func() { // a wrong Config panics, and a panic would end the instance
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v", cause)
		}
	}()
	if l.app == nil {
		l.app, err = l.open()
	}
	return l.app, err
}
