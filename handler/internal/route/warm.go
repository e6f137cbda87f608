package route

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/cldcde/restash/handler/internal/record"
	"github.com/cldcde/restash/strategies"
)

// Serve serves a marked request and notes how it was answered.
func (m *Mark) Serve(r *http.Request, serve func(http.ResponseWriter, *http.Request)) {
	w := discard{http.Header{}}
	serve(w, Unmarked(r))
	m.Varies = len(w.header["Vary"]) > 0
	m.Fresh = w.header.Get("X-Cache") == strategies.Hit.String()
	status := w.header["Cache-Status"]
	m.Stored = len(status) > 0 && strings.Contains(status[len(status)-1], "; stored")
}

// Target is what a warming request asks for.
type Target struct {
	URL    string
	Header http.Header
	Host   string // of a URL without one
	TLS    *tls.ConnectionState
}

// Send sends a marked request through the application.
func (m *Mark) Send(ctx context.Context, app http.Handler, to Target) (err error) {
	u, err := url.ParseRequestURI(to.URL)
	if err != nil || u.Host == "" && !strings.HasPrefix(to.URL, "/") {
		return fmt.Errorf("handler: %q is no path", to.URL)
	}
	r, err := http.NewRequestWithContext(context.WithValue(ctx, markKey{}, m), http.MethodGet, to.URL, http.NoBody)
	if err != nil {
		return err
	}
	r.Host, r.RequestURI, r.TLS = cmp.Or(u.Host, to.Host), u.RequestURI(), to.TLS
	switch u.Scheme {
	case "https":
		r.TLS = cmp.Or(to.TLS, &tls.ConnectionState{})
	case "http":
		r.TLS = nil
	}
	record.FieldsOf(r.Header, len(to.Header)).Merge(to.Header)
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("handler: the handler panicked: %v", p)
		}
	}()
	app.ServeHTTP(discard{http.Header{}}, r)
	return ctx.Err()
}

// Find asks app for the route and the key of a URL. What by says of scheme, host
// and proxies holds where the URL does not say it.
func Find(ctx context.Context, app http.Handler, url string, by *http.Request) (*Mark, error) {
	to := Target{URL: url, Header: http.Header{}, Host: by.Host, TLS: by.TLS}
	for _, name := range Forwarding {
		Restore(to.Header, by.Header, name)
	}
	m := &Mark{}
	err := m.Send(ctx, app, to)
	if err == nil && !m.Found {
		err = ErrNoRoute
	}
	return m, err
}

// Forwarding are request fields that some servers and frameworks believe more
// than the request line. Nothing outside the key may change what is stored:
// under a preset the handler does not see them, otherwise they are in the key.
var Forwarding = []string{
	"Forwarded", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Scheme", "X-Forwarded-Port",
	"X-Forwarded-Prefix", "X-Forwarded-Path", "X-Forwarded-Server", "X-Forwarded-Ssl",
	"X-Host", "X-Http-Host-Override", "X-Original-Host", "X-Original-Url", "X-Rewrite-Url",
	"X-Http-Method", "X-Http-Method-Override", "X-Method-Override", "Front-End-Https",
}

// ErrNoRoute says that a URL does not lead through the route's middleware.
var ErrNoRoute = errors.New("handler: the URL does not lead to this cache")

// WarmServed warms a target as a client would. It reports whether the answer varies.
func (r *Route) WarmServed(ctx context.Context, app http.Handler, report *strategies.WarmReport, to Target) (varies bool) {
	m := &Mark{Route: r, Want: WantServed}
	err := m.Send(ctx, app, to)
	report.Commands += m.commands
	report.Trips += m.trips
	switch {
	case err == nil && !m.Found:
		err = ErrNoRoute
	case err == nil && m.Fresh:
		report.Fresh++
		return m.Varies
	case err == nil && m.Stored:
		report.Warmed++
		return m.Varies
	case err == nil:
		err = ErrNotStorable
	}
	report.Failed++
	report.Errors[to.URL] = err
	return false
}

// discard is a ResponseWriter that nobody reads.
type discard struct{ header http.Header }

func (d discard) Header() http.Header { return d.header }

func (d discard) Write(p []byte) (int, error) { return len(p), nil }

func (d discard) WriteHeader(int) {}

// BrowserEncodings are the Accept-Encoding fields of Chrome and Firefox, and of Safari.
var BrowserEncodings = []string{"gzip, deflate, br, zstd", "gzip, deflate, br"}

// Encoded is the header of a request with this Accept-Encoding.
func Encoded(encoding string) http.Header {
	if encoding == "" {
		return http.Header{}
	}
	return http.Header{"Accept-Encoding": {encoding}}
}
