package entry

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"
)

// Magic begins every entry of this version of the format. It is no JSON, so
// that clients that parse JSON hand the entry over as text.
const Magic = "R2 "

// ErrFormat is what [Parse] and [Entry.AppendBody] return, wrapped, for bytes
// that are no entry of this version.
var ErrFormat = errors.New("entry: not an entry")

// Header is what an entry says about its body.
type Header struct {
	// Stored is the wall clock of the instance that stored it.
	Stored time.Time
	// Fresh is how long after Stored the body is fresh.
	Fresh time.Duration
	// StaleWhileRevalidate and StaleIfError are how long after that it may be
	// served while it is refreshed, or when a refresh fails.
	StaleWhileRevalidate, StaleIfError time.Duration
	// LoadTime is how long the load of the body took.
	LoadTime time.Duration
	// Negative marks that the thing does not exist; there is no body.
	Negative bool
}

// Deadline is when the body stops being fresh.
func (h Header) Deadline() time.Time { return h.Stored.Add(h.Fresh) }

// Mark is one token that the body depends on, as seen before its load.
// ID is "g", "k", "p0" to "p4", or "t" and the percent-escaped tag; the first
// letter is in upper case for soft tokens. An empty Token was absent.
type Mark struct{ ID, Token string }

// Entry is a parsed entry. Its marks and body alias the bytes it was parsed from.
type Entry struct {
	Header
	marks  []byte
	body   []byte
	packed []byte // the name of its compression, "-" for none
	base64 bool
}

// MaxBody is the most bytes that a compressed body may unpack to.
const MaxBody = 64 << 20

// Append writes an entry to dst. A body of at least from bytes is compressed if
// that makes it smaller; from ≤ 0 never compresses. A mark that could not be told
// apart in the header is [ErrFormat].
func Append(dst []byte, h Header, marks []Mark, body []byte, c Compression, from int) ([]byte, error) {
	if err := writable(h, marks, body); err != nil {
		return dst, err
	}
	if h.Negative {
		body = nil
	}
	packing := unpacked
	packed, err := c.pack(body, from)
	if err != nil {
		return dst, err
	}
	if packed != nil {
		packing, body = c.Name, packed
	}
	encode := packed != nil || !utf8.Valid(body)
	dst = append(dst, Magic...)
	dst = appendNumber(dst, h.Stored.UnixMilli())
	for _, d := range []time.Duration{h.Fresh, h.StaleWhileRevalidate, h.StaleIfError, h.LoadTime} {
		dst = appendNumber(dst, d.Milliseconds())
	}
	dst = appendFlags(dst, h.Negative, encode)
	dst = append(append(dst, packing...), ' ')
	dst = append(appendMarks(dst, marks), '\n')
	// Always valid UTF-8: an entry travels as a JSON string.
	if encode {
		return base64.StdEncoding.AppendEncode(dst, body), nil
	}
	return append(dst, body...), nil
}

// unpacked stands where the name of a compression would.
const unpacked = "-"

func appendFlags(dst []byte, negative, encoded bool) []byte {
	switch {
	case negative:
		dst = append(dst, 'n')
	case encoded:
		dst = append(dst, 'b')
	default:
		dst = append(dst, '-')
	}
	return append(dst, ' ')
}

// writable refuses what [Parse] and [Entry.Body] would not give back.
func writable(h Header, marks []Mark, body []byte) error {
	for _, m := range marks {
		if !plain(m.ID, m.Token) {
			return fmt.Errorf("%w: a mark that cannot be written", ErrFormat)
		}
	}
	if ms := h.Stored.UnixMilli(); ms < 0 || ms > maxMillis {
		return fmt.Errorf("%w: stored at a time that cannot be written", ErrFormat)
	}
	for _, d := range []time.Duration{h.Fresh, h.StaleWhileRevalidate, h.StaleIfError, h.LoadTime} {
		if d < 0 || d.Milliseconds() > maxMillis {
			return fmt.Errorf("%w: a duration that cannot be written", ErrFormat)
		}
	}
	if len(body) > MaxBody {
		return fmt.Errorf("%w: a body of %d bytes, want at most %d", ErrFormat, len(body), MaxBody)
	}
	return nil
}

func appendNumber(dst []byte, n int64) []byte {
	return append(strconv.AppendInt(dst, n, 36), ' ')
}

// Parse reads the header of an entry. It allocates nothing.
func Parse(data []byte) (Entry, error) {
	var e Entry
	if len(data) < len(Magic) || string(data[:len(Magic)]) != Magic {
		return Entry{}, fmt.Errorf("%w: it does not begin with %q", ErrFormat, Magic)
	}
	end := bytes.IndexByte(data, '\n')
	if end < 0 {
		return Entry{}, fmt.Errorf("%w: the header has no end", ErrFormat)
	}
	line := data[len(Magic):end]
	e.body = data[end+1:]
	var numbers [5]int64
	for i := range numbers {
		field, rest, found := bytes.Cut(line, space)
		n, ok := parseNumber(field)
		if !found || !ok {
			return Entry{}, fmt.Errorf("%w: number %d of the header", ErrFormat, i+1)
		}
		numbers[i], line = n, rest
	}
	e.Stored = time.UnixMilli(numbers[0])
	for i, d := range []*time.Duration{&e.Fresh, &e.StaleWhileRevalidate, &e.StaleIfError, &e.LoadTime} {
		*d = time.Duration(numbers[i+1]) * time.Millisecond
	}
	flags, line, _ := bytes.Cut(line, space)
	packed, marks, found := bytes.Cut(line, space)
	if !found || string(packed) != unpacked && !packable(packed) {
		return Entry{}, fmt.Errorf("%w: the header ends early", ErrFormat)
	}
	e.packed, e.marks = packed, marks
	for id, token := range e.Marks() {
		if !plain(id, token) {
			return Entry{}, fmt.Errorf("%w: a mark of the header", ErrFormat)
		}
	}
	if err := e.setFlags(flags); err != nil {
		return Entry{}, err
	}
	return e, nil
}

var space = []byte{' '}

func (e *Entry) setFlags(flags []byte) error {
	for _, f := range flags {
		switch f {
		case '-':
		case 'n':
			e.Negative = true
		case 'b':
			e.base64 = true
		default:
			return fmt.Errorf("%w: flag %q", ErrFormat, f)
		}
	}
	return nil
}

// maxMillis keeps times and durations far from overflow: 139 years in
// milliseconds, counted from 1970 where it is a time.
const maxMillis = 1 << 42

func parseNumber(field []byte) (int64, bool) {
	if len(field) == 0 || len(field) > 10 {
		return 0, false
	}
	var n int64
	for _, c := range field {
		switch {
		case '0' <= c && c <= '9':
			n = n*36 + int64(c-'0')
		case 'a' <= c && c <= 'z':
			n = n*36 + int64(c-'a') + 10
		default:
			return 0, false
		}
	}
	return n, n <= maxMillis
}

// Body returns the body as it was given to [Append]. It aliases the parsed
// bytes unless the body was encoded. A body that was packed by neither [Gzip]
// nor own, which may be the zero value, is [ErrFormat].
func (e *Entry) Body(own Compression) ([]byte, error) {
	body := e.body
	if e.base64 {
		decoded, err := base64.StdEncoding.AppendDecode(nil, body)
		if err != nil {
			return nil, fmt.Errorf("%w: base64 body", ErrFormat)
		}
		body = decoded
	}
	if string(e.packed) == unpacked {
		return body, nil
	}
	for _, c := range []Compression{Gzip, own} {
		if string(e.packed) != c.Name {
			continue
		}
		body, err := c.Decompress(nil, body, MaxBody)
		if err != nil || len(body) > MaxBody {
			return nil, fmt.Errorf("%w: %s body", ErrFormat, c.Name)
		}
		return body, nil
	}
	return nil, fmt.Errorf("%w: packed by %s, which this Store does not have", ErrFormat, e.packed)
}

// Compression names the compression of the body, "" for none.
func (e *Entry) Compression() string {
	if string(e.packed) == unpacked {
		return ""
	}
	return string(e.packed)
}
