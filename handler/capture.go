package handler

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// capture is the ResponseWriter that a handler writes to when its answer may
// be stored. It holds the answer back until it is whole, or sends it on while
// the handler writes: at once where it will not be stored, from the first
// Flush on where it may be. The status is frozen when it is first written and
// the header is copied then, whatever the underlying writer makes of late calls.
//
// The handler runs in the goroutine of its request; promote may be called from
// another.
type capture struct {
	// verdict decides at the header whether the answer is kept. It runs in
	// the handler's goroutine.
	verdict func(status int, h http.Header) fate
	// announce adds the fields of this cache to a header that is sent while
	// the answer is still being written.
	announce func(status int, h http.Header)
	// passing is called once when the answer is found not to be stored and to
	// go straight to the client.
	passing func(why refusal)
	limit   int
	// shape makes of an answer that is sent while it is written what the client
	// asked for: its conditions and its range were kept from the handler.
	shape func(status int, h http.Header) (int, window)
	// streams is called when the handler wants what it wrote to be seen before
	// it goes on: nobody else shall wait for its end.
	streams func()
	// gone is the client's context.
	gone context.Context

	header http.Header // the handler's; it begins as the outer one
	outer  http.Header

	mu sync.Mutex
	// out is the client; nil if there is none, or no longer.
	out    http.ResponseWriter
	status int
	frozen http.Header
	body   []byte
	keep   bool // still recording
	direct bool // given to the client although nothing was sent yet
	sent   bool // out has the header
	why    refusal
	over   bool // the handler has returned
	window window
	late   *time.Timer // until what was held back goes out all the same
}

// fate is what becomes of an answer.
type fate struct {
	// why it is not stored; "" if it is kept.
	why refusal
	// hold keeps it back all the same: something else may be sent instead.
	hold bool
}

func newCapture(out http.ResponseWriter, outer http.Header, limit int) *capture {
	header := outer.Clone()
	if header == nil {
		header = http.Header{}
	}
	return &capture{out: out, outer: outer, limit: limit, header: header, keep: true}
}

// Header is the header as the handler sees it.
func (c *capture) Header() http.Header { return c.header }

// WriteHeader freezes a final status, and passes an informational one on.
func (c *capture) WriteHeader(status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.status != 0:
	case status >= 100 && status < 200 && status != http.StatusSwitchingProtocols:
		c.inform(status)
	default:
		c.begin(status)
	}
}

// inform sends a 1xx answer to the client, if there is one.
func (c *capture) inform(status int) {
	if c.out == nil || c.sent {
		return
	}
	h := c.out.Header()
	before := h.Clone()
	replace(h, c.header)
	c.out.WriteHeader(status)
	clear(h)
	for name, lines := range before {
		h[name] = lines
	}
}

func (c *capture) begin(status int) {
	c.status = status
	c.frozen = c.header.Clone()
	f := c.verdict(status, c.frozen)
	switch {
	case c.direct:
		c.send()
	case f.why != "" && !f.hold:
		c.pass(f.why)
	default:
		c.why = f.why
	}
}

// promote gives an answer that takes too long to be stored to its client. It
// reports whether there is one.
func (c *capture) promote(why refusal) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.out == nil || c.over {
		return false
	}
	if c.keep {
		c.keep, c.direct, c.why = false, true, why
		if c.status != 0 {
			c.send()
		}
		c.body = nil
	}
	return true
}

// pass gives up storing and sends what there is.
func (c *capture) pass(why refusal) {
	c.keep, c.why = false, why
	c.passing(why)
	c.send()
	c.body = nil
}

// send writes the header and what was held back to the client.
func (c *capture) send() {
	if c.out == nil || c.sent {
		return
	}
	c.sent = true
	sniff(c.frozen, c.body)
	h := c.out.Header()
	replace(h, c.frozen)
	c.announce(c.status, h)
	status := c.status
	if c.shape != nil {
		status, c.window = c.shape(status, h)
	}
	c.out.WriteHeader(status)
	if part := c.window.of(c.body); len(part) > 0 {
		c.out.Write(part) // an error shows at the handler's next write
	}
}

// heldBack is how long an answer may be held back once it is longer than what
// net/http would have kept in its buffers.
const (
	heldBack = 50 * time.Millisecond
	buffered = 4 << 10
)

// hold bounds how long the client waits for what the handler has written: a
// handler that writes slowly is followed while it does.
func (c *capture) hold() {
	if c.out == nil || c.sent || c.why != "" || c.late != nil || len(c.body) <= buffered {
		return
	}
	c.late = time.AfterFunc(heldBack, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if !c.over && c.keep && c.why == "" {
			c.send()
		}
	})
}

// Write records and sends as the answer's fate demands.
func (c *capture) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.status == 0 {
		c.begin(http.StatusOK)
	}
	if !bodyAllowed(c.status) {
		return 0, http.ErrBodyNotAllowed
	}
	if c.keep {
		if len(c.body)+len(p) > c.limit {
			c.pass(refuseSize)
		} else {
			c.body = append(c.body, p...)
			c.hold()
		}
	}
	if c.out == nil || !c.sent {
		return len(p), nil // nobody waits: the rest of a long answer is dropped
	}
	part := c.window.of(p)
	if len(part) == 0 && c.window.on {
		return len(p), nil
	}
	n, err := c.out.Write(part)
	if err != nil && c.keep {
		c.out = nil // the client has left; what comes is still stored
		return len(p), nil
	}
	if c.window.on && err == nil {
		n = len(p)
	}
	return n, err
}

// sniff sets the Content-Type that net/http would; other servers do not. Without
// a body yet it is left to the writer, which sees more of it.
func sniff(h http.Header, p []byte) {
	if _, there := h["Content-Type"]; !there && h.Get("Content-Encoding") == "" && len(p) > 0 {
		h.Set("Content-Type", http.DetectContentType(p))
	}
}

func bodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// FlushError sends what was written so far. An answer that may be stored goes
// on being recorded.
func (c *capture) FlushError() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.status == 0 {
		c.begin(http.StatusOK)
	}
	if c.keep && c.why != "" || c.out == nil {
		return nil // held back, or nobody there
	}
	if c.keep && c.streams != nil {
		c.streams()
	}
	c.send()
	return http.NewResponseController(c.out).Flush()
}

// Flush is for handlers that ask for an http.Flusher.
func (c *capture) Flush() { _ = c.FlushError() }

var errNoClient = errors.New("handler: the client has left")

// control runs f on the client's writer.
func (c *capture) control(f func(*http.ResponseController) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.out == nil {
		return errNoClient
	}
	return f(http.NewResponseController(c.out))
}

// SetReadDeadline, SetWriteDeadline and EnableFullDuplex are for http.ResponseController.
func (c *capture) SetReadDeadline(t time.Time) error {
	return c.control(func(rc *http.ResponseController) error { return rc.SetReadDeadline(t) })
}

// SetWriteDeadline sets the deadline of the client's connection.
func (c *capture) SetWriteDeadline(t time.Time) error {
	return c.control(func(rc *http.ResponseController) error { return rc.SetWriteDeadline(t) })
}

// EnableFullDuplex is passed on to the client's connection.
func (c *capture) EnableFullDuplex() error {
	return c.control((*http.ResponseController).EnableFullDuplex)
}

// CloseNotify is for frameworks that still ask for it, such as gin's c.Stream:
// the channel gets a value when the client leaves.
func (c *capture) CloseNotify() <-chan bool {
	left := make(chan bool, 1)
	if c.gone != nil {
		context.AfterFunc(c.gone, func() { left <- true })
	}
	return left
}

// Hijack hands the client's connection to the handler; nothing is stored.
func (c *capture) Hijack() (conn net.Conn, rw *bufio.ReadWriter, err error) {
	err = c.control(func(rc *http.ResponseController) error {
		conn, rw, err = rc.Hijack()
		if err == nil {
			c.status, c.keep, c.sent = http.StatusSwitchingProtocols, false, true
			c.frozen = http.Header{}
			c.passing(refuseUpgrade)
		}
		return err
	})
	return conn, rw, err
}

// finish marks the end of the handler's run.
// ended says that its context had ended: what it said then may be cut short.
func (c *capture) finish(panicked, ended bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.status == 0 && !panicked {
		c.begin(http.StatusOK)
	}
	switch {
	case !c.keep || panicked:
	case ended:
		c.why = refuseTime
	case !c.whole():
		c.why = refuseCut
	}
	if c.late != nil {
		c.late.Stop()
	}
	if c.keep && c.frozen != nil {
		sniff(c.frozen, c.body)
	}
	if c.sent && c.out != nil && !panicked {
		copyTrailers(c.out.Header(), c.header, c.frozen)
	}
	c.over = true
}

// whole reports whether the body is as long as the handler said (RFC 9111
// section 3.3: an incomplete response is not stored).
func (c *capture) whole() bool {
	declared := c.frozen.Get("Content-Length")
	if declared == "" || !bodyAllowed(c.status) {
		return true
	}
	n, err := strconv.Atoi(declared)
	return err == nil && n == len(c.body)
}

// deliver sends a recorded answer that is not to be stored after all.
func (c *capture) deliver(why refusal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over && c.status != 0 && !c.sent {
		c.keep, c.why = false, why
		c.send()
	}
}

// leave takes the client away. It reports whether that got the answer from here.
func (c *capture) leave() (sent bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out = nil
	return c.sent
}

// ofTheAnswer are fields that say how an answer may be used, whoever set them.
var ofTheAnswer = []string{"Cache-Control", "Expires", "Pragma", "Date", "Age", "Etag", "Last-Modified", "Content-Type", "Content-Encoding", "Content-Language"}

// changed is what the handler has said of the header: what the middleware
// around the cache says it says again for the next request.
func (c *capture) changed() http.Header {
	h := make(http.Header, len(c.frozen))
	for name, lines := range c.frozen {
		before := c.outer[name]
		switch {
		case slices.Equal(lines, before) && !slices.Contains(ofTheAnswer, name):
		case slices.Contains(additive, name) && len(before) < len(lines) && slices.Equal(lines[:len(before)], before):
			h[name] = lines[len(before):]
		default:
			h[name] = lines
		}
	}
	for name := range c.outer {
		if _, there := c.frozen[name]; !there {
			h[name] = nil // taken away
		}
	}
	return h
}

// trailers are the fields that the handler set after its body: those that its
// Trailer field names, and those with http.TrailerPrefix.
func trailers(header, frozen http.Header) http.Header {
	var t http.Header
	add := func(name string, lines []string) {
		if t == nil {
			t = http.Header{}
		}
		t[name] = lines
	}
	for _, name := range list(frozen["Trailer"]) {
		if lines := header[canonical(name)]; len(lines) > 0 {
			add(canonical(name), lines)
		}
	}
	for name, lines := range header {
		if len(name) > len(http.TrailerPrefix) && name[:len(http.TrailerPrefix)] == http.TrailerPrefix {
			add(canonical(name[len(http.TrailerPrefix):]), lines)
		}
	}
	return t
}

func copyTrailers(out, header, frozen http.Header) {
	for name, lines := range trailers(header, frozen) {
		out[http.TrailerPrefix+name] = lines
	}
}
