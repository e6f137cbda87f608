package handler

import (
	"net/http"
	"testing"
	"time"
)

// DecodeStored decodes a stored response with this body.
func DecodeStored(b *testing.B, body []byte) {
	stored, err := codec{}.Encode(nil, newResponse(200, http.Header{"Content-Type": {"text/plain"}, "Etag": {`"1"`}}, nil, body, time.Now(), time.Now()))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		var r *response
		if err := (codec{}).Decode(stored, &r); err != nil {
			b.Fatal(err)
		}
	}
}
