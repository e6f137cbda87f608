package engine

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/bits"
)

// digest is the answer of DIGEST: XXH3 with 64 bits and seed 0, as 16
// hexadecimal digits. The algorithm and its constants are those of the public
// specification of xxHash.
func digest(b []byte) string { return fmt.Sprintf("%016x", xxh3(b)) }

const (
	prime32x1 = 0x9E3779B1
	prime32x2 = 0x85EBCA77
	prime32x3 = 0xC2B2AE3D
	prime64x1 = 0x9E3779B185EBCA87
	prime64x2 = 0xC2B2AE3D27D4EB4F
	prime64x3 = 0x165667B19E3779F9
	prime64x4 = 0x85EBCA77C2B2AE63
	prime64x5 = 0x27D4EB2F165667C5
	primeMix1 = 0x165667919E3779F9
	primeMix2 = 0x9FB21C651E98DF25

	stripe     = 64
	secretStep = 8
)

var xxSecret = mustHex("" +
	"b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f" +
	"cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c" +
	"3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8a8" +
	"fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364ea" +
	"c5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e2b" +
	"16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e")

func mustHex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic("engine: " + err.Error())
	}
	return b
}

func u32(b []byte) uint64 { return uint64(binary.LittleEndian.Uint32(b)) }

func u64(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }

func secret64(i int) uint64 { return u64(xxSecret[i:]) }

// fold64 multiplies to 128 bits and xors the halves.
func fold64(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

func avalanche(h uint64) uint64 {
	h ^= h >> 37
	h *= primeMix1
	return h ^ h>>32
}

func avalancheXXH64(h uint64) uint64 {
	h ^= h >> 33
	h *= prime64x2
	h ^= h >> 29
	h *= prime64x3
	return h ^ h>>32
}

func xxh3(b []byte) uint64 {
	switch n := len(b); {
	case n == 0:
		return avalancheXXH64(secret64(56) ^ secret64(64))
	case n <= 3:
		combined := uint64(b[0])<<16 | uint64(b[n/2])<<24 | uint64(b[n-1]) | uint64(n)<<8
		return avalancheXXH64(combined ^ u32(xxSecret) ^ u32(xxSecret[4:]))
	case n <= 8:
		mixed := u32(b[n-4:]) + u32(b)<<32
		return rrmxmx(mixed^secret64(8)^secret64(16), uint64(n))
	case n <= 16:
		lo := u64(b) ^ secret64(24) ^ secret64(32)
		hi := u64(b[n-8:]) ^ secret64(40) ^ secret64(48)
		return avalanche(uint64(n) + bits.ReverseBytes64(lo) + hi + fold64(lo, hi))
	case n <= 128:
		return xxh3Middle(b)
	case n <= 240:
		return xxh3Upper(b)
	}
	return xxh3Long(b)
}

func rrmxmx(h, n uint64) uint64 {
	h ^= bits.RotateLeft64(h, 49) ^ bits.RotateLeft64(h, 24)
	h *= primeMix2
	h ^= h>>35 + n
	h *= primeMix2
	return h ^ h>>28
}

func mix16(b []byte, at int) uint64 {
	return fold64(u64(b)^secret64(at), u64(b[8:])^secret64(at+8))
}

func xxh3Middle(b []byte) uint64 {
	n := len(b)
	h := uint64(n) * prime64x1
	for i := (n - 1) / 32; i >= 0; i-- {
		h += mix16(b[i*16:], i*32)
		h += mix16(b[n-(i+1)*16:], i*32+16)
	}
	return avalanche(h)
}

func xxh3Upper(b []byte) uint64 {
	n := len(b)
	h := uint64(n) * prime64x1
	for i := range 8 {
		h += mix16(b[i*16:], i*16)
	}
	h = avalanche(h)
	for i := 8; i < n/16; i++ {
		h += mix16(b[i*16:], (i-8)*16+3)
	}
	h += mix16(b[n-16:], 136-17)
	return avalanche(h)
}

func xxh3Long(b []byte) uint64 {
	acc := [8]uint64{prime32x3, prime64x1, prime64x2, prime64x3, prime64x4, prime32x2, prime64x5, prime32x1}
	perBlock := (len(xxSecret) - stripe) / secretStep
	block := stripe * perBlock
	blocks := (len(b) - 1) / block
	for i := range blocks {
		for j := range perBlock {
			accumulate(&acc, b[i*block+j*stripe:], xxSecret[j*secretStep:])
		}
		scramble(&acc, xxSecret[len(xxSecret)-stripe:])
	}
	for j := range (len(b) - 1 - block*blocks) / stripe {
		accumulate(&acc, b[blocks*block+j*stripe:], xxSecret[j*secretStep:])
	}
	accumulate(&acc, b[len(b)-stripe:], xxSecret[len(xxSecret)-stripe-7:])
	h := uint64(len(b)) * prime64x1
	for i := range 4 {
		h += fold64(acc[2*i]^secret64(11+16*i), acc[2*i+1]^secret64(11+16*i+8))
	}
	return avalanche(h)
}

func accumulate(acc *[8]uint64, in, secret []byte) {
	for i := range acc {
		v := u64(in[8*i:])
		k := v ^ u64(secret[8*i:])
		acc[i^1] += v
		acc[i] += k & 0xffffffff * (k >> 32)
	}
}

func scramble(acc *[8]uint64, secret []byte) {
	for i := range acc {
		a := acc[i]
		a ^= a >> 47
		a ^= u64(secret[8*i:])
		acc[i] = a * prime32x1
	}
}
