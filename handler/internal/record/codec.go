package record

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cldcde/restash/handler/internal/rfc9111"
)

// Codec stores a response as text: a line of facts, the header, an empty line,
// the trailer, an empty line, and the body as it is. A body of text so stays
// text in Redis, and nothing is escaped.
type Codec struct{}

// FormatName begins every stored response of this form.
const FormatName = "h1"

// errFormat is also the last guard against storing the stand-in for an answer
// that its client already has.
var errFormat = errors.New("handler: not a stored response")

// Encode appends the stored form of a *response.
func (Codec) Encode(dst []byte, v any) ([]byte, error) {
	r, err := asResponse(v)
	if err != nil {
		return dst, err
	}
	if r.Received.IsZero() && !r.Marker {
		return dst, fmt.Errorf("%w: no handler has said it", errFormat)
	}
	dst = append(dst, FormatName...)
	for _, n := range [...]int64{int64(r.Status), r.Requested.UnixMilli(), r.Received.UnixMilli()} {
		dst = strconv.AppendInt(append(dst, ' '), n, 36)
	}
	dst = append(dst, ' ')
	if r.Marker {
		dst = append(dst, '*')
	}
	dst = append(append(dst, r.Variant...), ' ')
	dst = append(append(dst, strings.Join(r.Vary, ",")...), '\n')
	dst = append(appendHeader(dst, r.Header), '\n')
	dst = append(appendHeader(dst, r.Trailer), '\n')
	return append(dst, r.Body...), nil
}

func asResponse(v any) (*Response, error) {
	switch r := v.(type) {
	case *Response:
		if r != nil {
			return r, nil
		}
	case **Response:
		if r != nil && *r != nil {
			return *r, nil
		}
	}
	return nil, fmt.Errorf("handler: cannot store a %T", v)
}

// Decode reads what Encode wrote into a **response. The response keeps
// the body where it is: the Store reads data once and does not use it again, and an
// answer of 304, or of a part, needs no copy of it.
func (Codec) Decode(data []byte, v any) error {
	to, ok := v.(**Response)
	if !ok {
		return fmt.Errorf("handler: cannot read into a %T", v)
	}
	r, err := decodeResponse(data)
	if err == nil {
		*to = r
	}
	return err
}

func decodeResponse(data []byte) (*Response, error) {
	line, rest, found := bytes.Cut(data, newline)
	facts, complete := factsOf(string(line))
	if !found || !complete || facts[0] != FormatName {
		return nil, errFormat
	}
	var numbers [3]int64
	for i := range numbers {
		n, err := strconv.ParseInt(facts[i+1], 36, 64)
		if err != nil || n < 0 || n > maxMillis {
			return nil, fmt.Errorf("%w: number %d", errFormat, i+1)
		}
		numbers[i] = n
	}
	r := &Response{Stored: rfc9111.Stored{Status: int(numbers[0]), Requested: time.UnixMilli(numbers[1]), Received: time.UnixMilli(numbers[2])}}
	if r.Status < 200 || r.Status > 999 {
		return nil, fmt.Errorf("%w: status", errFormat)
	}
	r.Variant, r.Marker = strings.CutPrefix(facts[4], "*")
	if facts[5] != "" {
		r.Vary = strings.Split(facts[5], ",")
	}
	var err error
	if r.Header, rest, err = parseHeader(rest); err != nil {
		return nil, err
	}
	if r.Trailer, rest, err = parseHeader(rest); err != nil {
		return nil, err
	}
	r.Body = rest[:len(rest):len(rest)]
	return r, nil
}

// factsOf are the six facts of a line, parted by single spaces.
func factsOf(line string) (facts [6]string, complete bool) {
	for i := range facts[:5] {
		var more bool
		if facts[i], line, more = strings.Cut(line, " "); !more {
			return facts, false
		}
	}
	facts[5] = line
	return facts, !strings.Contains(line, " ")
}

// maxMillis keeps times in the range that time.Time can do arithmetic on.
const maxMillis = 1 << 46

var newline = []byte{'\n'}

// appendHeader writes the fields in sorted order, one line each. Line breaks
// in values become spaces, as net/http makes them.
func appendHeader(dst []byte, h http.Header) []byte {
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if !rfc9111.IsToken(name) {
			continue
		}
		if len(h[name]) == 0 {
			dst = append(append(dst, name...), '\n') // it was taken away
		}
		for _, value := range h[name] {
			dst = append(append(dst, name...), ':')
			dst = append(append(dst, oneLine.Replace(value)...), '\n')
		}
	}
	return dst
}

var oneLine = strings.NewReplacer("\n", " ", "\r", " ")

func parseHeader(data []byte) (http.Header, []byte, error) {
	if len(data) == 0 {
		return nil, nil, fmt.Errorf("%w: the header has no end", errFormat)
	}
	if data[0] == '\n' {
		return http.Header{}, data[1:], nil
	}
	end := bytes.Index(data, []byte("\n\n"))
	if end < 0 {
		return nil, nil, fmt.Errorf("%w: the header has no end", errFormat)
	}
	block := string(data[:end]) // one copy for all fields
	h := make(http.Header, strings.Count(block, "\n")+1)
	values := make([]string, 0, strings.Count(block, "\n")+1)
	for more := true; more; {
		var line string
		line, block, more = strings.Cut(block, "\n")
		name, value, found := strings.Cut(line, ":")
		if !rfc9111.IsToken(name) {
			return nil, nil, fmt.Errorf("%w: a header line", errFormat)
		}
		if !found {
			h[rfc9111.Canonical(name)] = nil
			continue
		}
		if name = rfc9111.Canonical(name); h[name] == nil {
			values = append(values, value)
			h[name] = values[len(values)-1 : len(values) : len(values)]
			continue
		}
		h[name] = append(h[name], value)
	}
	return h, data[end+2:], nil
}
