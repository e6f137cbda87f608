package handler

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"

	"github.com/cldcde/restash/handler/internal/record"
	"github.com/cldcde/restash/handler/internal/rfc9111"
	"github.com/cldcde/restash/handler/internal/route"
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
		cfg, r := cfg.route(store, false)
		w := warming{cfg: cfg, route: r, app: h, urls: map[string]string{}, tags: map[string][]string{}, errs: map[string]error{}}
		return w.run(ctx, part)
	})
}

// warming is one run of a Warm step.
type warming struct {
	cfg   Config
	route *route.Route
	app   http.Handler
	urls  map[string]string // by key
	tags  map[string][]string

	header http.Header // of the requests of this round

	mu   sync.Mutex
	late []string         // keys whose answers need a load of their own
	errs map[string]error // by key
}

func (w *warming) run(ctx context.Context, urls []string) (strategies.WarmReport, error) {
	report := strategies.WarmReport{Errors: map[string]error{}}
	keys := make([]string, 0, len(urls))
	for _, u := range urls {
		m := &route.Mark{Route: w.route}
		err := m.Send(ctx, w.app, route.Target{URL: u})
		if err == nil && !m.Found {
			err = route.ErrNoRoute
		}
		if err != nil {
			report.Failed++
			report.Errors[u] = err
			continue
		}
		if _, twice := w.urls[m.Key]; !twice {
			keys = append(keys, m.Key)
		}
		w.urls[m.Key], w.tags[m.Key] = u, m.Tags
	}
	for _, encoding := range w.encodings() {
		w.header = route.Encoded(encoding)
		if err := w.warm(ctx, keys, &report); err != nil {
			return report, err
		}
	}
	return report, nil
}

// encodings are what to ask for: one that counts for nothing where the handler
// does not see the field.
func (w *warming) encodings() []string {
	if slices.Contains(w.cfg.Vary, "Accept-Encoding") {
		return w.cfg.Advanced.Encodings
	}
	return []string{""}
}

func (w *warming) warm(ctx context.Context, keys []string, report *strategies.WarmReport) error {
	w.late, w.errs = nil, map[string]error{}
	opts := []strategies.Option{strategies.KeyTags(func(key string) []string { return w.tags[key] })}
	if known := w.cfg.Vary; len(known) > 0 {
		opts = append(opts, strategies.Variant(rfc9111.VariantOf(known, w.header)))
	}
	part, err := w.route.Cache.Warm(ctx, keys, w.load, opts...)
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
	for _, key := range w.late {
		if err := ctx.Err(); err != nil {
			return err
		}
		w.route.WarmServed(ctx, w.app, report, route.Target{URL: w.urls[key], Header: w.header})
	}
	return nil
}

// errSome says that some answers of a batch failed; each has its own error.
var errSome = errors.New("handler: not every answer could be made")

// load makes the answers of a batch.
func (w *warming) load(ctx context.Context, keys []string) (map[string]*record.Response, error) {
	made := make(map[string]*record.Response, len(keys))
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, key := range keys {
		m := &route.Mark{Route: w.route, Want: route.WantAnswer}
		err := m.Send(ctx, w.app, route.Target{URL: w.urls[key], Header: w.header})
		switch {
		case err == nil && m.Late:
			w.late = append(w.late, key)
			continue
		case err == nil && m.Resp == nil:
			err = fmt.Errorf("%w: %s", route.ErrNotStorable, m.Why)
		}
		if err != nil {
			w.errs[key] = err
			continue
		}
		made[key] = m.Resp
	}
	if len(w.errs) > 0 {
		return made, errSome
	}
	return made, nil
}
