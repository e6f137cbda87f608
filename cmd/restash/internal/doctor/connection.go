package doctor

import (
	"context"
	"crypto/rand"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
)

// connect says whether there is a database to go on with.
func (x *examination) connect(ctx context.Context) bool {
	if strings.HasPrefix(x.Client.URL, "redis://") || strings.HasPrefix(x.Client.URL, "rediss://") {
		x.note("address", Fail, "set UPSTASH_REDIS_REST_URL to the https:// address of the console's REST tab", "the URL is that of the Redis protocol, not of REST")
		return false
	}
	config := x.Client
	config.MaxRetries = client.NoRetry
	c, err := client.New(config)
	if err != nil {
		x.note("address", Fail, "correct the variable, or the file of --env-file", "%v", err)
		return false
	}
	x.c = c
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	text, err := x.c.Ping(ctx)
	switch {
	case err == nil && text == "PONG":
		x.note("reachable", OK, "", "answers")
		return true
	case errors.Is(err, client.ErrAuth):
		x.wrongToken()
	case errors.Is(err, client.ErrQuota):
		x.usedUp(err)
	case errors.Is(err, client.ErrTransport):
		x.note("reachable", Fail, "check the URL, the network and a proxy; was the database deleted or paused? A local one is restash serve", "no answer: %v", err)
	default:
		x.note("reachable", Fail, "is the URL that of a database's REST endpoint?", "an answer that is none of Redis: %v", err)
	}
	_ = x.c.Close()
	return false
}

// passwordForm is what Redis passwords of Upstash look like. REST tokens are
// longer, and base64.
var passwordForm = regexp.MustCompile(`^[0-9a-zA-Z]{32}$`)

func (x *examination) wrongToken() {
	next := "copy UPSTASH_REDIS_REST_TOKEN again from the database's page in the console; it may have been reset"
	says := "the database is there and refuses the token"
	switch token := x.Client.Token; {
	case passwordForm.MatchString(token):
		says += "; it looks like the Redis password"
		next = "use the REST token (REST tab of the console), not the password of the redis:// address"
	case strings.ContainsAny(token, "\"' "):
		says += "; it holds quotes or spaces"
		next = "write the variable without quotes around the token"
	}
	x.note("token", Fail, next, "%s", says)
}

// probeKey is outside of every namespace.
func probeKey() string { return "restash-doctor-" + rand.Text() }

func isNil(err error) bool { return errors.Is(err, client.ErrNil) }

// writes finds out whether the token may write.
func (x *examination) writes(ctx context.Context) {
	key := probeKey()
	defer x.remove(ctx, key)
	_, err := x.c.Set(ctx, key, "x", command.EX(time.Minute))
	switch {
	case err == nil:
		x.note("token", OK, "", "reads and writes")
	case errors.Is(err, client.ErrPermission):
		x.note("token", Fail, "use the standard token: with the read-only one nothing is ever stored or invalidated", "may only read")
	case errors.Is(err, client.ErrQuota) && x.refusesReads(ctx, key):
		x.usedUp(err)
	case errors.Is(err, client.ErrQuota), errors.Is(err, client.ErrTooLarge):
		x.note("quota", Fail, "the database is full: raise the plan, turn eviction on with strict mode, or shorten TTLs", "takes no writes: %v", err)
	default:
		x.note("token", Fail, "see the message; the database may be read-only at the moment", "a SET failed: %v", err)
	}
}

// refusesReads tells a plan that is used up from a database that is full.
func (x *examination) refusesReads(ctx context.Context, key string) bool {
	_, err := x.c.Exists(ctx, key)
	return errors.Is(err, client.ErrQuota)
}

func (x *examination) usedUp(err error) {
	x.note("quota", Fail, "raise the plan or wait for the next period: see Usage on the database's page in the console; StoreConfig.Quota spreads what there is", "the database refuses requests: %v", err)
}

func (x *examination) remove(ctx context.Context, key string) { _, _ = x.c.Unlink(ctx, key) }

const pings = 20

// latency times pings on a connection that is open.
func (x *examination) latency(ctx context.Context) {
	times := x.ping(ctx, pings)
	if len(times) < pings {
		x.note("latency", Fail, "the connection is not reliable: look at the network between here and the database", "%d of %d pings failed", pings-len(times), pings)
		return
	}
	p50, p99 := times[pings/2].Round(10*time.Microsecond), times[pings-1].Round(10*time.Microsecond)
	switch {
	case p99 > time.Second:
		x.note("latency", Warn, "above the Store's budget of 1 s readers go to the loader: find out what is slow", "p50 %s, p99 %s of %d pings", p50, p99, pings)
	case p50 > 50*time.Millisecond:
		x.note("latency", Warn, "run the functions in the database's region, or add a read region there", "p50 %s, p99 %s of %d pings", p50, p99, pings)
	default:
		x.note("latency", OK, "", "p50 %s, p99 %s of %d pings", p50, p99, pings)
	}
}

func (x *examination) ping(ctx context.Context, n int) []time.Duration {
	var times []time.Duration
	for range n {
		begin := time.Now()
		if _, err := x.c.Ping(ctx); err == nil {
			times = append(times, time.Since(begin))
		}
	}
	slices.Sort(times)
	return times
}

func (x *examination) medianPing() time.Duration {
	times := x.ping(context.Background(), 3)
	if len(times) == 0 {
		return 0
	}
	return times[len(times)/2]
}
