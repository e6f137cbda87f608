package record

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/cldcde/restash/handler/internal/rfc9111"
)

// FlushError sends what was written so far. An answer that may be stored goes
// on being recorded.
func (c *Capture) FlushError() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.status == 0 {
		c.begin(http.StatusOK)
	}
	if c.keep && c.why != "" || c.out == nil {
		return nil // held back, or nobody there
	}
	if c.keep && c.Streams != nil {
		c.Streams()
	}
	c.send()
	return http.NewResponseController(c.out).Flush()
}

// Flush is for handlers that ask for an http.Flusher.
func (c *Capture) Flush() { _ = c.FlushError() }

var errNoClient = errors.New("handler: the client has left")

// control runs f on the client's writer.
func (c *Capture) control(f func(*http.ResponseController) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.out == nil {
		return errNoClient
	}
	return f(http.NewResponseController(c.out))
}

// SetReadDeadline, SetWriteDeadline and EnableFullDuplex are for http.ResponseController.
func (c *Capture) SetReadDeadline(t time.Time) error {
	return c.control(func(rc *http.ResponseController) error { return rc.SetReadDeadline(t) })
}

// SetWriteDeadline sets the deadline of the client's connection.
func (c *Capture) SetWriteDeadline(t time.Time) error {
	return c.control(func(rc *http.ResponseController) error { return rc.SetWriteDeadline(t) })
}

// EnableFullDuplex is passed on to the client's connection.
func (c *Capture) EnableFullDuplex() error {
	return c.control((*http.ResponseController).EnableFullDuplex)
}

// CloseNotify is for frameworks that still ask for it, such as gin's c.Stream:
// the channel gets a value when the client leaves.
func (c *Capture) CloseNotify() <-chan bool {
	left := make(chan bool, 1)
	if c.Asked != nil {
		context.AfterFunc(c.Asked.Context(), func() { left <- true })
	}
	return left
}

// Hijack hands the client's connection to the handler; nothing is stored.
func (c *Capture) Hijack() (conn net.Conn, rw *bufio.ReadWriter, err error) {
	err = c.control(func(rc *http.ResponseController) error {
		conn, rw, err = rc.Hijack()
		if err == nil {
			c.status, c.keep, c.sent = http.StatusSwitchingProtocols, false, true
			c.frozen = http.Header{}
			c.Passing(rfc9111.RefuseUpgrade)
		}
		return err
	})
	return conn, rw, err
}
