package httpcache

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/cldcde/restash/handler/internal/route"
	"github.com/cldcde/restash/strategies"
)

// key is Config.Key's, or the URL.
func (c Config) key(r *http.Request) string {
	if c.Key != nil {
		return c.Key(r)
	}
	return locate(r).key(r.URL.EscapedPath(), r.URL.RawQuery)
}

// locator finds the key of a URL that is asked for in the same way as a request.
type locator struct {
	scheme, host, override string
}

func locate(r *http.Request) locator {
	l := locator{scheme: "http", host: strings.ToLower(r.Host)}
	if r.TLS != nil {
		l.scheme = "https"
	}
	var b strings.Builder
	for _, name := range route.Forwarding {
		if lines, there := r.Header[name]; there {
			b.WriteString(name + ":" + strings.Join(lines, ",") + "\n")
		}
	}
	l.override = b.String()
	return l
}

// key is the key of a GET for a path and query as they were sent: origin,
// path, query. So "a/b" and "a%2Fb" stay apart, and a prefix names a path
// with all its queries.
func (l locator) key(path, query string) string {
	origin := l.scheme + "://" + l.host
	if l.override != "" {
		origin += "\n" + l.override
	}
	if path == "" {
		path = "/"
	}
	return strategies.Key(origin, path, "?"+query)
}

// sameOrigin returns the key of a Location or Content-Location field, and
// false if it names another origin (RFC 9111 section 4.4).
func (l locator) sameOrigin(base *url.URL, field string) (string, bool) {
	if field == "" {
		return "", false
	}
	u, err := url.Parse(field)
	if err != nil {
		return "", false
	}
	if u.Host != "" && (!strings.EqualFold(u.Host, l.host) || u.Scheme != "" && !strings.EqualFold(u.Scheme, l.scheme)) {
		return "", false
	}
	full := (&url.URL{Path: base.Path, RawPath: base.RawPath}).ResolveReference(u)
	return l.key(full.EscapedPath(), full.RawQuery), true
}
