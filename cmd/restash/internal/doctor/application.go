package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// report is what the checks read of a metrics endpoint.
type report struct {
	Metrics struct {
		Hits          float64 `json:"hits"`
		Misses        float64 `json:"misses"`
		HitRate       float64 `json:"hitRate"`
		TotalRequests float64 `json:"totalRequests"`
	} `json:"metrics"`
	Cache struct {
		Breaker      string  `json:"breaker"`
		BreakerCause string  `json:"breakerCause"`
		Pending      float64 `json:"pending"`
		Oversized    float64 `json:"oversized"`
		Disabled     bool    `json:"disabled"`
		Audited      float64 `json:"audited"`
		Outdated     float64 `json:"outdated"`
		OutdatedAge  float64 `json:"outdatedAge"` // seconds
		Quota        struct {
			Period string  `json:"period"`
			Limit  float64 `json:"limit"`
			Used   float64 `json:"used"`
			Saving string  `json:"saving"`
		} `json:"quota"`
	} `json:"cache"`
	Namespace string `json:"namespace"`
	Routes    []struct {
		Name string  `json:"name"`
		Hits float64 `json:"hits"`
	} `json:"routes"`
}

// application asks a running application how its cache does.
func (x *examination) application(ctx context.Context) {
	if x.MetricsURL == "" {
		x.note("application", Skip, "", "none asked: --url names the metrics endpoint of a running one")
		return
	}
	r, err := askReport(ctx, x.MetricsURL)
	if err != nil {
		x.note("application", Fail, "is the application running, and --url the address of ops.Metrics?", "%v", err)
		return
	}
	x.judge(r)
}

func askReport(ctx context.Context, url string) (r report, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return r, fmt.Errorf("--url is no address: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return r, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return r, fmt.Errorf("it answered %s", resp.Status)
	}
	return r, json.NewDecoder(io.LimitReader(resp.Body, 4<<20)).Decode(&r)
}

func (x *examination) judge(r report) {
	if r.Cache.Disabled {
		x.note("application", Warn, "unset RESTASH_DISABLE and StoreConfig.Disabled when the reason is gone", "its cache is switched off")
		return
	}
	x.breaker(r)
	if r.Cache.Pending > 0 {
		x.note("pending", Warn, "they are sent again by themselves once Redis answers; until then other instances may serve the old values",
			"%.0f invalidations are not confirmed by Redis", r.Cache.Pending)
	} else {
		x.note("pending", OK, "", "every invalidation is confirmed")
	}
	if r.Cache.Oversized > 0 {
		x.note("size", Warn, "store less in one value, or raise client.Limits to what the plan allows", "%.0f values were too large to be stored", r.Cache.Oversized)
	}
	x.quota(r)
	x.consistency(r)
	if other := r.Namespace; other != "" && other != x.Namespace {
		x.note("application", Warn, "use the same namespace in both: --namespace "+other, "it caches in namespace %s, and %s was examined", other, x.Namespace)
		return
	}
	x.hitRate(r)
	x.unread(r)
}

func (x *examination) breaker(r report) {
	switch r.Cache.Breaker {
	case "", "closed":
		x.note("breaker", OK, "", "closed")
	default:
		cause := r.Cache.BreakerCause
		if cause == "" {
			cause = "unknown"
		}
		x.note("breaker", Warn, "mend the cause: the breaker tries again by itself", "%s: %s", r.Cache.Breaker, cause)
	}
}

// quota is about the one that the application was told; the plan's own cannot be
// seen over REST.
func (x *examination) quota(r report) {
	switch q := r.Cache.Quota; {
	case q.Limit == 0:
		x.note("quota", Skip, "", "none is set (StoreConfig.Quota); the database's page in the console shows what is used")
	case q.Saving != "nothing":
		x.note("quota", Warn, "raise the plan and StoreConfig.Quota, lengthen TTLs, or mark more classes as Expendable",
			"%.0f of the %s's %.0f commands are used, which is too fast: left out are %s", q.Used, q.Period, q.Limit, q.Saving)
	default:
		x.note("quota", OK, "", "%.0f of the %s's %.0f commands are used", q.Used, q.Period, q.Limit)
	}
}

func (x *examination) consistency(r report) {
	switch c := r.Cache; {
	case c.Audited == 0:
		x.note("consistency", Skip, "", "no hit was audited (StoreConfig.Audit)")
	case c.Outdated > 0:
		x.note("consistency", Warn, "invalidate where that data is written: the log names the classes, Trace.Outdated the keys",
			"%.0f of %.0f audited hits were outdated, by %.0f s in the mean", c.Outdated, c.Audited, c.OutdatedAge)
	default:
		x.note("consistency", OK, "", "none of %.0f audited hits was outdated", c.Audited)
	}
}

// enough is how many requests a hit rate must be of to mean something.
const enough = 50

func (x *examination) hitRate(r report) {
	switch n := r.Metrics.TotalRequests; {
	case n < enough:
		x.note("hit rate", Skip, "", "%.2f of %.0f requests: too few to judge", r.Metrics.HitRate, n)
	case r.Metrics.HitRate < 0.5:
		x.note("hit rate", Warn, "see TTL, invalidation and keys above for why; restash inspect NAME KEY explains a single entry", "%.2f of %.0f requests", r.Metrics.HitRate, n)
	default:
		x.note("hit rate", OK, "", "%.2f of %.0f requests", r.Metrics.HitRate, n)
	}
}

// unread looks for classes of which entries were stored, such as by warming,
// that the application does not read.
func (x *examination) unread(r report) {
	if x.entries == nil || len(r.Routes) == 0 || r.Metrics.TotalRequests < enough {
		return
	}
	known := map[string]float64{}
	for _, route := range r.Routes {
		known[route.Name] = route.Hits
	}
	var never []string
	seen := map[string]bool{}
	for _, e := range x.entries.entries {
		if hits, reads := known[e.Name]; !seen[e.Name] && (!reads || hits == 0) {
			never = append(never, e.Name)
		}
		seen[e.Name] = true
	}
	if len(never) > 0 {
		x.note("warmed", Warn, "warm what is read: with the same names, keys and options as the routes (handler.Warm does that by itself)",
			"entries of %s are stored and the application has no hit on them", strings.Join(never, ", "))
		return
	}
	x.note("warmed", OK, "", "every class of entries is read")
}
