package record

import (
	"net/http"
	"slices"
)

// Fields writes header fields whose lines are this answer's own. Lines that were
// shared, with what is stored or with other answers, would change in all of them
// when a middleware changes one in place. They have their room together, which is
// one allocation instead of one a field.
type Fields struct {
	Header http.Header
	room   []string
}

// FieldsOf writes to h. lines is how many there will be, if that is known.
func FieldsOf(h http.Header, lines int) *Fields {
	return &Fields{Header: h, room: make([]string, 0, lines)}
}

// Set makes the given lines the field's only ones. Without a line net/http adds none
// either.
func (f *Fields) Set(name string, lines ...string) {
	if len(lines) == 0 {
		f.Header[name] = nil
		return
	}
	from := len(f.room)
	f.room = append(f.room, lines...)
	f.Header[name] = f.room[from:len(f.room):len(f.room)]
}

// Add adds lines to those that the field has.
func (f *Fields) Add(name string, lines ...string) {
	from := len(f.room)
	f.room = append(append(f.room, f.Header[name]...), lines...)
	f.Header[name] = f.room[from:len(f.room):len(f.room)]
}

// additive are fields whose lines add up: a middleware around this one may have
// set some before.
var additive = []string{"Set-Cookie", "Vary", "Link", "Server-Timing"}

// Merge sets the fields of from; one without a line takes away what there was.
func (f *Fields) Merge(from http.Header) {
	for name, lines := range from {
		if len(lines) > 0 && slices.Contains(additive, name) {
			f.Add(name, lines...)
		} else {
			f.Set(name, lines...)
		}
	}
}

// replace makes the header hold the fields of from and no others.
func (f *Fields) replace(from http.Header) {
	clear(f.Header)
	for name, lines := range from {
		f.Set(name, lines...)
	}
}
