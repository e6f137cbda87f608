package adapters

import "strings"

// pattern spells a route such as /users/:id/*path as http.ServeMux does, so
// that its parameters make the key. An unnamed rest leaves the route open: then
// the whole path does.
func pattern(route string) string {
	parts := strings.Split(route, "/")
	for i, p := range parts {
		switch {
		case p == "*", p == "+":
			return strings.Join(parts[:i], "/") + "/"
		case strings.HasPrefix(p, ":"):
			parts[i] = "{" + p[1:] + "}"
		case strings.HasPrefix(p, "*"):
			parts[i] = "{" + p[1:] + "...}"
		}
	}
	return strings.Join(parts, "/")
}
