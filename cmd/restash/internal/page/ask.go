package page

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/cldcde/restash/strategies"
)

// taken is how one request was answered.
type taken struct {
	Status int     `json:"status"`
	State  string  `json:"state"` // X-Cache
	Ms     float64 `json:"ms"`
	took   time.Duration
}

// compared is a request with its bill, beside the same one without a cache.
type compared struct {
	Path     string          `json:"path"`
	Cached   taken           `json:"cached"`
	Plain    taken           `json:"plain"`
	Commands int64           `json:"commands"`
	Trips    int64           `json:"trips"`
	Body     json.RawMessage `json:"body"`
}

// ask requests a route of the App with and without the cache and shows both.
func (p *page) ask(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Query().Get("path")
	if !isRoute(path) {
		refuse(w, http.StatusBadRequest, "path must be a route such as /api/extensions")
		return
	}
	req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, path, nil)
	if err != nil {
		refuse(w, http.StatusBadRequest, "path is no path")
		return
	}
	p.asking.Lock()
	defer p.asking.Unlock()
	before := p.spent(r.Context())
	cached, body := try(p.config.App, req)
	after := p.spent(r.Context())
	plain, _ := try(p.config.Plain, req)
	if !json.Valid(body) {
		body = []byte("null")
	}
	answer(w, compared{
		Path: path, Cached: cached, Plain: plain, Body: body,
		Commands: after.Commands - before.Commands, Trips: after.Trips - before.Trips,
	})
}

// spent is what the cache has cost so far, stores behind answers included.
func (p *page) spent(ctx context.Context) strategies.Stats {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	_ = p.config.Store.Flush(ctx) // without a Redis it fails, and nothing is spent
	return p.config.Store.Stats()
}

// try times a request inside the process: nothing but the App is measured.
func try(app http.Handler, req *http.Request) (taken, []byte) {
	w := recorder{header: http.Header{}, status: http.StatusOK}
	begin := time.Now()
	app.ServeHTTP(&w, req)
	took := time.Since(begin)
	return taken{Status: w.status, State: w.header.Get("X-Cache"), Ms: milliseconds(took), took: took}, w.body.Bytes()
}

// recorder keeps an answer in memory.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// The size of the load: enough for a median, over before anyone waits.
const (
	loadRequests = 200
	loadWorkers  = 8
)

// loadPaths are what the load asks for, in turn.
var loadPaths = []string{
	"/api/extensions", "/api/extensions?category=devtools", "/api/extensions?category=agents", "/api/extensions?sort=rating",
	"/api/mcp", "/api/mcp?category=database", "/api/mcp?sort=recent", "/api/categories", "/api/stats", "/api/extensions/openai-codex",
}

// loaded is what came of a load.
type loaded struct {
	Requests int            `json:"requests"`
	Failed   int            `json:"failed"`
	States   map[string]int `json:"states"`
	P50      float64        `json:"p50"`
	P99      float64        `json:"p99"`
	PlainP50 float64        `json:"plainP50"`
	PlainP99 float64        `json:"plainP99"`
	Commands int64          `json:"commands"`
	Trips    int64          `json:"trips"`
}

// load sends the same requests to the App with and without the cache.
func (p *page) load(w http.ResponseWriter, r *http.Request) {
	p.asking.Lock()
	defer p.asking.Unlock()
	before := p.spent(r.Context())
	cached := burst(p.config.App, r)
	after := p.spent(r.Context())
	plain := burst(p.config.Plain, r)
	l := loaded{
		Requests: len(cached), States: map[string]int{},
		P50: part(cached, 50), P99: part(cached, 99), PlainP50: part(plain, 50), PlainP99: part(plain, 99),
		Commands: after.Commands - before.Commands, Trips: after.Trips - before.Trips,
	}
	for _, t := range cached {
		l.States[t.State]++
		if t.Status != http.StatusOK {
			l.Failed++
		}
	}
	answer(w, l)
}

// burst returns the answers, the fastest first.
func burst(app http.Handler, r *http.Request) []taken {
	all := make([]taken, loadRequests)
	var group sync.WaitGroup
	for worker := range loadWorkers {
		group.Go(func() {
			for i := worker; i < loadRequests; i += loadWorkers {
				req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, loadPaths[i%len(loadPaths)], nil)
				if err != nil {
					panic(err) // the paths are ours
				}
				all[i], _ = try(app, req)
			}
		})
	}
	group.Wait()
	slices.SortFunc(all, func(a, b taken) int { return int(a.took - b.took) })
	return all
}

func part(sorted []taken, percent int) float64 { return sorted[len(sorted)*percent/100].Ms }
