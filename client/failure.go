package client

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// maxRetryAfter: a server cannot park a caller for longer.
const maxRetryAfter = 5 * time.Second

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

func startsJSON(body []byte) bool {
	s := scanner{data: body}
	c := s.space()
	return c == '{' || c == '['
}
