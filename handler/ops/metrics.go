package ops

import (
	"context"
	"math"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/cldcde/restash/handler/internal/route"
	"github.com/cldcde/restash/strategies"
)

// Metrics answers GET requests with the counters of store: as JSON, and in
// Prometheus' text format to clients whose Accept field asks for text/plain or
// OpenMetrics.
//
// The member "metrics" of the JSON has hits, misses, errors, hitRate (hits of
// all requests, two decimals), avgLatency (of cache reads, in milliseconds, two
// decimals) and totalRequests (hits and misses). A stale answer counts as a
// hit, a bypass as neither. It is of this instance, or of all instances of the
// namespace if the Store has StoreConfig.FleetMetrics; "scope" says which, and
// "namespace" is that of the Store.
// "cache" holds more, of this instance.
func Metrics(store *strategies.Store, options ...Option) http.Handler {
	a := accessOf(options)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.refuse(w, r) || onlyMethods(w, r, http.MethodGet, http.MethodHead) {
			return
		}
		if wantsText(r.Header) {
			writePrometheus(w, store)
			return
		}
		writeJSON(w, http.StatusOK, gather(r.Context(), store))
	})
}

// document is the JSON of the metrics endpoint.
type document struct {
	Metrics basics `json:"metrics"`
	Scope   string `json:"scope,omitempty"`
	// Namespace tells a warm-up whether this application reads what it fills.
	Namespace string        `json:"namespace,omitempty"`
	Cache     *details      `json:"cache,omitempty"`
	Routes    []routeCounts `json:"routes,omitempty"`
}

// basics keep the names that dashboards know.
type basics struct {
	Hits          int64   `json:"hits"`
	Misses        int64   `json:"misses"`
	Errors        int64   `json:"errors"`
	HitRate       float64 `json:"hitRate"`
	AvgLatency    float64 `json:"avgLatency"`
	TotalRequests int64   `json:"totalRequests"`
}

func basicsOf(hits, misses, errors int64, latency time.Duration) basics {
	b := basics{Hits: hits, Misses: misses, Errors: errors, TotalRequests: hits + misses}
	if b.TotalRequests > 0 {
		b.HitRate = twoDecimals(float64(hits) / float64(b.TotalRequests))
	}
	b.AvgLatency = milliseconds(latency)
	return b
}

func twoDecimals(f float64) float64 { return math.Round(f*100) / 100 }

func milliseconds(d time.Duration) float64 {
	return twoDecimals(float64(d) / float64(time.Millisecond))
}

// details are what else a Store counts.
type details struct {
	Stale           int64   `json:"stale"`
	Negative        int64   `json:"negative"`
	Bypass          int64   `json:"bypass"`
	Coalesced       int64   `json:"coalesced"`
	Refreshes       int64   `json:"refreshes"`
	RefreshesFailed int64   `json:"refreshesFailed"`
	Oversized       int64   `json:"oversized"`
	Audited         int64   `json:"audited"`
	Outdated        int64   `json:"outdated"`
	OutdatedAge     float64 `json:"outdatedAge"` // mean, in seconds
	Shed            int64   `json:"shed"`
	LocalHits       int64   `json:"localHits"`
	P50             float64 `json:"p50"`
	P99             float64 `json:"p99"`
	LoadP50         float64 `json:"loadP50"`
	LoadP99         float64 `json:"loadP99"`
	Commands        int64   `json:"commands"`
	Trips           int64   `json:"trips"`
	CommandsSaved   int64   `json:"commandsSaved"`
	BytesOut        int64   `json:"bytesOut"`
	BytesIn         int64   `json:"bytesIn"`
	Invalidations   int64   `json:"invalidations"`
	Pending         int64   `json:"pending"`
	Breaker         string  `json:"breaker"`
	BreakerCause    string  `json:"breakerCause,omitempty"`
	Disabled        bool    `json:"disabled"`
	Quota           *quota  `json:"quota,omitempty"`
}

// quota is how far one is used, and what is left out so that it lasts.
type quota struct {
	Period string `json:"period"`
	Limit  int64  `json:"limit"`
	Used   int64  `json:"used"`
	Saving string `json:"saving"`
}

func quotaOf(q strategies.QuotaStats) *quota {
	if q.Limit == 0 {
		return nil
	}
	return &quota{q.Period, q.Limit, q.Used, q.Saving.String()}
}

// routeCounts are what one preset's middleware has answered in this instance.
type routeCounts struct {
	Name      string  `json:"name"`
	Hits      int64   `json:"hits"`
	Stale     int64   `json:"stale"`
	Misses    int64   `json:"misses"`
	Bypass    int64   `json:"bypass"`
	HitRate   float64 `json:"hitRate"`
	Passed    int64   `json:"passed"`
	Oversized int64   `json:"oversized"`
	Validated int64   `json:"validated"`
	Collapsed int64   `json:"collapsed"`
	TTL       float64 `json:"ttl"`
	// P50 and P99 of the answers that ran the handler, in milliseconds.
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	reasons
}

// reasons count the words of Cache-Status of what did not come from the cache.
type reasons struct {
	MissReasons   map[string]int64 `json:"missReasons,omitempty"`
	BypassReasons map[string]int64 `json:"bypassReasons,omitempty"`
}

func reasonsOf(n *route.Counters) reasons {
	return reasons{n.MissReasons.All(), n.BypassReasons.All()}
}

// gather reads the counters; the fleet's cost a command.
func gather(ctx context.Context, store *strategies.Store) document {
	st := store.Stats()
	d := document{
		Metrics: basicsOf(st.Hits, st.Misses, st.Errors, st.AvgLatency), Scope: "instance", Namespace: store.Namespace(),
		Cache: detailsOf(st), Routes: routesOf(store),
	}
	if all, err := store.Fleet(ctx); err == nil {
		d.Metrics, d.Scope = basicsOf(all.Hits, all.Misses, all.Errors, all.AvgLatency), "fleet"
	}
	return d
}

func detailsOf(st strategies.Stats) *details {
	return &details{
		Stale: st.Stale, Negative: st.Negative, Bypass: st.Bypass, Coalesced: st.Coalesced,
		Refreshes: st.Refreshes, RefreshesFailed: st.RefreshesFailed, Oversized: st.Oversized,
		Audited: st.Audited, Outdated: st.Outdated, OutdatedAge: twoDecimals(st.OutdatedAge.Seconds()),
		Shed: st.Shed, LocalHits: st.LocalHits, P50: milliseconds(st.P50), P99: milliseconds(st.P99),
		LoadP50: milliseconds(st.LoadP50), LoadP99: milliseconds(st.LoadP99),
		Commands: st.Commands, Trips: st.Trips, CommandsSaved: st.CommandsSaved,
		BytesOut: st.BytesOut, BytesIn: st.BytesIn,
		Invalidations: st.Invalidations, Pending: st.Pending,
		Breaker: st.Breaker.String(), BreakerCause: withoutAddresses(st.BreakerCause), Disabled: st.Disabled,
		Quota: quotaOf(st.Quota),
	}
}

func routesOf(store *strategies.Store) []routeCounts {
	var routes []routeCounts
	for _, r := range route.All(store) {
		n := &r.Count
		c := routeCounts{
			Name: r.Name(), Hits: n.Hits.Count() + n.Stale.Count(), Stale: n.Stale.Count(), Misses: n.Misses.Count(),
			Bypass: n.Bypass.Count(), Passed: n.Passed.Load(), Oversized: n.Oversized.Load(),
			Validated: n.Validated.Load(), Collapsed: n.Collapsed.Load(), TTL: r.TTL.Seconds(),
			P50: milliseconds(n.Misses.Quantile(0.5)), P99: milliseconds(n.Misses.Quantile(0.99)),
			reasons: reasonsOf(n),
		}
		if all := c.Hits + c.Misses; all > 0 {
			c.HitRate = twoDecimals(float64(c.Hits) / float64(all))
		}
		routes = append(routes, c)
	}
	return routes
}

// addresses are URLs, IP addresses and names of hosts.
var addresses = regexp.MustCompile(`(?i)\b[a-z]+://\S+|\[[0-9a-f:.%]+\](:\d+)?|\b\d{1,3}(\.\d{1,3}){3}(:\d+)?|\b([a-z0-9-]+\.)+[a-z][a-z0-9-]+(:\d+)?|\b[a-z0-9-]+:\d{2,5}\b|(lookup )\S+`)

// withoutAddresses is an error's text for people who need not know where Redis is.
func withoutAddresses(text string) string { return addresses.ReplaceAllString(text, "${6}(address)") }

// wantsText reports whether a client, such as Prometheus, prefers text.
func wantsText(h http.Header) bool {
	accept := strings.ToLower(strings.Join(h["Accept"], ","))
	return !strings.Contains(accept, "application/json") &&
		(strings.Contains(accept, "text/plain") || strings.Contains(accept, "application/openmetrics-text"))
}
