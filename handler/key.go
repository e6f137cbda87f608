package handler

import (
	"go/token"
	"net/http"
	"net/url"
	"strings"

	"github.com/cldcde/restash/handler/internal/route"
	"github.com/cldcde/restash/strategies"
)

// key is the key of a request under a preset: the host if it counts, the
// path values, the path as it was asked for and as the handler sees it, the
// declared parameters that differ from their default, and who asks if that counts.
func (c Config) key(r *http.Request) string {
	if c.Key != nil {
		if c.Identity == nil {
			return c.Key(r)
		}
		return c.Key(r) + ":" + strategies.Key(c.identityOf(r))
	}
	parts := make([]any, 0, 8)
	if c.ByHost {
		parts = append(parts, originOf(r))
	}
	for _, v := range pathValues(r) {
		parts = append(parts, v)
	}
	path, seen := askedPath(r), r.URL.EscapedPath()
	if seen == path {
		seen = ""
	}
	parts = append(parts, path, seen, c.chosen(r))
	if id := c.identityOf(r); id != "" {
		parts = append(parts, id)
	}
	return strategies.Key(parts...)
}

func (c Config) identityOf(r *http.Request) string {
	if c.Identity == nil {
		return ""
	}
	return c.Identity(r)
}

func originOf(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + strings.ToLower(r.Host)
	}
	return strings.ToLower(r.Host)
}

// askedPath is the path as the client spelt it, before a mux cleaned it or took
// a prefix off: two of them may look alike to the handler.
func askedPath(r *http.Request) string {
	path, _, _ := strings.Cut(r.RequestURI, "?")
	if path == "" {
		return r.URL.EscapedPath() // a request that no server has read
	}
	if strings.HasPrefix(path, "/") {
		return path
	}
	if u, err := url.Parse(path); err == nil && u.Host != "" {
		return u.EscapedPath() // as a proxy is asked
	}
	return path
}

// pathValues are the values of the route's wildcards, in order. Where the
// route is not known, or its pattern does not name all that it matches, the
// whole path counts.
func pathValues(r *http.Request) []string {
	names, closed := wildcards(r.Pattern)
	values := make([]string, len(names))
	for i, name := range names {
		name, rest := strings.CutSuffix(name, "...")
		if values[i] = r.PathValue(name); values[i] == "" && !rest {
			closed = false // not a value that this router has given
		}
	}
	if !closed {
		return []string{r.URL.EscapedPath()}
	}
	return values
}

// wildcards are the names in a pattern of http.ServeMux, or of a router that
// writes them in the same way. closed is false if the pattern is empty, matches
// more than it names, or is none of http.ServeMux's.
func wildcards(pattern string) (names []string, closed bool) {
	if _, path, found := strings.Cut(pattern, " "); found {
		pattern = strings.TrimLeft(path, " \t")
	}
	if pattern == "" || strings.HasSuffix(pattern, "/") || strings.Contains(pattern, "*") {
		return nil, false
	}
	for rest := pattern; ; {
		_, after, found := strings.Cut(rest, "{")
		if !found {
			return names, true
		}
		name, tail, _ := strings.Cut(after, "}")
		switch {
		case name == "$":
		case token.IsIdentifier(strings.TrimSuffix(name, "...")):
			names = append(names, name)
		default:
			return nil, false
		}
		rest = tail
	}
}

// asked are the values of a declared parameter, in their order; ok is false where
// its default counts, because it is absent or empty.
func asked(given url.Values, name string) (values []string, ok bool) {
	values = given[name]
	return values, len(values) > 1 || len(values) == 1 && values[0] != ""
}

// chosen are the declared parameters that differ from their default.
func (c Config) chosen(r *http.Request) url.Values {
	chosen := url.Values{}
	if len(c.Query) == 0 || r.URL.RawQuery == "" {
		return chosen
	}
	given := r.URL.Query()
	for name, standard := range c.Query {
		if values, ok := asked(given, name); ok && (len(values) > 1 || values[0] != standard) {
			chosen[name] = values
		}
	}
	return chosen
}

// canonicalQuery is the query that the handler of a preset sees: every
// declared parameter with its value, so that nothing outside the key can
// change the answer.
func (c Config) canonicalQuery(r *http.Request) string {
	given, values := r.URL.Query(), url.Values{}
	for name, standard := range c.Query {
		if all, ok := asked(given, name); ok {
			values[name] = all
		} else if standard != "" {
			values.Set(name, standard)
		}
	}
	return values.Encode()
}

// tags are the tags of a request, with path values and parameters put in.
func (c Config) tags(r *http.Request) []string {
	given := r.URL.Query
	return route.Tags(c.Tags, func(name string) string {
		standard, declared := c.Query[name]
		if !declared {
			return r.PathValue(name)
		}
		if values, ok := asked(given(), name); ok {
			return values[0]
		}
		return standard
	})
}
