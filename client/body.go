package client

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
)

// readAll reads and closes the body of an answer, so that the connection can
// be used again.
func readAll(resp *http.Response, limit int) ([]byte, error) {
	defer resp.Body.Close()
	size := resp.ContentLength
	body := io.Reader(resp.Body)
	if limit >= 0 {
		if size > int64(limit) {
			return nil, longReply(limit)
		}
		body = io.LimitReader(body, int64(limit)+1)
	}
	if size < 0 {
		return readUnknown(body, limit)
	}
	// One byte more, to see the end without growing. What a header announces is
	// not believed beyond a few megabytes.
	read, err := readFull(body, make([]byte, 0, min(size+1, 8<<20)))
	if err == nil && over(len(read), limit) {
		return nil, longReply(limit)
	}
	return read, err
}

// scratch are buffers for answers whose length is not announced: they have grown
// already, and what is returned is a copy of the right size.
var scratch = sync.Pool{New: func() any { return new([]byte) }}

// maxScratch is the largest buffer that is kept.
const maxScratch = 4 << 20

func readUnknown(body io.Reader, limit int) ([]byte, error) {
	buf := scratch.Get().(*[]byte)
	read, err := readFull(body, (*buf)[:0])
	if err == nil && over(len(read), limit) {
		return nil, longReply(limit)
	}
	if cap(read) > maxScratch {
		return read, err // too large to be kept: it need not be copied
	}
	*buf = read
	defer scratch.Put(buf)
	return bytes.Clone(read), err
}

// longReply is the error of an answer that is longer than Limits.Reply.
func longReply(limit int) error {
	return fmt.Errorf("%w: the answer is over the limit of %d bytes (Limits.Reply)", ErrTooLarge, limit)
}

func readFull(r io.Reader, b []byte) ([]byte, error) {
	for {
		if len(b) == cap(b) {
			b = slices.Grow(b, max(len(b), 4096))
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if err == io.EOF {
			return b, nil
		}
		if err != nil {
			return b, err
		}
	}
}
