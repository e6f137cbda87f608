package entry

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
)

// Compressor packs bodies and unpacks them. It is called from many goroutines.
type Compressor interface {
	// Compress appends the packed form of body to dst.
	Compress(dst, body []byte) ([]byte, error)
	// Decompress appends what packed unpacks to, and fails if that is more
	// than most bytes: it must not first make room for what a stranger claims.
	Decompress(dst, packed []byte, most int) ([]byte, error)
}

// Compression is a Compressor and the name by which entries say that they need
// it: lower-case letters and digits. The zero value is Gzip's.
type Compression struct {
	Name string
	Compressor
}

// Gzip is the Compression that every Store reads.
var Gzip = Compression{Name: "gzip", Compressor: gzipped{}}

// Valid reports whether an entry can bear the name.
func (c Compression) Valid() bool { return c.Compressor != nil && packable(c.Name) }

func packable[S string | []byte](name S) bool {
	for i := range len(name) {
		if c := name[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return len(name) > 0 && len(name) <= 16
}

// pack compresses a body of at least from bytes. It returns nil if that does
// not pay: base64 costs a third, and compression must earn that and more.
func (c Compression) pack(body []byte, from int) ([]byte, error) {
	if from <= 0 || len(body) < from {
		return nil, nil
	}
	packed, err := c.Compress(nil, body)
	if err != nil {
		return nil, fmt.Errorf("entry: %s: %w", c.Name, err)
	}
	if base64.StdEncoding.EncodedLen(len(packed)) >= len(body)*9/10 {
		return nil, nil
	}
	return packed, nil
}

// gzipLevel was chosen by BenchmarkGzip: of 100 KiB of JSON level 6 leaves a
// fifth, in 2.9 ms; level 2 a quarter less than level 1 does and in 0.8 ms.
const gzipLevel = 2

type gzipped struct{}

// A writer's tables are 0.8 MB and cost more to make than small bodies to pack.
var gzipWriters = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(io.Discard, gzipLevel) // fails for unknown levels only
	return w
}}

var gzipReaders = sync.Pool{New: func() any { return new(gzip.Reader) }}

func (gzipped) Compress(dst, body []byte) ([]byte, error) {
	w := gzipWriters.Get().(*gzip.Writer)
	defer gzipWriters.Put(w)
	buf := bytes.NewBuffer(dst)
	w.Reset(buf)
	if _, err := w.Write(body); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

func (gzipped) Decompress(dst, packed []byte, most int) ([]byte, error) {
	r := gzipReaders.Get().(*gzip.Reader)
	defer gzipReaders.Put(r)
	if err := r.Reset(bytes.NewReader(packed)); err != nil {
		return nil, err
	}
	buf := bytes.NewBuffer(slices.Grow(dst, gzipSize(packed, most)+bytes.MinRead))
	n, err := buf.ReadFrom(io.LimitReader(r, int64(most)+1))
	if err == nil && n > int64(most) {
		err = errTooLong
	}
	return buf.Bytes(), err
}

var errTooLong = errors.New("entry: it unpacks to more than an entry may hold")

// gzipSize is what the last four bytes claim (RFC 1952, section 2.3.1), as far
// as it can be true: DEFLATE packs at most 1,032 to 1.
func gzipSize(packed []byte, most int) int {
	if len(packed) < 4 {
		return 0
	}
	claimed := int(binary.LittleEndian.Uint32(packed[len(packed)-4:]))
	return min(claimed, most, 1032*len(packed))
}
