package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/cldcde/restash/client/command"
	"github.com/hashicorp/go-retryablehttp"
)

// exchange is one HTTP request and its answer, with all attempts that it
// takes. Whatever the attempts share lives here, so that a call costs few
// allocations.
type exchange struct {
	c          *Client
	name       string
	url        url.URL
	body       []byte
	batch      []command.Cmd // nil for a single command
	resp2      bool          // the answer was asked for in RESP2
	raw        bool          // the body is an argument, not JSON
	repeatable bool
	reads      bool // nothing of it changes anything

	until    time.Time // the end of the call with all its attempts
	attempts int
	number   uint64   // of the last attempt, for the sync token
	carried  []string // the sync token of the last attempt
	wait     time.Duration
	sent     Sent // what is known of the last attempt
	doubt    bool // an earlier attempt may have been executed
	status   int
	bytesIn  int

	one     command.Reply   // the answer to a single command
	many    []command.Reply // the answers to a batch
	refused *command.Reply  // the error that refused the request as a whole

	// Set by the transport, which may still be running when an attempt is
	// given up.
	seeking, connected atomic.Bool

	carrier carrier
	trace   httptrace.ClientTrace
}

// carrier is the context of a request. The functions of the retrying client,
// which all exchanges share, find their exchange in it.
type carrier struct {
	context.Context
	x *exchange
}

type carrierKey struct{}

func (c *carrier) Value(key any) any {
	if key == (carrierKey{}) {
		return c.x
	}
	return c.Context.Value(key)
}

func exchangeOf(ctx context.Context) *exchange {
	x, _ := ctx.Value(carrierKey{}).(*exchange)
	return x
}

var (
	errBadStatus = errors.New("the server did not serve the request")
	errTransient = errors.New("the server is not ready")
	errSlow      = errors.New("the server did not answer in time")
)

// run makes the attempts. A nil error means that there is an answer that
// could be read; it may be an error reply.
func (x *exchange) run(ctx context.Context) error {
	x.until = time.Now().Add(x.c.cfg.Timeout)
	if end, ok := ctx.Deadline(); ok && end.Before(x.until) {
		x.until = end
	}
	x.carrier = carrier{ctx, x}
	x.trace.GetConn = x.getConn
	x.trace.GotConn = x.gotConn
	req := (&http.Request{
		Method: http.MethodPost, URL: &x.url, Host: x.url.Host,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: x.c.header(x),
	}).WithContext(httptrace.WithClientTrace(&x.carrier, &x.trace))
	rr := &retryablehttp.Request{Request: req}
	if err := rr.SetBody(x.body); err != nil {
		return x.failed(ctx, err)
	}
	rr.SetResponseHandler(x.read)
	x.begin(req)
	if _, err := x.c.retry.Do(rr); err != nil {
		return x.failed(ctx, err)
	}
	return nil
}

// begin starts an attempt.
func (x *exchange) begin(req *http.Request) {
	x.attempts++
	x.seeking.Store(false)
	x.connected.Store(false)
	s := &x.c.stats
	s.requests.Add(1)
	s.commands.Add(int64(max(len(x.batch), 1)))
	s.bytesOut.Add(int64(len(x.body)))
	if x.attempts > 1 && x.c.telemetry.sdk != nil {
		req.Header["Upstash-Telemetry-Retry"] = []string{strconv.Itoa(x.attempts - 1)}
	}
	if x.c.cfg.NoSyncToken {
		return
	}
	x.carried, x.number = x.c.sync.begin()
	req.Header[syncHeader] = x.carried
}

// The transport asks for a connection, and has one. An attempt that never had
// one was not executed.
func (x *exchange) getConn(string) {
	x.connected.Store(false)
	x.seeking.Store(true)
}

func (x *exchange) gotConn(httptrace.GotConnInfo) { x.connected.Store(true) }

// read takes the answer of an attempt. It is called by the retrying client,
// so that an answer that breaks off counts as a failed attempt.
func (x *exchange) read(resp *http.Response) error {
	body, err := readAll(resp, x.c.cfg.Limits.Reply)
	x.status = resp.StatusCode
	x.bytesIn += len(body)
	x.c.stats.bytesIn.Add(int64(len(body)))
	x.one, x.many, x.refused = command.Reply{}, nil, nil
	x.sent = SentUnknown
	if x.status == http.StatusTooManyRequests {
		x.sent = SentNo
	}
	if err != nil {
		return err
	}
	if !x.c.cfg.NoSyncToken {
		x.c.sync.answer(x.number, !x.reads, x.carried, resp.Header[syncHeader])
	}
	if resp.StatusCode/100 == 3 {
		return x.c.redirected(resp)
	}
	parseErr := x.parse(body, resp.Header.Get("Content-Type"))
	x.clean()
	switch {
	case x.status == http.StatusTooManyRequests || x.status >= 500:
		x.wait = retryAfter(resp.Header)
		return errBadStatus
	case parseErr != nil:
		return x.c.unreadable(parseErr, x.status, body)
	}
	x.sent = SentYes
	if x.refused != nil && !x.script() && transient(x.refused) {
		x.sent = SentNo
		return errTransient
	}
	return nil
}

// parse reads the body by its content type and first byte: a server may
// answer in JSON although RESP2 was asked for, above all with an error.
func (x *exchange) parse(body []byte, contentType string) error {
	inJSON := !x.resp2 || startsJSON(body)
	if len(body) == 0 || inJSON && foreign(contentType) && !startsJSON(body) {
		return errSyntax
	}
	if x.batch == nil {
		return x.parseOne(body, inJSON)
	}
	return x.parseMany(body, inJSON)
}

func (x *exchange) parseOne(body []byte, inJSON bool) (err error) {
	if inJSON {
		x.one, err = scanOne(body, !x.resp2)
	} else {
		x.one, err = respOne(body)
	}
	if err == nil && x.one.Kind == command.KindError {
		x.refused = &x.one
	}
	return err
}

func (x *exchange) parseMany(body []byte, inJSON bool) (err error) {
	if inJSON {
		x.many, x.refused, err = scanBatch(body, len(x.batch), !x.resp2)
	} else {
		x.many, err = respBatch(body, len(x.batch))
		if err == nil && len(x.many) == 1 && len(x.batch) > 1 && x.many[0].Kind == command.KindError {
			x.many, x.refused = nil, &x.many[0]
		}
	}
	if err == nil && x.refused == nil && len(x.many) != len(x.batch) {
		return errCount
	}
	return err
}

var errCount = errors.New("the number of replies is not the number of commands")

// script reports whether an error may be that of a script, which has run: its
// own words may be TRYAGAIN or READONLY.
func (x *exchange) script() bool {
	switch x.name {
	case "EVAL", "EVAL_RO", "EVALSHA", "EVALSHA_RO", "FCALL", "FCALL_RO":
		return true
	}
	return false
}

// transient reports whether an error reply says that the command was not run
// and may be in a moment.
func transient(r *command.Reply) bool {
	switch command.ServerError(r.Bytes).Code() {
	case "LOADING", "TRYAGAIN", "MASTERDOWN", "CLUSTERDOWN", "READONLY":
		return true
	}
	return false
}

const idempotencyKey = "Idempotency-Key"

// shared header values: one element each, never written to.
var (
	valueJSON   = []string{"application/json"}
	valueBytes  = []string{"application/octet-stream"}
	valueBase64 = []string{"base64"}
	valueRESP2  = []string{"resp2"}
)

// header returns the header of an exchange. The names are in canonical form
// already.
func (c *Client) header(x *exchange) http.Header {
	h := make(http.Header, 12)
	h["Authorization"] = c.token.header()
	h["User-Agent"] = userAgent()
	h["Content-Type"] = valueJSON
	if x.raw {
		h["Content-Type"] = valueBytes
	}
	if x.resp2 {
		h["Upstash-Response-Format"] = valueRESP2
	} else {
		h["Upstash-Encoding"] = valueBase64
	}
	if x.repeatable {
		// Present but empty: net/http then takes the request for one that it
		// may send again on a fresh connection, and sends no such header.
		h[idempotencyKey] = nil
	}
	c.telemetry.put(h)
	return h
}

// clean takes the token out of the error replies of an answer: some servers
// say which one was wrong.
func (x *exchange) clean() {
	x.one = x.c.cleaned(x.one)
	for i := range x.many {
		x.many[i] = x.c.cleaned(x.many[i])
	}
	if x.refused != nil {
		refused := x.c.cleaned(*x.refused)
		x.refused = &refused
	}
}

func (c *Client) cleaned(r command.Reply) command.Reply {
	if r.Kind == command.KindError {
		r.Bytes = []byte(c.token.hide(string(r.Bytes)))
	}
	for i := range r.Array {
		if r.Array[i].Kind == command.KindError {
			r.Array[i] = c.cleaned(r.Array[i])
		}
	}
	return r
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
