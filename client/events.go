package client

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
)

// eventReader reads server-sent events. The standard ends an event with an
// empty line and joins the data lines before it; a server that sends no empty
// lines at all means each line to be an event. Which of the two it is shows
// with the first empty line.
type eventReader struct {
	r        *bufio.Reader
	limit    int
	standard bool
	data     []string // lines of the event so far
}

var errLongLine = errors.New("an event is larger than the request limit")

func newEventReader(r io.Reader, limit int) *eventReader {
	return &eventReader{r: bufio.NewReader(r), limit: limit}
}

// next reads up to the end of a line. It returns an event, or ok = false for
// a line that ends none: a comment, a heartbeat, a field that is not data.
func (e *eventReader) next() (event string, ok bool, err error) {
	line, err := e.line()
	if err != nil {
		return "", false, err
	}
	if len(line) == 0 {
		e.standard = true
		return e.flush()
	}
	data, isData := dataOf(line)
	if !isData {
		return "", false, nil
	}
	if !e.standard {
		// The first event decides: if an empty line follows, it was one.
		if end, err := e.emptyLineFollows(); err != nil || !end {
			return data, true, nil
		}
	}
	e.data = append(e.data, data)
	if over(size(e.data), e.limit) {
		return "", false, errLongLine
	}
	return "", false, nil
}

func (e *eventReader) flush() (string, bool, error) {
	if len(e.data) == 0 {
		return "", false, nil
	}
	event := strings.Join(e.data, "\n")
	e.data = e.data[:0]
	return event, true, nil
}

func size(lines []string) int {
	n := len(lines)
	for _, l := range lines {
		n += len(l)
	}
	return n
}

// emptyLineFollows looks at what has come already; it does not wait.
func (e *eventReader) emptyLineFollows() (bool, error) {
	if e.r.Buffered() == 0 {
		return false, nil
	}
	next, err := e.r.Peek(1)
	if err != nil {
		return false, err
	}
	return next[0] == '\n' || next[0] == '\r', nil
}

// dataOf returns the content of a data line.
func dataOf(line []byte) (string, bool) {
	data, ok := bytes.CutPrefix(line, []byte("data:"))
	if !ok {
		return "", false
	}
	data, _ = bytes.CutPrefix(data, []byte(" "))
	return string(data), true
}

// line reads one line without its end.
func (e *eventReader) line() ([]byte, error) {
	var long []byte
	for {
		part, err := e.r.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return nil, err
		}
		if over(len(long)+len(part), e.limit+len("data: \r\n")) && e.limit >= 0 {
			return nil, errLongLine
		}
		if err == nil && long == nil {
			return trimLine(part), nil
		}
		long = append(long, part...)
		if err == nil {
			return trimLine(long), nil
		}
	}
}

func trimLine(b []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(b, []byte("\n")), []byte("\r"))
}
