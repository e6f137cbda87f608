package client

import (
	"context"
	"net"
	"net/http"
)

// dialer is none: net/http's transport uses the host's fetch where there is no dialer,
// which is the only way out of a browser or an edge runtime.
func dialer() func(ctx context.Context, network, addr string) (net.Conn, error) { return nil }

// viaHost refuses redirects, which fetch would follow by itself.
func viaHost(t *http.Transport) http.RoundTripper { return fetching{t} }

type fetching struct{ *http.Transport }

// RoundTrip sends a copy: the transport takes its own fields out of the header.
func (f fetching) RoundTrip(req *http.Request) (*http.Response, error) {
	own := req.WithContext(req.Context())
	own.Header = req.Header.Clone()
	own.Header["js.fetch:redirect"] = []string{"error"} // spelt as net/http documents it
	return f.Transport.RoundTrip(own)
}
