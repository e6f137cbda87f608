package handler

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/warm"
)

// Warm is a step that fills the preset cfg with the answers of h, the
// application's own mux, to GET requests for the given URLs (paths with their
// queries). The requests go through h as a client's would, so that the keys
// and the stored form are those that serving uses; the middleware of that
// preset takes them out. A first pass only asks for the keys; what is fresh is
// not made again.
//
// A URL that does not lead to the preset, and an answer that may not be
// stored, count as failed and stop nothing.
func Warm(cfg Config, h http.Handler, urls ...string) warm.Step {
	return WarmFunc(cfg, h, func(context.Context) ([]string, error) { return urls, nil })
}

// WarmFunc is [Warm] for URLs that have to be found out first.
func WarmFunc(cfg Config, h http.Handler, urls func(context.Context) ([]string, error)) warm.Step {
	return warm.Batches("routes "+cfg.Name(), urls, func(ctx context.Context, store *strategies.Store, part []string) (strategies.WarmReport, error) {
		w := warming{p: presetFor(store, cfg, false), h: h, urls: map[string]string{}, tags: map[string][]string{}, errs: map[string]error{}}
		return w.run(ctx, part)
	})
}

// mark goes with a warming request through the application, in its context: no
// client can send one.
type mark struct {
	preset *preset
	// produce asks for the answer; without it only the key is wanted.
	produce bool
	// through lets the request be served, and its answer stored, as a
	// client's that accepts nothing stored.
	through bool

	found bool
	key   string
	tags  []string
	resp  *response
	late  bool // the answer has tags or a Vary of its own
	why   refusal

	fresh, stored bool // of an answer that was served
	// commands and trips that serving it took
	commands, trips int
}

// answered reads how a request was answered.
func (m *mark) answered(h http.Header) {
	m.fresh = h.Get("X-Cache") == strategies.Hit.String()
	status := h["Cache-Status"]
	m.stored = len(status) > 0 && strings.Contains(status[len(status)-1], "; stored")
}

type markKey struct{}

func markOf(ctx context.Context) *mark {
	m, _ := ctx.Value(markKey{}).(*mark)
	return m
}

// warm serves a marked request: it reports the key, or hands over the answer.
func (c *cacher) warm(m *mark, r *http.Request) {
	cfg := c.p.cfg
	m.found = true
	m.key, m.tags = c.key(r), cfg.tags(r)
	switch {
	case m.through:
		w := newDiscard()
		x := exchange{p: c.p, next: c.next, w: w, r: unmarked(r), warming: m}
		x.serve()
		m.answered(w.header)
	case m.produce:
		c.produce(m, r)
	}
}

// unmarked is r for the handler, whose own requests through the application
// are no warming ones.
func unmarked(r *http.Request) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), markKey{}, (*mark)(nil)))
}

func (c *cacher) key(r *http.Request) string {
	x := exchange{p: c.p, r: r}
	if c.p.cfg.preset() {
		return c.p.cfg.presetKey(r)
	}
	return x.rfcKey()
}

// produce runs the handler as a load would, without a client.
func (c *cacher) produce(m *mark, r *http.Request) {
	cfg := c.p.cfg
	asked := cfg.innerRequest(unmarked(r))
	requested, received := time.Now(), time.Now()
	rec := newCapture(nil, nil, cfg.Advanced.MaxBody)
	rec.passing = func(refusal) {}
	rec.verdict = func(status int, h http.Header) fate {
		received = time.Now()
		return fate{why: cfg.storable(asked, status, h, received)}
	}
	func() {
		done := false
		defer func() { rec.finish(!done, asked.Context().Err() != nil) }()
		c.next.ServeHTTP(rec, asked)
		done = true
	}()
	if m.why = rec.why; m.why == "" && rec.status >= http.StatusMultipleChoices {
		m.why = refuseStatus // a negative answer has a lifetime of its own
	}
	if m.why != "" {
		return
	}
	resp := newResponse(rec.status, rec.frozen, trailers(rec.header, rec.frozen), rec.body, requested, received)
	names, _ := varyOf(resp.header)
	resp.vary = c.p.vary.of(m.key)
	if cfg.preset() {
		resp.vary = cfg.Vary
	}
	m.late = len(cfg.responseTags(resp.header)) > 0 || !cfg.preset() && !covers(resp.vary, names)
	resp.variant = variantOf(resp.vary, cfg.selecting(r.Header))
	cfg.dropTagFields(resp.header)
	if cfg.preset() {
		(&job{cfg: cfg}).identify(resp)
	}
	m.resp = resp
}

// warming is one run of a Warm step.
type warming struct {
	p    *preset
	h    http.Handler
	urls map[string]string // by key
	tags map[string][]string

	mu   sync.Mutex
	late []string         // keys whose answers need a load of their own
	errs map[string]error // by key
}

func (w *warming) run(ctx context.Context, urls []string) (strategies.WarmReport, error) {
	report := strategies.WarmReport{Errors: map[string]error{}}
	keys := make([]string, 0, len(urls))
	for _, u := range urls {
		m, err := w.ask(ctx, u, &mark{preset: w.p})
		if err == nil && !m.found {
			err = errNoPreset
		}
		if err != nil {
			report.Failed++
			report.Errors[u] = err
			continue
		}
		if _, twice := w.urls[m.key]; !twice {
			keys = append(keys, m.key)
		}
		w.urls[m.key], w.tags[m.key] = u, m.tags
	}
	if !w.p.cfg.preset() {
		w.late = keys
		return report, w.singly(ctx, &report)
	}
	err := w.warm(ctx, keys, &report)
	return report, err
}

// errNoPreset says that a URL does not lead through the preset's middleware.
var errNoPreset = errors.New("handler: the URL does not lead to this preset")

func (w *warming) warm(ctx context.Context, keys []string, report *strategies.WarmReport) error {
	opts := []strategies.Option{strategies.KeyTags(func(key string) []string { return w.tags[key] })}
	if known := w.p.cfg.Vary; len(known) > 0 {
		opts = append(opts, strategies.Variant(variantOf(known, http.Header{})))
	}
	part, err := w.p.cache.Warm(ctx, keys, w.load, opts...)
	report.Warmed += part.Warmed
	report.Fresh += part.Fresh
	report.Absent += part.Absent
	report.Failed += part.Failed
	report.Commands += part.Commands
	report.Trips += part.Trips
	report.Bytes += part.Bytes
	for key, e := range part.Errors {
		if own := w.errs[key]; own != nil {
			e = own
		}
		report.Errors[w.urls[key]] = e
	}
	if err != nil && !errors.Is(err, errSome) {
		return err
	}
	report.Absent -= len(w.late) // the batch took them for that
	return w.singly(ctx, report)
}

// errSome says that some answers of a batch failed; each has its own error.
var errSome = errors.New("handler: not every answer could be made")

// load makes the answers of a batch.
func (w *warming) load(ctx context.Context, keys []string) (map[string]*response, error) {
	made := make(map[string]*response, len(keys))
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, key := range keys {
		m, err := w.ask(ctx, w.urls[key], &mark{preset: w.p, produce: true})
		switch {
		case err == nil && m.late:
			w.late = append(w.late, key)
			continue
		case err == nil && m.resp == nil:
			err = fmt.Errorf("%w: %s", errNotStorable, m.why)
		}
		if err != nil {
			w.errs[key] = err
			continue
		}
		made[key] = m.resp
	}
	if len(w.errs) > 0 {
		return made, errSome
	}
	return made, nil
}

// errNotStorable says that the answer may not be stored, and why.
var errNotStorable = errors.New("handler: the answer may not be stored")

// singly warms the answers that name tags or a Vary of their own: these must
// be read before the answer is stored.
func (w *warming) singly(ctx context.Context, report *strategies.WarmReport) error {
	for _, key := range w.late {
		if err := ctx.Err(); err != nil {
			return err
		}
		served := &mark{preset: w.p, through: true}
		m, err := w.ask(ctx, w.urls[key], served)
		report.Commands += served.commands
		report.Trips += served.trips
		switch {
		case err == nil && m.fresh:
			report.Fresh++
			continue
		case err == nil && m.stored:
			report.Warmed++
			continue
		case err == nil:
			err = errNotStorable
		}
		report.Failed++
		report.Errors[w.urls[key]] = err
	}
	return nil
}

// ask sends a marked request through the application.
func (w *warming) ask(ctx context.Context, target string, m *mark) (got *mark, err error) {
	u, err := url.ParseRequestURI(target)
	if err != nil || u.Host == "" && !strings.HasPrefix(target, "/") {
		return nil, fmt.Errorf("handler: %q is no path", target)
	}
	r, err := http.NewRequestWithContext(context.WithValue(ctx, markKey{}, m), http.MethodGet, target, http.NoBody)
	if err != nil {
		return nil, err
	}
	r.Host, r.RequestURI = u.Host, u.RequestURI()
	defer func() {
		if p := recover(); p != nil {
			got, err = nil, fmt.Errorf("handler: the handler panicked: %v", p)
		}
	}()
	w.h.ServeHTTP(newDiscard(), r)
	return m, ctx.Err()
}

// discard is a ResponseWriter that nobody reads.
type discard struct{ header http.Header }

func newDiscard() *discard { return &discard{header: http.Header{}} }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(int)             {}
