package keyspace

import (
	"crypto/rand"
	"encoding/binary"
	"strconv"
	"strings"
	"time"
)

// Token is the value of a token key: the time of its birth in milliseconds in
// base 36, a dot, and 32 random bits. Two tokens are the same only if their
// text is. The empty Token stands for a key that is absent.
type Token string

// NewToken returns a token born at the given time.
func NewToken(born time.Time) Token {
	var random [4]byte
	rand.Read(random[:])
	b := strconv.AppendInt(make([]byte, 0, 20), born.UnixMilli(), 36)
	b = append(b, '.')
	return Token(strconv.AppendUint(b, uint64(binary.BigEndian.Uint32(random[:])), 36))
}

// Born returns the time of the token's birth, and false if the token has none
// that can be read.
func (t Token) Born() (time.Time, bool) {
	ms, _, found := strings.Cut(string(t), ".")
	if !found {
		return time.Time{}, false
	}
	n, err := strconv.ParseInt(ms, 36, 64)
	if err != nil {
		return time.Time{}, false
	}
	return time.UnixMilli(n), true
}
