package ops

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cldcde/restash/handler/internal/route"
	"github.com/cldcde/restash/internal/json"
)

// order is what a purge request asks for.
type order struct {
	Tags []string `json:"tags"`
	Keys []struct {
		Name string `json:"name"`
		Key  string `json:"key"`
	} `json:"keys"`
	Prefixes []struct {
		Name     string   `json:"name"`
		Segments []string `json:"segments"`
	} `json:"prefixes"`
	Patterns []struct {
		Name string `json:"name"`
		Glob string `json:"glob"`
	} `json:"patterns"`
	URLs   []string `json:"urls"`
	All    bool     `json:"all"`
	Soft   bool     `json:"soft"`
	DryRun *bool    `json:"dryRun"`
	Budget int      `json:"budget"`

	found []foundKey // by URL
}

// foundKey is the entry of a URL.
type foundKey struct{ name, key string }

// find asks the application which entries the URLs lead to.
func (o *order) find(ctx context.Context, app http.Handler, r *http.Request) error {
	if len(o.URLs) > 0 && app == nil {
		return errors.New("urls: the endpoint was made without ops.App")
	}
	for _, u := range o.URLs {
		m, err := route.Find(ctx, app, u, r)
		if err != nil {
			return fmt.Errorf("urls: %q: %w", u, err)
		}
		o.found = append(o.found, foundKey{m.Route.Name(), m.Key})
	}
	return nil
}

func readOrder(r *http.Request) (order, error) {
	var o order
	body, err := io.ReadAll(io.LimitReader(r.Body, maxPurge+1))
	switch {
	case err != nil:
		return o, errors.New("the body could not be read")
	case len(body) > maxPurge:
		return o, errTooLong
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return o, errors.New("the query cannot be read")
	}
	unknown := unknownNames(query, body)
	if len(unknown) > 0 {
		return o, fmt.Errorf("unknown: %s", strings.Join(unknown, ", "))
	}
	if len(body) > 0 {
		if err := strictly(body, &o); err != nil {
			return o, err
		}
	}
	return o, o.addQuery(query)
}

// addQuery adds what the query asks for.
func (o *order) addQuery(query url.Values) error {
	o.Tags = append(o.Tags, query["tag"]...)
	o.URLs = append(o.URLs, query["url"]...)
	for name, values := range query {
		if name == "tag" || name == "url" {
			continue
		}
		on, err := strconv.ParseBool(values[0])
		if err != nil || len(values) > 1 {
			return fmt.Errorf("%s is neither true nor false", name)
		}
		switch name {
		case "all":
			o.All = o.All || on
		case "soft":
			o.Soft = o.Soft || on
		case "dryRun":
			dry := on || o.DryRun != nil && *o.DryRun
			o.DryRun = &dry
		}
	}
	return nil
}

// members are the names that an order may hold, at each of its levels.
var members = map[string][]string{
	"":         {"tags", "keys", "prefixes", "patterns", "urls", "all", "soft", "dryRun", "budget"},
	"keys":     {"name", "key"},
	"prefixes": {"name", "segments"},
	"patterns": {"name", "glob"},
}

// unknownNames are the parameters and members that mean nothing here: a slip in
// "dryRun" must not purge.
func unknownNames(query url.Values, body []byte) (unknown []string) {
	for _, name := range sortedNames(query) {
		if !slices.Contains([]string{"tag", "url", "all", "soft", "dryRun"}, name) {
			unknown = append(unknown, name)
		}
	}
	var top map[string]any
	if json.Unmarshal(body, &top) != nil {
		return unknown // the body is refused as a whole
	}
	for _, name := range sortedNames(top) {
		if !slices.Contains(members[""], name) {
			unknown = append(unknown, name)
		}
		targets, _ := top[name].([]any)
		for _, target := range targets {
			fields, _ := target.(map[string]any)
			for _, member := range sortedNames(fields) {
				if !slices.Contains(members[name], member) {
					unknown = append(unknown, name+"."+member)
				}
			}
		}
	}
	return unknown
}

// codeInvalid is the code of a request that cannot be understood.
const codeInvalid = "invalid_request"

var errTooLong = fmt.Errorf("the body is too long: at most %d bytes", maxPurge)

var errForm = errors.New("the body is no JSON of the expected form")

// strictly reads a body that must be one JSON object in which no name comes twice.
func strictly(body []byte, o *order) error {
	if json.Unmarshal(body, o) != nil {
		return errForm
	}
	seen := map[string]bool{}
	for depth, rest := 0, body; ; {
		i := bytes.IndexAny(rest, `{}[]"`)
		if i < 0 {
			return nil
		}
		switch rest[i] {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case '"':
			text, after := quotedText(rest[i:])
			if depth == 1 && bytes.HasPrefix(bytes.TrimLeft(after, " \t\r\n"), []byte(":")) {
				if seen[text] {
					return fmt.Errorf("%s is there twice", text)
				}
				seen[text] = true
			}
			rest = after
			continue
		}
		rest = rest[i+1:]
	}
}

// quotedText cuts the JSON string off that s begins with.
func quotedText(s []byte) (text string, after []byte) {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return string(s[1:i]), s[i+1:]
		}
	}
	return string(s), nil
}

// maxPurge bounds the body of a purge request, and purgeTimeout its duration.
const (
	maxPurge     = 64 << 10
	purgeTimeout = 20 * time.Second
)

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
