package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/cldcde/restash/client/command"
)

// Message is one message of a stream.
type Message struct {
	Channel string // where it was published; "" for Monitor
	Pattern string // the pattern that matched it; "" but for PSubscribe
	Payload string // for Monitor: the line that describes a command
}

// ErrGap matches the error by which a stream reports that it was interrupted.
var ErrGap = errors.New("client: stream was interrupted")

// GapError reports that a stream was interrupted and goes on: what was
// published meanwhile is lost, for pub/sub keeps nothing. It matches [ErrGap].
type GapError struct {
	Lost time.Duration // from the last sign of life until the stream went on
	Err  error         // why it was interrupted
}

// Error says for how long the stream was interrupted.
func (e *GapError) Error() string {
	return fmt.Sprintf("client: stream was interrupted for %v: %v", e.Lost, e.Err)
}

// Is reports whether target is [ErrGap].
func (e *GapError) Is(target error) bool { return target == ErrGap }

// Unwrap returns Err.
func (e *GapError) Unwrap() error { return e.Err }

// Subscribe yields the messages of channels, all over one connection, until
// the loop is left or ctx ends. A connection that breaks is opened again, with
// growing waits; the loop then gets a [*GapError] and goes on. Any other error
// is the last thing that it gets. The channel of a message is told apart from
// its payload by the names given, so both may hold commas.
func (c *Client) Subscribe(ctx context.Context, channels ...string) iter.Seq2[Message, error] {
	return c.listen(ctx, command.Subscribe(channels...), splitter("message", channels))
}

// PSubscribe yields the messages of all channels that match one of patterns,
// see [Client.Subscribe]. A comma in the name of a channel is taken for the
// end of the name: the server does not mark it.
func (c *Client) PSubscribe(ctx context.Context, patterns ...string) iter.Seq2[Message, error] {
	byPattern := splitter("pmessage", patterns)
	return c.listen(ctx, command.PSubscribe(patterns...), func(event string) (Message, bool) {
		m, ok := byPattern(event)
		if !ok {
			return m, false
		}
		channel, payload, ok := strings.Cut(m.Payload, ",")
		return Message{Pattern: m.Channel, Channel: channel, Payload: payload}, ok
	})
}

// Monitor yields a line for every command that the server runs, see
// [Client.Subscribe].
func (c *Client) Monitor(ctx context.Context) iter.Seq2[Message, error] {
	return c.listen(ctx, command.Monitor(), func(event string) (Message, bool) {
		return Message{Payload: event}, event != `"OK"` && event != "OK"
	})
}

// splitter takes events of one kind apart: kind, name, payload. Of the names
// that fit the longest is taken.
func splitter(kind string, names []string) func(string) (Message, bool) {
	return func(event string) (Message, bool) {
		rest, ok := strings.CutPrefix(event, kind+",")
		if !ok {
			return Message{}, false
		}
		best := -1
		for _, n := range names {
			if len(n) > best && strings.HasPrefix(rest, n+",") {
				best = len(n)
			}
		}
		if best < 0 {
			if best = strings.IndexByte(rest, ','); best < 0 {
				return Message{}, false
			}
		}
		return Message{Channel: rest[:best], Payload: rest[best+1:]}, true
	}
}

// listen keeps a stream open and yields what parse finds in its events.
func (c *Client) listen(ctx context.Context, cmd command.Stream, parse func(string) (Message, bool)) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		if len(cmd.Args()) < 2 && cmd.Name() != "MONITOR" {
			yield(Message{}, &Error{Command: cmd.Name(), Err: errors.New("no channels")})
			return
		}
		s := &listener{c: c, cmd: cmd, parse: parse, yield: yield, open: func() { c.trace.streamOpen(ctx, cmd.Name()) }}
		for ctx.Err() == nil {
			err := s.once(ctx)
			if s.left || ctx.Err() != nil {
				return
			}
			if !s.again(ctx, err) {
				yield(Message{}, s.failure(err))
				return
			}
		}
	}
}

// listener is one stream with all its connections.
type listener struct {
	c     *Client
	cmd   command.Stream
	parse func(string) (Message, bool)
	yield func(Message, error) bool
	open  func() // tells the trace

	opened   bool      // there was a connection that worked
	left     bool      // the loop was left
	failures int       // since the last connection that worked
	attempts int       // in all
	status   int       // of the last answer
	alive    time.Time // last sign of life of any connection
	broken   error     // why the last connection ended, until the gap is reported
}

var (
	errIdle  = errors.New("nothing came for too long")
	errEnded = errors.New("the server ended the stream")
)

// once opens a connection and reads it to its end.
func (s *listener) once(parent context.Context) error {
	if s.c.closed.Load() {
		return ErrClosed
	}
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	watchdog := time.AfterFunc(s.c.cfg.Timeout, func() { cancel(errIdle) })
	defer watchdog.Stop()
	stop := context.AfterFunc(s.c.life, func() { cancel(ErrClosed) })
	defer stop()
	s.attempts++
	s.status = 0
	resp, err := s.c.streams.Do(s.request(ctx))
	if err != nil {
		return orCause(ctx, err)
	}
	defer resp.Body.Close()
	switch s.status = resp.StatusCode; {
	case s.status/100 == 3:
		return s.c.redirected(resp)
	case s.status != http.StatusOK:
		return s.refused(resp)
	case !isEventStream(resp.Header.Get("Content-Type")):
		watchdog.Reset(time.Second) // a page is there at once, or not worth reading
		return s.noStream(resp)
	}
	idle := s.c.cfg.StreamIdle
	return orCause(ctx, s.read(resp.Body, func() {
		if idle > 0 {
			watchdog.Reset(idle)
		} else {
			watchdog.Stop()
		}
	}))
}

// orCause prefers the reason why ctx was cancelled to what that led to.
func orCause(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && err != nil {
		return cause
	}
	return err
}

// request names the channels in the path, percent-encoded.
func (s *listener) request(ctx context.Context) *http.Request {
	u := s.c.base
	raw, plain := u.EscapedPath(), u.Path
	for i, a := range s.cmd.Args() {
		if i == 0 {
			a = strings.ToLower(a)
		}
		raw += "/" + url.PathEscape(a)
		plain += "/" + a
	}
	u.Path, u.RawPath = plain, raw
	h := http.Header{
		"Accept":        {"text/event-stream"},
		"Authorization": s.c.token.header(),
		"Cache-Control": {"no-cache"},
		"User-Agent":    userAgent(),
	}
	s.c.telemetry.put(h)
	return (&http.Request{
		Method: http.MethodPost, URL: &u, Host: u.Host, Header: h,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
}

// refused makes the error of an answer that is no stream.
func (s *listener) refused(resp *http.Response) error {
	body, err := readFull(io.LimitReader(resp.Body, 64<<10), make([]byte, 0, 512))
	if err != nil {
		return err
	}
	if r, err := scanOne(body, true); err == nil && r.Kind == command.KindError {
		e := serverError(s.cmd.Name(), s.c.token.hide(string(r.Bytes)), s.status)
		e.Attempts = s.attempts
		return e
	}
	return s.c.unreadable(errBadStatus, s.status, body)
}

// isEventStream goes by the content type (HTML, section 9.2). An answer that
// does not say is given the chance to be one.
func isEventStream(contentType string) bool {
	if contentType == "" {
		return true
	}
	t, _, err := mime.ParseMediaType(contentType)
	return err == nil && t == "text/event-stream"
}

// errNoStream says that something answered that is no stream: it would do so
// again.
var errNoStream = errors.New("the answer is no event stream")

func (s *listener) noStream(resp *http.Response) error {
	err := s.refused(resp)
	if _, ok := errors.AsType[*Error](err); ok {
		return err // the server's own error, with status 200
	}
	e := &bodyError{err: errNoStream}
	if bad, ok := errors.AsType[*bodyError](err); ok {
		e.excerpt = bad.excerpt
	}
	return e
}

// read yields the messages of one connection.
func (s *listener) read(body io.Reader, signOfLife func()) error {
	events := newEventReader(body, s.c.cfg.Limits.Request)
	signOfLife()
	for {
		event, ok, err := events.next()
		if err != nil {
			if err == io.EOF {
				return errEnded
			}
			return err
		}
		signOfLife()
		if !s.revive() {
			return nil
		}
		if !ok {
			continue
		}
		if m, ok := s.parse(event); ok && !s.yield(m, nil) {
			s.left = true
			return nil
		}
	}
}

// revive notes that the connection works, and reports the gap before it. It
// reports whether the loop goes on.
func (s *listener) revive() bool {
	now := time.Now()
	gap, err := now.Sub(s.alive), s.broken
	if !s.opened {
		s.open()
	}
	s.alive, s.opened, s.failures, s.broken = now, true, 0, nil
	if err == nil {
		return true
	}
	s.open()
	s.left = !s.yield(Message{}, &GapError{Lost: gap, Err: err})
	return !s.left
}

// hopeless reports whether another connection would end as this one did.
func (s *listener) hopeless(err error) bool {
	if s.status >= 400 && s.status < 500 && s.status != http.StatusTooManyRequests {
		return true
	}
	_, answered := errors.AsType[*Error](err)
	return answered && s.status == http.StatusOK || errors.Is(err, ErrClosed) || errors.Is(err, errNoStream) || incurable(err)
}

const maxStreamWait = 10 * time.Second

// again waits before the next connection and reports whether there shall be
// one. A stream that never worked ends after the retries of any call; one that
// did is opened again for as long as its caller listens.
func (s *listener) again(ctx context.Context, err error) bool {
	if s.hopeless(err) {
		return false
	}
	if s.failures++; !s.opened && s.failures > s.c.cfg.MaxRetries {
		return false
	}
	if s.opened && s.broken == nil {
		s.broken = withoutURL(err)
	}
	s.c.dropIdle()
	wait := rand.N(min(firstWait<<min(s.failures, 10), maxStreamWait))
	s.c.trace.retry(ctx, RetryInfo{
		Command: s.cmd.Name(), Attempt: s.attempts, Status: s.status, Wait: wait, Err: withoutURL(err),
	})
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-s.c.life.Done():
	case <-timer.C:
	}
	return true
}

// failure makes the error that ends the stream.
func (s *listener) failure(err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	e := &Error{
		Command: s.cmd.Name(), Status: s.status, Attempts: s.attempts,
		Err: withoutURL(err), kind: classify("", "", s.status),
	}
	_, moved := errors.AsType[*redirectError](err)
	switch {
	case moved || errors.Is(err, errNoStream):
		e.kind = ErrProtocol
	case e.kind == nil:
		e.kind = ErrTransport
	}
	if errors.Is(err, ErrClosed) {
		e.kind = ErrClosed
	}
	return e
}
