package ops

import (
	"context"
	"time"

	"github.com/cldcde/restash/handler/internal/route"
	"github.com/cldcde/restash/strategies"
)

// report is the JSON of the dashboard: the metrics, and what an operator asks next.
type report struct {
	document
	// Instance are the basics of this instance, beside the fleet's in Metrics.
	Instance basics `json:"instance"`
	Totals   totals `json:"totals"`
	Today    today  `json:"today"`
	// History are the totals at some times of the last quarter of an hour.
	History []sample `json:"history"`
	Rows    []row    `json:"rows"`
	// TopMisses are keys of this instance, the worst first.
	TopMisses []keyMisses `json:"topMisses,omitempty"`
}

// totals are the sums of the rows.
type totals struct {
	Hits   int64 `json:"hits"` // without the stale ones
	Stale  int64 `json:"stale"`
	Misses int64 `json:"misses"`
	Bypass int64 `json:"bypass"`
	Errors int64 `json:"errors"`
}

// today is what has happened since midnight UTC, or since the process began.
type today struct {
	Since         time.Time `json:"since"`
	Answers       int64     `json:"answers"`
	FromCache     int64     `json:"fromCache"`
	Commands      int64     `json:"commands"`
	CommandsSaved int64     `json:"commandsSaved"`
	// LoadSecondsSaved is what the loaders would have taken for what came from the cache.
	LoadSecondsSaved float64 `json:"loadSecondsSaved"`
}

type sample struct {
	At int64 `json:"at"` // in milliseconds since 1970
	totals
	Commands int64  `json:"commands"`
	Breaker  string `json:"breaker"`
}

// row is one function or route. Latencies are those of its loader, or handler, in
// milliseconds.
type row struct {
	Name     string  `json:"name"`
	Route    bool    `json:"route"`
	TTL      float64 `json:"ttl,omitempty"`
	Hits     int64   `json:"hits"` // without the stale ones
	Stale    int64   `json:"stale"`
	Misses   int64   `json:"misses"`
	Bypass   int64   `json:"bypass"`
	LoadP50  float64 `json:"loadP50"`
	LoadP99  float64 `json:"loadP99"`
	Commands int64   `json:"commands"`
	Errors   int64   `json:"errors"`
	Unstored int64   `json:"unstored"`
	reasons
}

type keyMisses struct {
	Name   string `json:"name"`
	Key    string `json:"key"`
	Misses int64  `json:"misses"`
}

// shownKeys is how many keys the dashboard lists.
const shownKeys = 12

func reportOf(ctx context.Context, store *strategies.Store) report {
	st := store.Stats()
	samples, day := route.Recent(store)
	r := report{
		document: gather(ctx, store), Instance: basicsOf(st.Hits, st.Misses, st.Errors, st.AvgLatency),
		Totals: totalsOf(samples[len(samples)-1]), Today: todayOf(day), Rows: rowsOf(store, st.Handles),
	}
	for _, s := range samples {
		r.History = append(r.History, sample{At: s.At.UnixMilli(), totals: totalsOf(s), Commands: s.Commands, Breaker: s.Breaker})
	}
	for _, k := range store.TopMisses(shownKeys) {
		r.TopMisses = append(r.TopMisses, keyMisses(k))
	}
	return r
}

func totalsOf(s route.Sample) totals {
	return totals{Hits: s.Hits, Stale: s.Stale, Misses: s.Misses, Bypass: s.Bypass, Errors: s.Errors}
}

func todayOf(day route.Sample) today {
	cached := day.Hits + day.Stale
	return today{
		Since: day.At, Answers: cached + day.Misses + day.Bypass, FromCache: cached,
		Commands: day.Commands, CommandsSaved: day.CommandsSaved, LoadSecondsSaved: day.LoadTimeSaved.Seconds(),
	}
}

// rowsOf lists the routes, then the functions.
func rowsOf(store *strategies.Store, handles map[string]strategies.HandleStats) []row {
	rows := []row{}
	for _, r := range route.All(store) {
		n, h := &r.Count, handles[r.Name()]
		rows = append(rows, rowOf(h, row{
			Name: r.Name(), Route: true, TTL: r.TTL.Seconds(),
			Hits: n.Hits.Count(), Stale: n.Stale.Count(), Misses: n.Misses.Count(), Bypass: n.Bypass.Count(),
			Unstored: n.Passed.Load() + n.Oversized.Load(), reasons: reasonsOf(n),
		}))
		delete(handles, r.Name())
	}
	for _, name := range sortedNames(handles) {
		h := handles[name]
		rows = append(rows, rowOf(h, row{
			Name: name, Hits: h.Hits - h.Stale, Stale: h.Stale, Misses: h.Misses, Bypass: h.Bypass, Unstored: h.Oversized,
		}))
	}
	return rows
}

func rowOf(h strategies.HandleStats, r row) row {
	r.LoadP50, r.LoadP99 = milliseconds(h.LoadP50), milliseconds(h.LoadP99)
	r.Commands, r.Errors = h.Commands, h.Errors
	return r
}
