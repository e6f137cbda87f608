package page

import (
	"embed"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/cldcde/restash/handler/ops"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/upstashtest"
)

//go:embed assets
var assets embed.FS

// policy allows the page its own files and requests to its own origin, and
// nothing else: it works without a network, and no text of the catalogue can
// become a script.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Config says what the page shows. App, Plain and Store must be set.
type Config struct {
	// App is the sample under the cache, Plain the same on the same database without one.
	App, Plain http.Handler
	// Store is the App's.
	Store *strategies.Store
	// Redis is the local server behind Store; nil if it is another's, which the
	// page must not take away.
	Redis *upstashtest.Server
	// Controls are the switches, the load and the buttons that invalidate: for
	// development on loopback only.
	Controls bool
	// BreakerOpen is how long the breaker stays open, for people.
	BreakerOpen time.Duration
}

func (c Config) validate() error {
	if c.App == nil || c.Plain == nil || c.Store == nil {
		return errors.New("page: App, Plain and Store must be set")
	}
	return nil
}

// page is safe for concurrent use.
type page struct {
	config Config
	asking sync.Mutex // one measurement at a time: the bill is a difference
	power  power
}

// New returns the page at / and what it needs; all other paths are the App's.
// It returns an error that names the field of config that is missing.
func New(config Config) (http.Handler, error) {
	if err := config.validate(); err != nil {
		return nil, err
	}
	p := &page{config: config, power: power{server: config.Redis}}
	mux := http.NewServeMux()
	mux.Handle("/", config.App)
	mux.HandleFunc("GET /{$}", asset("index.html", "text/html; charset=utf-8"))
	mux.HandleFunc("GET /page/style.css", asset("style.css", "text/css; charset=utf-8"))
	mux.HandleFunc("GET /page/script.js", asset("script.js", "text/javascript; charset=utf-8"))
	mux.HandleFunc("GET /page/icon.svg", asset("icon.svg", "image/svg+xml"))
	mux.HandleFunc("GET /page/state", p.state)
	mux.HandleFunc("GET /page/ask", p.ask)
	mux.HandleFunc("GET /api", p.routes)
	if config.Controls {
		mux.Handle("GET /admin/cache", ops.Dashboard(config.Store))
		ours := http.NewCrossOriginProtection() // other sites may not press our buttons; the App sees to its own
		mux.Handle("POST /page/redis", ours.Handler(http.HandlerFunc(p.turn)))
		mux.Handle("POST /page/invalidate", ours.Handler(http.HandlerFunc(p.invalidate)))
		mux.Handle("POST /page/load", ours.Handler(http.HandlerFunc(p.load)))
	}
	return mux, nil
}

// asset serves one embedded file.
func asset(name, kind string) http.HandlerFunc {
	content, err := assets.ReadFile("assets/" + name)
	if err != nil {
		panic(err) // embedded: it is there in every build or in none
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Content-Type", kind)
		h.Set("Content-Security-Policy", policy)
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		_, _ = w.Write(content) // an error means that the browser has left
	}
}

// routes shows the App's list of routes, which is at / where there is no page.
func (p *page) routes(w http.ResponseWriter, r *http.Request) {
	r = r.Clone(r.Context())
	r.URL.Path, r.URL.RawPath = "/", ""
	p.config.App.ServeHTTP(w, r)
}

// status is what the page knows of the cache.
type status struct {
	Redis       string  `json:"redis"`
	Controls    bool    `json:"controls"`
	Breaker     string  `json:"breaker"`
	Cause       string  `json:"cause"`
	OpenSeconds float64 `json:"openSeconds"`
	Pending     int64   `json:"pending"`
	HitRate     float64 `json:"hitRate"`
	Requests    int64   `json:"requests"`
	Commands    int64   `json:"commands"`
}

func (p *page) state(w http.ResponseWriter, _ *http.Request) { p.tell(w) }

func (p *page) tell(w http.ResponseWriter) {
	s := p.config.Store.Stats()
	redis := p.power.now()
	if !p.config.Store.Enabled() {
		redis = "none"
	}
	answer(w, status{
		Redis: redis, Controls: p.config.Controls, Breaker: s.Breaker.String(), Cause: s.BreakerCause,
		OpenSeconds: p.config.BreakerOpen.Seconds(), Pending: s.Pending, HitRate: s.HitRate(),
		Requests: s.Hits + s.Misses + s.Bypass, Commands: s.Commands,
	})
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(v) // an error means that the browser has left
}

func refuse(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"message": message})
}

// isRoute keeps the page's own requests to routes of the App.
func isRoute(path string) bool { return strings.HasPrefix(path, "/api/") }
