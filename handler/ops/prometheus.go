package ops

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/cldcde/restash/handler/internal/route"
	"github.com/cldcde/restash/strategies"
)

// writePrometheus writes the counters of this instance in Prometheus' text
// format, version 0.0.4.
func writePrometheus(w http.ResponseWriter, store *strategies.Store) {
	st := store.Stats()
	var p promText
	p.counter("hits", "Answers from the cache, stale ones among them.", st.Hits)
	p.counter("stale", "Answers from the cache past their lifetime.", st.Stale)
	p.counter("misses", "Answers that were loaded.", st.Misses)
	p.counter("bypass", "Answers that did not ask the cache.", st.Bypass)
	p.counter("errors", "Reads and stores that failed.", st.Errors)
	p.counter("coalesced", "Answers that shared another caller's load.", st.Coalesced)
	p.counter("refreshes", "Refreshes of stale values.", st.Refreshes)
	p.counter("refreshes_failed", "Refreshes that failed.", st.RefreshesFailed)
	p.counter("oversized", "Values too big to be stored.", st.Oversized)
	p.counter("audited", "Hits that were compared with their loader.", st.Audited)
	p.counter("outdated", "Audited hits that differed though nothing was invalidated.", st.Outdated)
	p.counter("shed", "Refreshes, audits and warm-ups left out so that the quota lasts.", st.Shed)
	p.gauge("quota_limit", "Commands that the quota allows, 0 without one.", float64(st.Quota.Limit))
	p.gauge("quota_used", "Commands of it that are used.", float64(st.Quota.Used))
	p.gauge("quota_saving", "0 if nothing is left out, 1 optional work, 2 expendable classes, 3 all reads.", float64(st.Quota.Saving))
	p.counter("commands", "Billed commands sent.", st.Commands)
	p.counter("commands_saved", "Billed commands that sharing and local copies saved.", st.CommandsSaved)
	p.counter("round_trips", "HTTP round trips to Redis.", st.Trips)
	p.counter("sent_bytes", "Bytes of commands.", st.BytesOut)
	p.counter("received_bytes", "Bytes of replies.", st.BytesIn)
	p.counter("invalidations", "Invalidations asked for.", st.Invalidations)
	p.gauge("pending_invalidations", "Invalidations not yet confirmed.", float64(st.Pending))
	p.gauge("breaker_open", "1 if the breaker is open, 0.5 if it tries, 0 if it is closed.", breakerLevel(st.Breaker.String()))
	p.gauge("disabled", "1 if the Store always loads.", boolean(st.Disabled))
	p.family("read_seconds", "gauge", "Duration of cache reads.")
	for _, q := range []struct {
		label string
		value time.Duration
	}{{"mean", st.AvgLatency}, {"p50", st.P50}, {"p99", st.P99}} {
		p.sample("read_seconds", `{stat="`+q.label+`"}`, q.value.Seconds())
	}
	p.handles(st.Handles)
	p.routes(store)
	h := w.Header()
	h.Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte(p.String())) // an error means that the client has left
}

func breakerLevel(state string) float64 {
	switch state {
	case "open":
		return 1
	case "half-open":
		return 0.5
	}
	return 0
}

func boolean(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// promText builds the text format.
type promText struct{ strings.Builder }

const promPrefix = "restash_"

func (p *promText) family(name, kind, help string) {
	fmt.Fprintf(p, "# HELP %s%s %s\n# TYPE %s%s %s\n", promPrefix, name, help, promPrefix, name, kind)
}

func (p *promText) sample(name, labels string, value float64) {
	fmt.Fprintf(p, "%s%s%s %v\n", promPrefix, name, labels, value)
}

func (p *promText) counter(name, help string, value int64) {
	p.family(name+"_total", "counter", help)
	fmt.Fprintf(p, "%s%s_total %d\n", promPrefix, name, value)
}

func (p *promText) gauge(name, help string, value float64) {
	p.family(name, "gauge", help)
	p.sample(name, "", value)
}

func (p *promText) handles(handles map[string]strategies.HandleStats) {
	p.family("handle_answers_total", "counter", "Answers by class of values and result.")
	for _, name := range sortedNames(handles) {
		h := handles[name]
		for _, s := range []struct {
			result string
			n      int64
		}{{"hit", h.Hits - h.Stale}, {"stale", h.Stale}, {"miss", h.Misses}, {"bypass", h.Bypass}} {
			fmt.Fprintf(p, "%shandle_answers_total{handle=%q,result=%q} %d\n", promPrefix, name, s.result, s.n)
		}
	}
	p.family("handle_commands_total", "counter", "Billed commands by class of values.")
	for _, name := range sortedNames(handles) {
		fmt.Fprintf(p, "%shandle_commands_total{handle=%q} %d\n", promPrefix, name, handles[name].Commands)
	}
}

// routes writes what the middlewares answered, by preset and result, with how
// long it took; the histogram's count is the number of answers.
func (p *promText) routes(store *strategies.Store) {
	all := route.All(store)
	p.family("http_answer_seconds", "histogram", "Time to answer, by preset and result.")
	for _, r := range all {
		n := &r.Count
		p.histogram("http_answer_seconds", r.Name(), "hit", &n.Hits)
		p.histogram("http_answer_seconds", r.Name(), "stale", &n.Stale)
		p.histogram("http_answer_seconds", r.Name(), "miss", &n.Misses)
		p.histogram("http_answer_seconds", r.Name(), "bypass", &n.Bypass)
	}
	p.family("http_reasons_total", "counter", "Answers that were not the cache's, by preset, result and the word of Cache-Status.")
	for _, r := range all {
		p.reasons(r.Name(), "bypass", r.Count.BypassReasons.All())
		p.reasons(r.Name(), "miss", r.Count.MissReasons.All())
	}
}

func (p *promText) histogram(name, preset, result string, h *route.Histogram) {
	labels := fmt.Sprintf("preset=%q,result=%q", preset, result)
	var n int64
	for i, in := range h.Buckets() {
		n += in
		bound := "+Inf"
		if i < len(route.Bounds) {
			bound = strconv.FormatFloat(route.Bounds[i].Seconds(), 'g', -1, 64)
		}
		fmt.Fprintf(p, "%s%s_bucket{%s,le=%q} %d\n", promPrefix, name, labels, bound, n)
	}
	fmt.Fprintf(p, "%s%s_sum{%s} %v\n", promPrefix, name, labels, h.Sum().Seconds())
	fmt.Fprintf(p, "%s%s_count{%s} %d\n", promPrefix, name, labels, n)
}

func (p *promText) reasons(preset, result string, counts map[string]int64) {
	for _, why := range sortedNames(counts) {
		fmt.Fprintf(p, "%shttp_reasons_total{preset=%q,result=%q,reason=%q} %d\n", promPrefix, preset, result, why, counts[why])
	}
}
