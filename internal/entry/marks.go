package entry

import (
	"bytes"
	"iter"
)

// Marks are written as id=token, separated by commas. An absent token is left
// out, except for tags: their names are what later reads learn from.
func appendMarks(dst []byte, marks []Mark) []byte {
	first := true
	for _, m := range marks {
		if m.Token == "" && !isTag(m.ID) {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(append(append(dst, m.ID...), '='), m.Token...)
	}
	return dst
}

// plain reports whether a mark can stand in the header: printable ASCII
// without its separators, and an id that begins with a letter. Ids are escaped;
// a token is what somebody may have put into Redis, and so is a whole header.
func plain[S string | []byte](id, token S) bool {
	for _, part := range []S{id, token} {
		for i := range len(part) {
			if c := part[i]; c <= ' ' || c > '~' || c == ',' || c == '=' {
				return false
			}
		}
	}
	return len(id) > 0 && (id[0]|' ') >= 'a' && (id[0]|' ') <= 'z'
}

func isTag[S string | []byte](id S) bool { return len(id) > 1 && (id[0] == 't' || id[0] == 'T') }

// Marks yields the id and token of each mark as they stand in the header,
// aliasing it.
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

// Token returns the token of a mark, and whether the entry names that mark.
func (e *Entry) Token(id string) (token []byte, named bool) {
	for have, token := range e.Marks() {
		if string(have) == id {
			return token, true
		}
	}
	return nil, false
}

// MissingTags returns the names of the tags, escaped as they stand in the
// header, whose ids are not known.
func (e *Entry) MissingTags(known func(id string) bool) []string {
	var missing []string
	for id := range e.Marks() {
		if len(id) > 1 && id[0] == 't' && !known(string(id)) {
			missing = append(missing, string(id[1:]))
		}
	}
	return missing
}
