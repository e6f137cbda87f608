package route

import (
	"net/http"
	"slices"
	"strings"

	"github.com/cldcde/restash/handler/internal/rfc9111"
)

// Tags are the tags of a request: a name in braces stands for its value, and a
// tag in which one is empty is left out.
func Tags(tags []string, value func(name string) string) []string {
	if !slices.ContainsFunc(tags, hasBrace) {
		return tags
	}
	all := make([]string, 0, len(tags))
	for _, t := range tags {
		if t, ok := expand(t, value); ok {
			all = append(all, t)
		}
	}
	return all
}

// WarnOfTags says once of each tag of a Config that it names what requests of this
// route never have: it is always left out, and its invalidation reaches no answer.
// known reports whether a name is another thing than a path value.
func (r *Route) WarnOfTags(req *http.Request, tags []string, known func(name string) bool) {
	for _, tag := range tags {
		for _, part := range strings.Split(tag, "{")[1:] {
			name, _, _ := strings.Cut(part, "}")
			if known(name) || req.PathValue(name) != "" ||
				strings.Contains(req.Pattern, "{"+name+"}") || strings.Contains(req.Pattern, "{"+name+"...}") {
				continue
			}
			if _, said := r.said.LoadOrStore(tag, true); !said {
				r.Store.Logger().Warn("a tag is left out: the route has no such path value; mount the middleware inside the router",
					"handle", r.Name(), "tag", tag, "route", req.Pattern)
			}
		}
	}
}

// Fixed are the tags that all requests have: they are the class's own.
func Fixed(tags []string) []string {
	return slices.DeleteFunc(slices.Clone(tags), hasBrace)
}

func hasBrace(tag string) bool { return strings.Contains(tag, "{") }

// expand puts values in the places of {names}; false if one is empty.
func expand(tag string, value func(string) string) (string, bool) {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(tag, "{")
		b.WriteString(before)
		if !found {
			return b.String(), true
		}
		name, rest, _ := strings.Cut(after, "}")
		v := value(name)
		if v == "" {
			return "", false
		}
		b.WriteString(v)
		tag = rest
	}
}

// TakeTags takes the tags that an answer names in its fields.
func (r *Route) TakeTags(h http.Header) []string {
	var tags []string
	for _, field := range r.TagFields {
		for _, member := range rfc9111.List(h[field]) {
			tags = append(tags, strings.Fields(member)...)
		}
		delete(h, field)
	}
	return tags
}
