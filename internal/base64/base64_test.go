package base64

import (
	"bytes"
	"encoding/base64"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sameAsStandard decodes in place and compares with the standard library.
func sameAsStandard(t testing.TB, text []byte) {
	want, wantErr := base64.StdEncoding.Strict().DecodeString(string(text))
	got, ok := Decode(bytes.Clone(text))
	require.Equal(t, wantErr == nil, ok, "%q", text)
	if ok {
		require.Truef(t, bytes.Equal(want, got), "%q:\nwant %q\ngot  %q", text, want, got)
	}
}

// Every length, and every byte in every place, valid or not: a block that is decoded
// at once has edges of its own.
func TestDecodeIsThatOfTheStandardLibrary(t *testing.T) {
	random := rand.NewChaCha8([32]byte{1})
	for size := range 400 {
		value := make([]byte, size)
		random.Read(value)
		text := base64.StdEncoding.AppendEncode(nil, value)
		sameAsStandard(t, text)
		for cut := range min(len(text), 4) {
			sameAsStandard(t, text[:len(text)-cut])
		}
	}
	value := make([]byte, 150)
	random.Read(value)
	text := base64.StdEncoding.AppendEncode(nil, value)
	for place := range text {
		for c := range 256 {
			wrong := bytes.Clone(text)
			wrong[place] = byte(c)
			sameAsStandard(t, wrong)
		}
	}
	large := make([]byte, 1<<20)
	random.Read(large)
	sameAsStandard(t, base64.StdEncoding.AppendEncode(nil, large))
}

func TestDecodeRefusesWhatIsNoASCII(t *testing.T) {
	for size := range 40 {
		text := bytes.Repeat([]byte("A"), size)
		assert.True(t, isASCII(text))
		for place := range text {
			text[place] = 0x80
			assert.False(t, isASCII(text), "%d of %d", place, size)
			text[place] = 'A'
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	text := base64.StdEncoding.AppendEncode(nil, bytes.Repeat([]byte("0123456789abcdef"), 6400))
	own := make([]byte, len(text))
	for name, decode := range map[string]func([]byte){
		"standard": func(text []byte) { _, _ = base64.StdEncoding.Strict().Decode(text, text) },
		"here":     func(text []byte) { _, _ = Decode(text) },
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				copy(own, text)
				decode(own)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("aGVsbG8gd29ybGQsIGhlbGxvIHdvcmxkLCBoZWxsbyB3b3JsZA=="))
	f.Add([]byte("aGVsbG8gd29ybGQsIGhlbGxvIHdvcmxkLCBoZWxsb\u00e9B3b3JsZA=="))
	f.Add([]byte("QQ=\n="))
	f.Fuzz(func(t *testing.T, text []byte) { sameAsStandard(t, text) })
}
