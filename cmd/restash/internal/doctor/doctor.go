package doctor

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
)

// Level says how a check ended.
type Level string

// The levels. Only OK and Skip mean that all is well.
const (
	OK   Level = "ok"
	Warn Level = "warn"
	Fail Level = "fail"
	Skip Level = "skip" // could not be measured
)

// Finding is the verdict of one check.
type Finding struct {
	Check string `json:"check"`
	Level Level  `json:"level"`
	Says  string `json:"says"`
	Next  string `json:"next,omitempty"` // what to do
}

// Config says what to examine.
type Config struct {
	// Client is the database, as it would be used.
	Client client.Config
	// Namespace of the caches.
	Namespace string
	// MetricsURL is the metrics endpoint of a running application, "" for none.
	MetricsURL string
	// Sample is how many entries are looked at; 0 means 200.
	Sample int
}

// examination is one run. Checks note findings.
type examination struct {
	Config
	c        *client.Client
	findings []Finding
	entries  *survey // nil if they could not be read
}

func (x *examination) note(check string, level Level, next, format string, args ...any) {
	if level == OK {
		next = ""
	}
	x.findings = append(x.findings, Finding{check, level, fmt.Sprintf(format, args...), next})
}

// Examine runs all checks. It writes one key of its own, which it removes, and
// costs about 50 billed commands.
func Examine(ctx context.Context, config Config) []Finding {
	if config.Sample == 0 {
		config.Sample = 200
	}
	config.Client.Logger = slog.New(slog.DiscardHandler)
	x := &examination{Config: config}
	if x.connect(ctx) {
		defer x.c.Close()
		x.writes(ctx)
		x.latency(ctx)
		x.clock(ctx)
		x.lag(ctx)
		x.takeStock(ctx)
		x.eviction(ctx)
	}
	x.application(ctx)
	return x.findings
}

// Well reports whether no finding is a warning or a failure.
func Well(findings []Finding) bool {
	for _, f := range findings {
		if f.Level == Warn || f.Level == Fail {
			return false
		}
	}
	return true
}

// clock compares the database's time with this machine's.
func (x *examination) clock(ctx context.Context) {
	before := time.Now()
	theirs, err := x.c.Time(ctx)
	if err != nil {
		x.note("clock", Skip, "", "TIME failed: %v", err)
		return
	}
	took := time.Since(before)
	skew := theirs.Sub(before.Add(took / 2)).Abs()
	if skew = max(0, skew-took/2); skew > 2*time.Second {
		x.note("clock", Warn, "set this machine's clock (NTP): ages and late tags are judged by it, to within 2 s",
			"differs from the database's by %s", skew.Round(100*time.Millisecond))
		return
	}
	x.note("clock", OK, "", "agrees with the database's to 2 s")
}

// lag writes with one client and reads with another that does not carry the
// sync token of the write, as another instance would.
func (x *examination) lag(ctx context.Context) {
	config := x.Client
	config.NoSyncToken = true
	other, err := client.New(config)
	if err != nil {
		return
	}
	defer other.Close()
	key, worst := probeKey(), time.Duration(0)
	defer x.remove(ctx, key)
	for i := range 3 {
		if _, err := x.c.Set(ctx, key, i, command.EX(time.Minute)); err != nil {
			x.note("replica lag", Skip, "", "nothing can be written")
			return
		}
		begin := time.Now()
		for got := ""; got != fmt.Sprint(i) && time.Since(begin) < 5*time.Second; {
			if got, err = other.Get(ctx, key); err != nil && !isNil(err) {
				x.note("replica lag", Skip, "", "the key cannot be read back: %v", err)
				return
			}
		}
		worst = max(worst, time.Since(begin))
	}
	if limit := 250*time.Millisecond + 3*x.medianPing(); worst > limit {
		x.note("replica lag", Warn, "other instances read from a replica: pass the sync token on, or expect entries that are this old after an invalidation",
			"another client saw a write after %s", worst.Round(time.Millisecond))
		return
	}
	x.note("replica lag", OK, "", "another client sees a write at once (%s)", worst.Round(time.Millisecond))
}
