package base64

import (
	"encoding/binary"

	"github.com/emmansun/base64"
)

var standard = base64.StdEncoding.Strict()

// Decode decodes text in its own place, as encoding/base64 does with padding and
// strictly, and reports whether it is base64. It writes no further than it has read.
//
// What is beyond ASCII is refused here: on arm64 the library takes it for zeros.
func Decode(text []byte) ([]byte, bool) {
	if !isASCII(text) {
		return nil, false
	}
	n, err := standard.Decode(text, text)
	if err != nil {
		return nil, false
	}
	return text[:n:n], true
}

func isASCII(text []byte) bool {
	const high = 0x8080808080808080
	for ; len(text) >= 8; text = text[8:] {
		if binary.LittleEndian.Uint64(text)&high != 0 {
			return false
		}
	}
	for _, c := range text {
		if c >= 0x80 {
			return false
		}
	}
	return true
}
