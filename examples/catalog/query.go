package catalog

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of what a request may ask for.
const (
	// MaxLimit is the largest page of a list.
	MaxLimit = 100
	// MaxPage is the last page that may be asked for.
	MaxPage = 10_000
	// MaxSearch is the longest search text, in characters.
	MaxSearch = 100
	// MaxQuery is the longest query string of a request, in bytes.
	MaxQuery = 4 << 10
	// MaxBody is the largest body of a write, in bytes.
	MaxBody = 64 << 10
)

// Names that occur in paths. Both are as npm has them, in lower case.
var (
	idPattern   = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,99}$`)
	namePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,99}$`)
)

// listDefaults are the parameters of a list and what they mean when absent.
// The preset table hands the same map to the cache, so that a request with a
// default written out and one without it share an entry.
var listDefaults = map[string]string{
	"search": "", "category": "", "platform": "", "sort": string(ByDownloads), "page": "1", "limit": "20",
}

// pageDefaults are the parameters of a user's own lists.
var pageDefaults = map[string]string{"sort": string(ByDownloads), "page": "1", "limit": "20"}

// ParseListQuery reads the parameters of a list from a request's query string.
// Absent or empty parameters have their defaults, unknown ones are ignored. It
// returns an error that says what is wrong and what would be right.
func ParseListQuery(values url.Values) (ListQuery, error) {
	get := parameters{values: values}
	q := ListQuery{
		Search:   get.text("search", MaxSearch),
		Category: get.oneOf("category", categories),
		Platform: get.oneOf("platform", platforms),
		Sort:     Sort(get.oneOf("sort", []string{string(ByDownloads), string(ByRating), string(Recent)})),
		Page:     get.number("page", MaxPage),
		Limit:    get.number("limit", MaxLimit),
	}
	return q, get.err
}

// parameters reads a query string; the first error is kept.
type parameters struct {
	values url.Values
	err    error
}

func (p *parameters) fail(name, format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(name+" "+format, args...)
	}
}

// value refuses repeated parameters: which one counts would be a guess.
func (p *parameters) value(name string) string {
	given := p.values[name]
	if len(given) > 1 {
		p.fail(name, "is given %d times", len(given))
	}
	if len(given) == 0 || given[0] == "" {
		return listDefaults[name]
	}
	return given[0]
}

func (p *parameters) text(name string, longest int) string {
	value := p.value(name)
	if problem := badText(value, longest); problem != "" {
		p.fail(name, "%s", problem)
	}
	return value
}

func (p *parameters) oneOf(name string, allowed []string) string {
	value := p.value(name)
	if value != "" && !slices.Contains(allowed, value) {
		p.fail(name, "must be one of %s", strings.Join(allowed, ", "))
	}
	return value
}

func (p *parameters) number(name string, largest int) int {
	n, err := strconv.Atoi(p.value(name))
	if err != nil || n < 1 || n > largest {
		p.fail(name, "must be a number from 1 to %d", largest)
	}
	return n
}

// badText says what is wrong with a text that a person typed, or nothing.
func badText(value string, longest int) string {
	switch {
	case !utf8.ValidString(value):
		return "is not valid UTF-8"
	case utf8.RuneCountInString(value) > longest:
		return fmt.Sprintf("is longer than %d characters", longest)
	case strings.ContainsFunc(value, unicode.IsControl):
		return "has control characters"
	}
	return ""
}

// decodeBody reads a JSON object of known fields, at most [MaxBody] bytes of it.
func decodeBody(w http.ResponseWriter, r *http.Request, into any) error {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, MaxBody))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return bodyError(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return bodyError(errors.Join(errors.New("more than one JSON value"), err))
	}
	return nil
}

// bodyError names the field that is wrong, and leaves the rest of the decoder's
// own words out: they differ between Go versions.
func bodyError(err error) error {
	if _, tooLong := errors.AsType[*http.MaxBytesError](err); tooLong {
		return problem{http.StatusRequestEntityTooLarge, "too_large", fmt.Sprintf("the body is longer than %d bytes", MaxBody)}
	}
	message := "the body must be one JSON object with known fields only"
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
		message = fmt.Sprintf("field %q cannot be a JSON %s", wrong.Field, wrong.Value)
	}
	if name, unknown := strings.CutPrefix(err.Error(), "json: unknown field "); unknown {
		message = "unknown field " + name
	}
	return problem{http.StatusBadRequest, "invalid_json", message}
}

// newItem is the body of a request that publishes an item.
type newItem struct {
	Name        string `json:"name"`
	Version     string `json:"version"`
	Description string `json:"description"`
	Author      string `json:"author"`
	Category    string `json:"category"`
	Platform    string `json:"platform"`
}

// check returns the item to be stored, or what is wrong.
func (n newItem) check() (Item, error) {
	id, scope := slug(n.Name)
	item := Item{ID: id, Name: n.Name, Version: n.Version, Description: n.Description, Author: n.Author,
		Category: n.Category, Platform: n.Platform}
	if item.Author == "" {
		item.Author = scope
	}
	if item.Platform == "" {
		item.Platform = "any"
	}
	if !idPattern.MatchString(id) {
		return Item{}, invalid("name must be a package name such as @scope/name")
	}
	if item.Author != "" && !namePattern.MatchString(item.Author) {
		return Item{}, invalid("author must be a user's name")
	}
	if item.Version == "" || item.Category == "" {
		return Item{}, invalid("version and category must be set")
	}
	return item, checkFields(item)
}

// slug makes an id of a package name, as in the embedded data: @a/b becomes a-b.
func slug(name string) (id, scope string) {
	scope, rest, scoped := strings.Cut(strings.TrimPrefix(name, "@"), "/")
	if !scoped || !strings.HasPrefix(name, "@") {
		scope, rest = "", name
	}
	id = strings.Trim(scope+"-"+rest, "-")
	return strings.Map(func(r rune) rune {
		if r == '.' || r == '_' {
			return '-'
		}
		return r
	}, id), scope
}

// checkFields checks what may also be changed later.
func checkFields(item Item) error {
	for _, field := range []struct {
		name, value string
		longest     int
	}{{"name", item.Name, 100}, {"version", item.Version, 50}, {"description", item.Description, 500}} {
		if problem := badText(field.value, field.longest); problem != "" {
			return invalid(field.name + " " + problem)
		}
	}
	if !slices.Contains(categories, item.Category) {
		return invalid("category must be one of " + strings.Join(categories, ", "))
	}
	if !slices.Contains(platforms, item.Platform) {
		return invalid("platform must be one of " + strings.Join(platforms, ", "))
	}
	return nil
}
