package record

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/handler/internal/rfc9111"
)

func TestCodecKeepsAResponse(t *testing.T) {
	r := New(203, http.Header{"Content-Type": {"text/plain"}, "X-A": {"1", "2"}, "X-Empty": {""}, "X-Break": {"a\r\nb: c"}},
		http.Header{"X-Sum": {"9"}}, []byte("line\n\nbody \xff"), time.UnixMilli(1000), time.UnixMilli(2000))
	r.Vary, r.Variant = []string{"Accept", "Foo"}, "abc"
	data, err := Codec{}.Encode([]byte("before"), r)
	require.NoError(t, err)
	var got *Response
	require.NoError(t, Codec{}.Decode(data[len("before"):], &got))
	r.Header["X-Break"] = []string{"a  b: c"}
	assert.Equal(t, r, got)

	marker := &Response{Marker: true, Vary: []string{"Foo"}, Trailer: http.Header{}, Body: []byte{},
		Stored: rfc9111.Stored{Status: 200, Requested: time.UnixMilli(1), Received: time.UnixMilli(1), Header: http.Header{}}}
	data, err = Codec{}.Encode(nil, &marker)
	require.NoError(t, err)
	require.NoError(t, Codec{}.Decode(data, &got))
	assert.Equal(t, marker, got)

	_, err = Codec{}.Encode(nil, "text")
	assert.Error(t, err)
	assert.Error(t, Codec{}.Decode(data, new(string)))
	for _, bad := range []string{"", "h1", "h2 5k 0 0  \n\n\n", "h1 x 0 0  \n\n\n", "h1 1 0 0  \n\n\n", "h1 5k 0 0  \n", "h1 5k 0 0  \n\n", "h1 5k 0 0  \nno colon\n\n\n"} {
		assert.ErrorIs(t, Codec{}.Decode([]byte(bad), &got), errFormat, "%q", bad)
	}
}

func FuzzCodec(f *testing.F) {
	data, _ := Codec{}.Encode(nil, New(200, http.Header{"A": {"b"}}, nil, []byte("x"), time.UnixMilli(1), time.UnixMilli(2)))
	f.Add(data)
	f.Add([]byte("h1 5k 0 0 * A,B\n\n\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var r *Response
		if (Codec{}).Decode(data, &r) != nil {
			return
		}
		again, err := Codec{}.Encode(nil, r)
		if err != nil {
			t.Fatal(err)
		}
		var s *Response
		if err := (Codec{}).Decode(again, &s); err != nil {
			t.Fatalf("%q: %v", again, err)
		}
		if string(s.Body) != string(r.Body) || s.Status != r.Status {
			t.Fatalf("%q", again)
		}
	})
}

func TestCodecRefusesWhatNoHandlerHasSaid(t *testing.T) {
	_, err := Codec{}.Encode(nil, &Response{})
	assert.Error(t, err)
	_, err = Codec{}.Encode(nil, &Response{Stored: rfc9111.Stored{Status: 200}})
	assert.Error(t, err)
	_, err = Codec{}.Encode(nil, &Response{Marker: true})
	assert.NoError(t, err)
}

// The body is not copied when it is read: a 304 or a part needs none of it.
func TestDecodeCopiesNoBody(t *testing.T) {
	cost := func(size int) int64 {
		data, err := Codec{}.Encode(nil, New(200, http.Header{"Etag": {"1"}}, nil, make([]byte, size), time.UnixMilli(1), time.UnixMilli(2)))
		require.NoError(t, err)
		return testing.Benchmark(func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var r *Response
				if err := (Codec{}).Decode(data, &r); err != nil || len(r.Body) != size {
					b.Fatal(err)
				}
			}
		}).AllocedBytesPerOp()
	}
	small, big := cost(10), cost(400<<10)
	assert.InDelta(t, small, big, 256, "bytes allocated for a body of 10 B and of 400 KiB")
}
