//go:build !js

package client

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"sync"
)

// opening lets one request open the first connection while the others wait for
// it: over HTTP/2 it carries them all, where each would have dialled for itself
// and thrown its connection away. Over HTTP/1.1 they dial when they know that it
// is not shared. Whether it succeeds or not, nobody waits for a second one.
type opening struct {
	*http.Transport

	mu    sync.Mutex
	known bool          // a connection was there, or could not be had
	first chan struct{} // closed when the request that opens it is that far
}

// RoundTrip sends a request; a body that is not sent is closed, as the interface
// wants it.
func (o *opening) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != "https" {
		return o.Transport.RoundTrip(req)
	}
	ready, wait := o.enter()
	switch {
	case wait != nil:
		select {
		case <-wait:
		case <-req.Context().Done():
			if req.Body != nil {
				_ = req.Body.Close()
			}
			return nil, context.Cause(req.Context())
		}
	case ready != nil:
		defer ready()
		trace := httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { ready() }}
		req = req.WithContext(httptrace.WithClientTrace(req.Context(), &trace))
	}
	return o.Transport.RoundTrip(req)
}

// enter returns what to wait for, or what the first request has to call once it
// has its connection, or nothing.
func (o *opening) enter() (ready func(), wait <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.known {
		return nil, nil
	}
	if o.first != nil {
		return nil, o.first
	}
	o.first = make(chan struct{})
	return sync.OnceFunc(func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		close(o.first)
		o.known, o.first = true, nil
	}), nil
}

// CloseIdleConnections makes the next request the first one again.
func (o *opening) CloseIdleConnections() {
	o.Transport.CloseIdleConnections()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.known = false
}
