package catalog

import (
	"context"
	"net/http"

	"github.com/cldcde/restash/strategies"
)

// New wires an App and touches no network. It returns an error that names the
// field of config that is wrong.
func New(config Config) (*App, error) {
	if err := config.validate(); err != nil {
		return nil, err
	}
	config = config.withDefaults()
	a := &App{config: config, db: config.Database, store: config.Store}
	a.users = strategies.New[User](a.store, strategies.Config{
		Name: UserProfile.Name(), TTL: UserProfile.TTL,
		StaleWhileRevalidate: UserProfile.StaleWhileRevalidate, Tags: UserProfile.Tags,
	})
	a.featured = strategies.New[Item](a.store, strategies.Config{
		Name: Featured.Name(), TTL: Featured.TTL,
		StaleWhileRevalidate: Featured.StaleWhileRevalidate, Tags: Featured.Tags,
	})
	a.cdn = a.newPurger()
	a.serve = a.guard(a.routes())
	return a, nil
}

// ServeHTTP answers a request. Behind the answer it tells the CDN what it could
// not be told before.
func (a *App) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.serve.ServeHTTP(w, r)
	if a.cdn.pending() > 0 {
		_ = http.NewResponseController(w).Flush() // where nothing can be flushed the client waits
		a.cdn.send(context.WithoutCancel(r.Context()))
	}
}

// Close tells the CDN what is left, finishes background work and closes what
// [FromEnv] opened.
func (a *App) Close(ctx context.Context) error {
	if a.cdn.pending() > 0 {
		_ = a.store.Flush(ctx) // Redis hears of it first
		a.cdn.last(ctx)
	}
	if a.close == nil {
		return nil
	}
	return a.close(ctx)
}
