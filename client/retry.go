package client

import (
	"context"
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// Waits between attempts: a random time up to a bound that doubles.
const (
	firstWait = 50 * time.Millisecond
	maxWait   = time.Second
)

// newRetrying returns the client that makes the attempts. What it knows of an
// exchange comes with the context. Its logger stays off: it would print URLs.
func newRetrying(calls *http.Client, maxRetries int) *retryablehttp.Client {
	return &retryablehttp.Client{
		HTTPClient: calls,
		RetryMax:   max(maxRetries, 0),
		CheckRetry: func(ctx context.Context, resp *http.Response, err error) (bool, error) {
			return exchangeOf(ctx).check(ctx, resp, err)
		},
		Backoff:      func(time.Duration, time.Duration, int, *http.Response) time.Duration { return 0 },
		PrepareRetry: func(req *http.Request) error { return exchangeOf(req.Context()).again(req) },
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
}

// check decides whether there is another attempt, and how long to wait for
// it. It is called for the answer's head first and then for its body.
func (x *exchange) check(ctx context.Context, resp *http.Response, err error) (bool, error) {
	if err == nil {
		return false, nil
	}
	if resp == nil {
		x.status, x.wait, x.refused = 0, 0, nil
		x.sent = x.fate(err)
	}
	if ctx.Err() != nil || x.attempts > x.c.cfg.MaxRetries || !x.worthwhile(err) {
		return false, nil
	}
	wait := x.pause(resp == nil)
	if time.Until(x.until) <= wait {
		return false, nil
	}
	x.wait = wait
	x.doubt = x.doubt || x.sent == SentUnknown
	x.c.stats.retries.Add(1)
	x.c.trace.retry(ctx, RetryInfo{
		Command: x.name, Attempt: x.attempts, Status: x.status, Sent: x.sent, Wait: wait, Err: withoutURL(err),
	})
	return true, nil
}

// worthwhile reports whether a failed attempt may be repeated and could end
// differently.
func (x *exchange) worthwhile(err error) bool {
	if x.sent == SentYes || x.sent == SentUnknown && !x.repeatable {
		return false
	}
	if _, bad := errors.AsType[*bodyError](err); bad && x.status >= 300 && x.status < 500 {
		return false // somebody else's page for 404 or 403 stays what it is
	}
	return !errors.Is(err, ErrTooLarge) && !incurable(err)
}

// incurable reports whether the next attempt would fail as this one did: a wrong
// certificate, a host that does not exist, a server that speaks no TLS.
func incurable(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return true
	}
	if alert, ok := errors.AsType[tls.AlertError](err); ok {
		return alert != 80 // internal_error (RFC 8446, section 6): it may pass
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return dns.IsNotFound
	}
	if _, ok := errors.AsType[*redirectError](err); ok {
		return true
	}
	return strings.Contains(err.Error(), "server gave HTTP response to HTTPS client") // net/http has no type for it
}

// pause is the wait before the next attempt. The first attempt may have met a
// connection that died while it was idle: after dropping those, a command
// that is safe to repeat goes out again at once.
func (x *exchange) pause(connection bool) time.Duration {
	if connection && x.sent == SentUnknown {
		x.c.dropIdle()
		if x.attempts == 1 {
			return 0
		}
	}
	bound := min(firstWait<<min(x.attempts-1, 10), maxWait)
	return max(rand.N(bound), x.wait)
}

// again waits and prepares another attempt. Backoff cannot wait for it: it
// does not know whose attempt it is asked for. The header is copied, because
// the transport may still be reading that of the last one.
func (x *exchange) again(req *http.Request) error {
	if x.wait > 0 {
		timer := time.NewTimer(x.wait)
		defer timer.Stop()
		select {
		case <-req.Context().Done():
			return req.Context().Err()
		case <-timer.C:
		}
	}
	req.Header = req.Header.Clone()
	x.begin(req)
	return nil
}

// fate says what is known of an attempt that got no answer.
func (x *exchange) fate(err error) Sent {
	if x.seeking.Load() {
		if x.connected.Load() {
			return SentUnknown
		}
		return SentNo
	}
	// Another transport than net/http's: only its error can tell.
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return SentNo
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return SentNo
	}
	return SentUnknown
}
