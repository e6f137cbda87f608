package record

import (
	"bytes"
	"net/http"
	"testing"
	"time"
)

// BenchmarkDecode is the part of a hit that grows with the body.
func BenchmarkDecode(b *testing.B) {
	body := bytes.Repeat([]byte("0123456789abcdef"), 1<<10)
	stored, err := Codec{}.Encode(nil, New(200, http.Header{"Content-Type": {"text/plain"}, "Etag": {`"1"`}}, nil, body, time.Now(), time.Now()))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		var r *Response
		if err := (Codec{}).Decode(stored, &r); err != nil {
			b.Fatal(err)
		}
	}
}
