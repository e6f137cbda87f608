package lua

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	glua "github.com/yuin/gopher-lua"
)

// jsonReader reads JSON as lua-cjson does: numbers in any form that strtod
// takes, bytes of strings as they are, and errors in its words.
type jsonReader struct {
	l    *glua.LState
	s    string
	at   int
	null glua.LValue

	token string // of the token read last: one of the names below
	start int    // where it began
	value glua.LValue
}

// Names of tokens, as they stand in error texts.
const (
	tokObject, tokObjectEnd = "T_OBJ_BEGIN", "T_OBJ_END"
	tokArray, tokArrayEnd   = "T_ARR_BEGIN", "T_ARR_END"
	tokString, tokNumber    = "T_STRING", "T_NUMBER"
	tokBoolean, tokNull     = "T_BOOLEAN", "T_NULL"
	tokColon, tokComma      = "T_COLON", "T_COMMA"
	tokEnd                  = "T_END"
)

func decodeJSON(l *glua.LState, text string, null glua.LValue) glua.LValue {
	if len(text) >= 2 && (text[0] == 0 || text[1] == 0) {
		l.RaiseError("JSON parser does not support UTF-16 or UTF-32")
	}
	r := &jsonReader{l: l, s: text, null: null}
	r.next()
	v := r.read(0)
	if r.next(); r.token != tokEnd {
		r.expected("the end")
	}
	return v
}

func (r *jsonReader) expected(what string) {
	r.l.RaiseError("Expected %s but found %s at character %d", what, r.token, r.start+1)
}

var jsonMarks = map[byte]string{'{': tokObject, '}': tokObjectEnd, '[': tokArray, ']': tokArrayEnd, ':': tokColon, ',': tokComma}

// next reads one token.
func (r *jsonReader) next() {
	for r.at < len(r.s) && strings.IndexByte(" \t\n\r", r.s[r.at]) >= 0 {
		r.at++
	}
	r.start, r.value = r.at, nil
	if r.at == len(r.s) {
		r.token = tokEnd
		return
	}
	rest := r.s[r.at:]
	c := rest[0]
	switch {
	case jsonMarks[c] != "":
		r.token = jsonMarks[c]
		r.at++
	case c == '"':
		r.readString()
	case c == '-' || c >= '0' && c <= '9':
		r.readNumber()
	case strings.HasPrefix(rest, "true"), strings.HasPrefix(rest, "false"):
		r.token, r.value = tokBoolean, glua.LBool(c == 't')
		r.at += len(strconv.FormatBool(c == 't'))
	case strings.HasPrefix(rest, "null"):
		r.token, r.value = tokNull, r.null
		r.at += 4
	case strings.ContainsRune("iInN", rune(c)):
		r.readNumber()
	default:
		r.token = "invalid token"
	}
}

// readNumber takes the longest piece that is a number.
func (r *jsonReader) readNumber() {
	end := r.at
	for end < len(r.s) && (strings.IndexByte("+-.", r.s[end]) >= 0 || isAlphanumeric(r.s[end])) {
		end++
	}
	for ; end > r.at; end-- {
		if f, ok := strtod(r.s[r.at:end]); ok {
			r.token, r.value = tokNumber, glua.LNumber(f)
			r.at = end
			return
		}
	}
	r.token = "invalid token"
}

func isAlphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

var jsonEscapes = map[byte]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func (r *jsonReader) readString() {
	var b []byte
	i := r.at + 1
	for ; i < len(r.s) && r.s[i] != '"'; i++ {
		if r.s[i] != '\\' {
			b = append(b, r.s[i])
			continue
		}
		if i++; i == len(r.s) {
			break
		}
		if c, ok := jsonEscapes[r.s[i]]; ok {
			b = append(b, c)
			continue
		}
		char, n := unescape(r.s[i-1:])
		if n == 0 {
			r.token, r.start = "invalid escape code", i-1
			if r.s[i] == 'u' {
				r.token = "invalid unicode escape code"
			}
			return
		}
		b = utf8.AppendRune(b, char)
		i += n - 2
	}
	if i >= len(r.s) {
		r.token, r.start = "unexpected end of string", len(r.s)
		return
	}
	r.at = i + 1
	r.token, r.value = tokString, glua.LString(b)
}

// unescape reads \uXXXX, or two of them that make one character. It returns
// how many bytes that took, 0 if it is none.
func unescape(s string) (rune, int) {
	unit := func(s string) (rune, bool) {
		if len(s) < 6 || s[:2] != `\u` {
			return 0, false
		}
		n, err := strconv.ParseUint(s[2:6], 16, 32)
		return rune(n), err == nil
	}
	first, ok := unit(s)
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(first) {
		return first, 6
	}
	second, ok := unit(s[6:])
	if pair := utf16.DecodeRune(first, second); ok && pair != utf8.RuneError {
		return pair, 12
	}
	return 0, 0
}

// read turns the token read last, and what belongs to it, into a value.
func (r *jsonReader) read(depth int) glua.LValue {
	switch r.token {
	case tokString, tokNumber, tokBoolean, tokNull:
		return r.value
	case tokObject:
		return r.readObject(r.deeper(depth))
	case tokArray:
		return r.readArray(r.deeper(depth))
	}
	r.expected("value")
	return nil
}

func (r *jsonReader) deeper(depth int) int {
	if depth++; depth > maxJSONDepth {
		r.l.RaiseError("Found too many nested data structures (%d)", depth)
	}
	return depth
}

func (r *jsonReader) readObject(depth int) glua.LValue {
	t := r.l.NewTable()
	if r.next(); r.token == tokObjectEnd {
		return t
	}
	for {
		if r.token != tokString {
			r.expected("object key string")
		}
		key := r.value
		if r.next(); r.token != tokColon {
			r.expected("colon")
		}
		r.next()
		t.RawSet(key, r.read(depth))
		switch r.next(); r.token {
		case tokObjectEnd:
			return t
		case tokComma:
			r.next()
		default:
			r.expected("comma or object end")
		}
	}
}

func (r *jsonReader) readArray(depth int) glua.LValue {
	t := r.l.NewTable()
	if r.next(); r.token == tokArrayEnd {
		return t
	}
	for i := 1; ; i++ {
		t.RawSetInt(i, r.read(depth))
		switch r.next(); r.token {
		case tokArrayEnd:
			return t
		case tokComma:
			r.next()
		default:
			r.expected("comma or array end")
		}
	}
}

// maxJSONDepth is that of Redis' cjson.
const maxJSONDepth = 1000
