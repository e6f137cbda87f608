package record

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/cldcde/restash/handler/internal/rfc9111"
)

// Capture is the ResponseWriter that a handler writes to when its answer may
// be stored. It holds the answer back until it is whole, or sends it on while
// the handler writes: at once where it will not be stored, from the first
// Flush on where it may be. The status is frozen when it is first written and
// the header is copied then, whatever the underlying writer makes of late calls.
//
// The handler runs in the goroutine of its request; Promote may be called from
// another.
type Capture struct {
	Hooks
	limit int

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
	why    rfc9111.Refusal
	over   bool // the handler has returned
	window Window
	late   *time.Timer // until what was held back goes out all the same
}

// Hooks are what the capture asks and tells while the handler writes.
type Hooks struct {
	// Decide says at the header whether the answer is kept. It runs in the
	// handler's goroutine.
	Decide func(status int, h http.Header) Fate
	// Announce adds the fields of this cache to a header that is sent while
	// the answer is still being written.
	Announce func(status int, f *Fields)
	// Passing is called once when the answer is found not to be stored and to
	// go straight to the client.
	Passing func(why rfc9111.Refusal)
	// Streams is called when the handler wants what it wrote to be seen before
	// it goes on: nobody else shall wait for its end.
	Streams func()
	// Asked is what the client asked for. Its conditions and its range were
	// kept from the handler, so an answer that is sent while it is written is
	// shaped after them here.
	Asked *http.Request
}

// Fate is what becomes of an answer.
type Fate struct {
	// Why it is not stored; "" if it is kept.
	Why rfc9111.Refusal
	// Hold keeps it back all the same: something else may be sent instead.
	Hold bool
}

// NewCapture records for out, which may be nil; outer is the header as it was
// before, and limit the most bytes of a body that are kept.
func NewCapture(out http.ResponseWriter, outer http.Header, limit int) *Capture {
	header := outer.Clone()
	if header == nil {
		header = http.Header{}
	}
	return &Capture{out: out, outer: outer, limit: limit, header: header, keep: true}
}

// Header is the header as the handler sees it.
func (c *Capture) Header() http.Header { return c.header }

// WriteHeader freezes a final status, and passes an informational one on.
func (c *Capture) WriteHeader(status int) {
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
func (c *Capture) inform(status int) {
	if c.out == nil || c.sent {
		return
	}
	h := c.out.Header()
	before := h.Clone()
	FieldsOf(h, len(c.header)).replace(c.header)
	c.out.WriteHeader(status)
	clear(h)
	for name, lines := range before {
		h[name] = lines
	}
}

func (c *Capture) begin(status int) {
	c.status = status
	c.frozen = c.header.Clone()
	f := c.Decide(status, c.frozen)
	switch {
	case c.direct:
		c.send()
	case f.Why != "" && !f.Hold:
		c.pass(f.Why)
	case f.Why == "" && c.declared() > c.limit:
		c.pass(rfc9111.RefuseSize)
	default:
		c.why = f.Why
	}
}

// Promote gives an answer that takes too long to be stored to its client. It
// reports whether there is one.
func (c *Capture) Promote(why rfc9111.Refusal) bool {
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
func (c *Capture) pass(why rfc9111.Refusal) {
	c.keep, c.why = false, why
	c.Passing(why)
	c.send()
	c.body = nil
}

// announced is about how many fields the cache adds to an answer.
const announced = 6

// send writes the header and what was held back to the client.
func (c *Capture) send() {
	if c.out == nil || c.sent {
		return
	}
	c.sent = true
	sniff(c.frozen, c.body)
	f := FieldsOf(c.out.Header(), len(c.frozen)+announced)
	f.replace(c.frozen)
	c.Announce(c.status, f)
	status := c.status
	if c.Asked != nil {
		status, c.window = shaped(c.Asked, status, f.Header)
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
func (c *Capture) hold() {
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
func (c *Capture) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.status == 0 {
		if len(p) >= sniffed {
			sniff(c.header, p) // a writer further out may not see them before the header
		}
		c.begin(http.StatusOK)
	}
	if !BodyAllowed(c.status) {
		return 0, http.ErrBodyNotAllowed
	}
	if c.keep {
		if len(c.body)+len(p) > c.limit {
			c.pass(rfc9111.RefuseSize)
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

// sniffed is how many bytes decide on the type.
const sniffed = 512

// sniff sets the Content-Type that net/http would; other servers do not. Without
// a body yet it is left to the writer, which sees more of it.
func sniff(h http.Header, p []byte) {
	if _, there := h["Content-Type"]; !there && h.Get("Content-Encoding") == "" && len(p) > 0 {
		h.Set("Content-Type", http.DetectContentType(p))
	}
}

// BodyAllowed reports whether an answer of this status has a body.
func BodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// Finish marks the end of the handler's run.
// ended says that its context had ended: what it said then may be cut short.
func (c *Capture) Finish(panicked, ended bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.status == 0 && !panicked {
		c.begin(http.StatusOK)
	}
	switch {
	case !c.keep || panicked:
	case ended:
		c.why = rfc9111.RefuseTime
	case !c.whole():
		c.why = rfc9111.RefuseCut
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
func (c *Capture) whole() bool {
	return len(c.frozen["Content-Length"]) == 0 || !BodyAllowed(c.status) || c.declared() == len(c.body)
}

// declared is the length that the handler has said, -1 for none that can be read.
func (c *Capture) declared() int {
	n, err := strconv.Atoi(c.frozen.Get("Content-Length"))
	if err != nil || !BodyAllowed(c.status) {
		return -1
	}
	return n
}

// Deliver sends a recorded answer that is not to be stored after all.
func (c *Capture) Deliver(why rfc9111.Refusal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over && c.status != 0 && !c.sent {
		c.keep, c.why = false, why
		c.send()
	}
}

// Leave takes the client away. It reports whether that got the answer from here.
func (c *Capture) Leave() (sent bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out = nil
	return c.sent
}

// Status is the final status, 0 if there was none.
func (c *Capture) Status() int { return c.status }

// Why says why the answer is not stored.
func (c *Capture) Why() rfc9111.Refusal { return c.why }

// Sent reports whether the client has the header.
func (c *Capture) Sent() bool { return c.sent }

// Kept reports whether the answer is still recorded.
func (c *Capture) Kept() bool { return c.keep }

// Frozen is the header as it was when the status was written.
func (c *Capture) Frozen() http.Header { return c.frozen }

// Response is the recorded answer: what the handler itself has said.
func (c *Capture) Response(requested, received time.Time) *Response {
	return New(c.status, c.changed(), trailers(c.header, c.frozen), c.body, requested, received)
}
