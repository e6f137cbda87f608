package entry

import (
	"bytes"
	"iter"
	"strings"

	"github.com/cldcde/restash/internal/keyspace"
)

// Marks are written as id=token, separated by commas. An absent token is left
// out, except for tags: their names are what later reads learn from.
func appendMarks(dst []byte, marks []Mark) []byte {
	first := true
	for _, m := range marks {
		tag := m.ID[0] == 't' || m.ID[0] == 'T'
		if m.Token == "" && !tag {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(dst, m.ID[0])
		if tag {
			dst = append(dst, keyspace.Escape(m.ID[1:])...)
		} else {
			dst = append(dst, m.ID[1:]...)
		}
		dst = append(append(dst, '='), m.Token...)
	}
	return dst
}

// Marks yields the id and token of each mark as they stand in the header,
// aliasing it: a tag's name is still escaped.
func (e *Entry) Marks() iter.Seq2[[]byte, []byte] {
	return func(yield func(id, token []byte) bool) {
		rest := e.marks
		for len(rest) > 0 {
			mark, tail, _ := bytes.Cut(rest, comma)
			id, token, _ := bytes.Cut(mark, equals)
			if !yield(id, token) {
				return
			}
			rest = tail
		}
	}
}

var comma, equals = []byte{','}, []byte{'='}

// Token returns the token of a mark by its unescaped id, and whether the entry
// names that mark.
func (e *Entry) Token(id string) (token []byte, named bool) {
	want := id
	if id[0] == 't' || id[0] == 'T' {
		want = id[:1] + keyspace.Escape(id[1:])
	}
	for have, token := range e.Marks() {
		if string(have) == want {
			return token, true
		}
	}
	return nil, false
}

// Tags returns the names of the entry's tags, without repetition.
func (e *Entry) Tags() []string {
	var tags []string
	for id := range e.Marks() {
		if len(id) > 1 && id[0] == 't' {
			tags = append(tags, keyspace.Unescape(string(id[1:])))
		}
	}
	return tags
}

// MissingTags returns the tags that known does not hold; known are ids.
func (e *Entry) MissingTags(known func(id string) bool) []string {
	var missing []string
	for id := range e.Marks() {
		if len(id) < 2 || id[0] != 't' {
			continue
		}
		tag := string(id[1:])
		if strings.IndexByte(tag, '%') >= 0 {
			tag = keyspace.Unescape(tag)
		}
		if !known("t" + tag) {
			missing = append(missing, tag)
		}
	}
	return missing
}
