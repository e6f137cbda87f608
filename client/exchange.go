package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strconv"
	"sync"
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

// readAll reads and closes the body of an answer, so that the connection can
// be used again.
func readAll(resp *http.Response, limit int) ([]byte, error) {
	defer resp.Body.Close()
	size := resp.ContentLength
	body := io.Reader(resp.Body)
	if limit >= 0 {
		if size > int64(limit) {
			return nil, longReply(limit)
		}
		body = io.LimitReader(body, int64(limit)+1)
	}
	if size < 0 {
		return readUnknown(body, limit)
	}
	// One byte more, to see the end without growing. What a header announces is
	// not believed beyond a few megabytes.
	read, err := readFull(body, make([]byte, 0, min(size+1, 8<<20)))
	if err == nil && over(len(read), limit) {
		return nil, longReply(limit)
	}
	return read, err
}

// scratch are buffers for answers whose length is not announced: they have grown
// already, and what is returned is a copy of the right size.
var scratch = sync.Pool{New: func() any { return new([]byte) }}

// maxScratch is the largest buffer that is kept.
const maxScratch = 4 << 20

func readUnknown(body io.Reader, limit int) ([]byte, error) {
	buf := scratch.Get().(*[]byte)
	read, err := readFull(body, (*buf)[:0])
	if err == nil && over(len(read), limit) {
		return nil, longReply(limit)
	}
	if cap(read) > maxScratch {
		return read, err // too large to be kept: it need not be copied
	}
	*buf = read
	defer scratch.Put(buf)
	return bytes.Clone(read), err
}

// longReply is the error of an answer that is longer than Limits.Reply.
func longReply(limit int) error {
	return fmt.Errorf("%w: the answer is over the limit of %d bytes (Limits.Reply)", ErrTooLarge, limit)
}

func readFull(r io.Reader, b []byte) ([]byte, error) {
	for {
		if len(b) == cap(b) {
			b = slices.Grow(b, max(len(b), 4096))
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if err == io.EOF {
			return b, nil
		}
		if err != nil {
			return b, err
		}
	}
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

func startsJSON(body []byte) bool {
	s := scanner{data: body}
	c := s.space()
	return c == '{' || c == '['
}

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
