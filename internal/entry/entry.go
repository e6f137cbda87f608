package entry

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
	"unicode/utf8"
)

// Magic begins every entry of this version of the format. It is no JSON, so
// that clients that parse JSON hand the entry over as text.
const Magic = "R1 "

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
	marks   []byte
	body    []byte
	gzipped bool
	base64  bool
}

// MaxBody is the most bytes that a compressed body may unpack to.
const MaxBody = 64 << 20

// Append writes an entry to dst. A body of at least gzipFrom bytes is
// compressed if that makes it smaller; gzipFrom ≤ 0 never compresses. A mark
// that could not be told apart in the header is [ErrFormat].
func Append(dst []byte, h Header, marks []Mark, body []byte, gzipFrom int) ([]byte, error) {
	if err := writable(h, marks, body); err != nil {
		return dst, err
	}
	flags := make([]byte, 0, 3)
	if h.Negative {
		flags, body = append(flags, 'n'), nil
	}
	zipped, err := compress(body, gzipFrom)
	if err != nil {
		return dst, err
	}
	if zipped != nil {
		flags, body = append(flags, 'z'), zipped
	}
	// Always valid UTF-8: an entry travels as a JSON string.
	if encode := zipped != nil || !utf8.Valid(body); encode {
		flags = append(flags, 'b')
		body = base64.StdEncoding.AppendEncode(make([]byte, 0, base64.StdEncoding.EncodedLen(len(body))), body)
	}
	dst = append(dst, Magic...)
	dst = appendNumber(dst, h.Stored.UnixMilli())
	dst = appendNumber(dst, h.Fresh.Milliseconds())
	dst = appendNumber(dst, h.StaleWhileRevalidate.Milliseconds())
	dst = appendNumber(dst, h.StaleIfError.Milliseconds())
	dst = appendNumber(dst, h.LoadTime.Milliseconds())
	if len(flags) == 0 {
		flags = append(flags, '-')
	}
	dst = append(append(dst, flags...), ' ')
	dst = appendMarks(dst, marks)
	return append(append(dst, '\n'), body...), nil
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

func compress(body []byte, from int) ([]byte, error) {
	if from <= 0 || len(body) < from {
		return nil, nil
	}
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	if _, err := w.Write(body); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	// base64 costs a third: compression must earn that and more.
	if base64.StdEncoding.EncodedLen(buf.Len()) >= len(body)*9/10 {
		return nil, nil
	}
	return buf.Bytes(), nil
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
	flags, marks, found := bytes.Cut(line, space)
	if !found {
		return Entry{}, fmt.Errorf("%w: the header ends early", ErrFormat)
	}
	e.marks = marks
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
		case 'z':
			e.gzipped = true
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
// bytes unless the body was encoded.
func (e *Entry) Body() ([]byte, error) {
	body := e.body
	if e.base64 {
		decoded, err := base64.StdEncoding.AppendDecode(nil, body)
		if err != nil {
			return nil, fmt.Errorf("%w: base64 body", ErrFormat)
		}
		body = decoded
	}
	if !e.gzipped {
		return body, nil
	}
	r, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%w: gzip body", ErrFormat)
	}
	unpacked, err := io.ReadAll(io.LimitReader(r, MaxBody+1))
	if err != nil || len(unpacked) > MaxBody {
		return nil, fmt.Errorf("%w: gzip body", ErrFormat)
	}
	return unpacked, nil
}
