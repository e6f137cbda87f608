package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// Waits between attempts: a random time up to a bound that doubles.
const (
	firstWait     = 50 * time.Millisecond
	maxWait       = time.Second
	maxRetryAfter = 5 * time.Second // a server cannot park a caller for longer
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

func exchangeOf(ctx context.Context) *exchange {
	x, _ := ctx.Value(carrierKey{}).(*exchange)
	return x
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

// retryAfter reads the header, in seconds or as a date, and bounds it.
func retryAfter(h http.Header) time.Duration {
	v := h.Get("Retry-After")
	if v == "" {
		return 0
	}
	var d time.Duration
	if n, err := strconv.ParseFloat(v, 64); err == nil {
		d = time.Duration(min(max(n, 0), maxRetryAfter.Seconds()) * float64(time.Second))
	} else if t, err := http.ParseTime(v); err == nil {
		d = time.Until(t)
	}
	return min(max(d, 0), maxRetryAfter)
}

// failed makes the error of an exchange that got no usable answer.
func (x *exchange) failed(ctx context.Context, err error) error {
	e := &Error{Command: x.name, Status: x.status, Attempts: x.attempts, Sent: x.sent}
	if x.doubt && e.Sent == SentNo {
		e.Sent = SentUnknown
	}
	switch {
	case x.refused != nil:
		s := serverError(x.name, string(x.refused.Bytes), x.status)
		e.Code, e.Message, e.kind = s.Code, s.Message, s.kind
	case x.over(ctx) != nil && x.status == 0:
		end := x.over(ctx)
		e.Err, e.kind = fmt.Errorf("%w (%w)", end, withoutURL(err)), ErrTransport
		if errors.Is(err, end) {
			e.Err = end
		}
	case errors.Is(err, ErrTooLarge):
		e.Err, e.kind = err, ErrTooLarge
	case x.status != 0:
		e.Err, e.kind = withoutURL(err), classify("", "", x.status)
		if e.kind == nil {
			e.kind = ErrTransport
			_, bad := errors.AsType[*bodyError](err)
			if _, moved := errors.AsType[*redirectError](err); bad || moved {
				e.kind = ErrProtocol
			}
		}
	default:
		e.Err, e.kind = withoutURL(err), ErrTransport
	}
	x.c.warn(ctx, e)
	return e
}

// over is why there is no time for the call any more, nil if there is.
func (x *exchange) over(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if end, bounded := ctx.Deadline(); bounded && !end.After(x.until) {
		return nil // the clock may be ahead of ctx, whose word it is
	}
	if !time.Now().Before(x.until) {
		return context.DeadlineExceeded
	}
	return nil
}

// withoutURL takes off what net/http wraps around its errors: the URL may
// hold a key and a value.
func withoutURL(err error) error {
	for {
		u, ok := errors.AsType[*url.Error](err)
		if !ok {
			return err
		}
		err = u.Err
	}
}

// bodyError is an answer that is not what Upstash sends.
type bodyError struct {
	err     error
	excerpt string // the beginning of a page or text that came instead
}

func (e *bodyError) Error() string {
	if e.excerpt == "" {
		return e.err.Error()
	}
	return fmt.Sprintf("%v: %q", e.err, e.excerpt)
}

func (e *bodyError) Unwrap() error { return e.err }

// unreadable keeps the beginning of a body that is a gateway's page. What
// looks like an answer of the database is not quoted: it may hold values.
func (c *Client) unreadable(err error, status int, body []byte) error {
	e := &bodyError{err: err}
	if len(body) > 0 && (body[0] == '<' || status >= 400 && !startsJSON(body)) {
		const most = 80
		text := c.token.hide(string(body[:min(len(body), 16*most)]))
		e.excerpt = strings.ToValidUTF8(text[:min(len(text), most)], "")
	}
	return e
}

// foreign reports whether a content type rules out an answer of the database.
func foreign(contentType string) bool {
	if contentType == "" {
		return false
	}
	t, _, err := mime.ParseMediaType(contentType)
	return err == nil && strings.HasPrefix(t, "text/")
}
