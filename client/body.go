package client

import (
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

// piece is a part of an answer whose length is not announced. Such an answer is
// read into pieces that are used again and joined when its length is known: a
// buffer that grows would be copied, and made anew, at each doubling.
type piece [64 << 10]byte

var pieces = sync.Pool{New: func() any { return new(piece) }}

func readUnknown(body io.Reader, limit int) ([]byte, error) {
	var parts [][]byte
	defer func() {
		for _, part := range parts {
			pieces.Put((*piece)(part[:len(piece{})]))
		}
	}()
	total := 0
	for {
		part, err := readPiece(body, pieces.Get().(*piece))
		parts = append(parts, part)
		total += len(part)
		switch {
		case err == nil:
			continue
		case err == io.EOF && over(total, limit):
			return nil, longReply(limit)
		case err == io.EOF:
			err = nil
		}
		whole := make([]byte, 0, total)
		for _, part := range parts {
			whole = append(whole, part...)
		}
		return whole, err
	}
}

// readPiece fills the piece, unless r ends before.
func readPiece(r io.Reader, into *piece) ([]byte, error) {
	for n := 0; ; {
		if n == len(into) {
			return into[:n], nil
		}
		more, err := r.Read(into[n:])
		n += more
		if err != nil {
			return into[:n], err
		}
	}
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
