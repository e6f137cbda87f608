package client

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

// attempts bounds each attempt of a call, so that one connection that swallows
// a request does not eat the time of all.
type attempts struct{ http.RoundTripper }

// minAttempt is the least that an attempt is given.
const minAttempt = time.Second

// attemptEnd is when the attempt that begins now ends: where another may follow,
// after a third of the time that is left. A command that must not be repeated
// has all of it.
func (x *exchange) attemptEnd(now time.Time) time.Time {
	if !x.repeatable || x.attempts > x.c.cfg.MaxRetries {
		return x.until
	}
	end := now.Add(max(x.until.Sub(now)/3, minAttempt))
	if end.After(x.until) {
		return x.until
	}
	return end
}

// RoundTrip sends one attempt. Its context ends with the answer's body.
func (a attempts) RoundTrip(req *http.Request) (*http.Response, error) {
	x := exchangeOf(req.Context())
	end := x.attemptEnd(time.Now())
	if own, bounded := req.Context().Deadline(); bounded && !end.Before(own) {
		return a.RoundTripper.RoundTrip(req) // the caller's own deadline does it
	}
	ctx, cancel := context.WithDeadlineCause(req.Context(), end, errSlow)
	resp, err := a.RoundTripper.RoundTrip(req.WithContext(ctx))
	if err != nil {
		err = x.slow(ctx, err)
		cancel()
		return nil, err
	}
	resp.Body = &attemptBody{ReadCloser: resp.Body, x: x, ctx: ctx, cancel: cancel}
	return resp, nil
}

// slow names the attempt's own end where that is why it failed.
func (x *exchange) slow(ctx context.Context, err error) error {
	if ctx.Err() == nil || !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, ctx.Err()) {
		return err
	}
	if end, _ := ctx.Deadline(); errors.Is(context.Cause(ctx), errSlow) && end.Before(x.until) {
		return errSlow // not the clock, which may be behind the timer by a hair
	}
	return err
}

type attemptBody struct {
	io.ReadCloser
	x      *exchange
	ctx    context.Context
	cancel context.CancelFunc
}

func (b *attemptBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = b.x.slow(b.ctx, err)
	}
	return n, err
}

func (b *attemptBody) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}
