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
