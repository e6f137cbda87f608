package engine

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// A HyperLogLog is a string here as it is in Redis, in Redis' dense form: a
// head of 16 bytes and 16,384 registers of 6 bits. The hash function and the
// estimate are Redis' too, so PFCOUNT gives the same number.
const (
	hllRegisters = 1 << 14
	hllBits      = 64 - 14 // of the hash, behind the register's number
	hllHead      = 16
	hllSize      = hllHead + hllRegisters*6/8
	msgNotHLL    = "WRONGTYPE Key is not a valid HyperLogLog string value."
)

func hllCommands() map[string]handler {
	return map[string]handler{"PFADD": cmdPFAdd, "PFCOUNT": cmdPFCount, "PFMERGE": cmdPFMerge}
}

// registers are a HyperLogLog unpacked.
type registers [hllRegisters]uint8

// hll reads the HyperLogLog at key, nil if there is none.
func (e *Engine) hll(key string) (*registers, Reply) {
	r := e.getString(key)
	if isError(r) || isNil(r) {
		return nil, r
	}
	if regs := unpackHLL(r.Bytes); regs != nil {
		return regs, nilReply
	}
	return nil, errorReply(msgNotHLL)
}

func unpackHLL(b []byte) *registers {
	if len(b) < hllHead || string(b[:4]) != "HYLL" {
		return nil
	}
	body := b[hllHead:]
	switch {
	case b[4] == 1:
		return unpackSparse(body)
	case b[4] != 0 || len(b) != hllSize:
		return nil
	}
	regs := &registers{}
	for i := range regs {
		at, shift := i*6/8, uint(i*6%8)
		v := uint16(body[at])
		if at+1 < len(body) {
			v |= uint16(body[at+1]) << 8
		}
		regs[i] = uint8(v>>shift) & 63
	}
	return regs
}

// unpackSparse reads the other form of Redis: runs of zeros and of small
// values.
func unpackSparse(b []byte) *registers {
	regs, at := &registers{}, 0
	for i := 0; i < len(b); i++ {
		run, value := 0, uint8(0)
		switch b[i] >> 6 {
		case 0:
			run = int(b[i]&63) + 1
		case 1:
			if i+1 == len(b) {
				return nil
			}
			run = (int(b[i]&63)<<8 | int(b[i+1])) + 1
			i++
		default:
			run, value = int(b[i]&3)+1, b[i]>>2&31+1
		}
		if at+run > hllRegisters {
			return nil
		}
		for ; run > 0; run-- {
			regs[at] = value
			at++
		}
	}
	if at != hllRegisters {
		return nil
	}
	return regs
}

// pack is the stored form. The cached estimate in its head is marked as
// outdated, as Redis does after a change.
func (r *registers) pack() string {
	b := make([]byte, hllSize)
	copy(b, "HYLL")
	b[15] = 0x80
	body := b[hllHead:]
	for i, v := range r {
		at, shift := i*6/8, uint(i*6%8)
		wide := uint16(v) << shift
		body[at] |= byte(wide)
		if at+1 < len(body) {
			body[at+1] |= byte(wide >> 8)
		}
	}
	return string(b)
}

// add notes an element and reports whether that changed anything.
func (r *registers) add(element string) bool {
	h := murmur64([]byte(element), 0xadc83b19)
	i := h & (hllRegisters - 1)
	zeros := uint8(bits.TrailingZeros64(h>>14|1<<hllBits)) + 1
	if zeros <= r[i] {
		return false
	}
	r[i] = zeros
	return true
}

func (r *registers) merge(o *registers) {
	for i, v := range o {
		r[i] = max(r[i], v)
	}
}

// count is Ertl's estimate, "New cardinality estimation algorithms for
// HyperLogLog sketches", as Redis has it.
func (r *registers) count() int64 {
	var histogram [64]int
	for _, v := range r {
		histogram[v]++
	}
	const m = float64(hllRegisters)
	z := m * hllTau((m-float64(histogram[hllBits+1]))/m)
	for j := hllBits; j >= 1; j-- {
		z = (z + float64(histogram[j])) * 0.5
	}
	z += m * hllSigma(float64(histogram[0])/m)
	return int64(math.Round(0.721347520444481703680 * m * m / z))
}

func hllTau(x float64) float64 {
	if x == 0 || x == 1 {
		return 0
	}
	y, z := 1.0, 1-x
	for before := math.Inf(1); before != z; {
		x, before = math.Sqrt(x), z
		y *= 0.5
		z -= (1 - x) * (1 - x) * y
	}
	return z / 3
}

func hllSigma(x float64) float64 {
	if x == 1 {
		return math.Inf(1)
	}
	y, z := 1.0, x
	for before := math.Inf(1); before != z; {
		x, before = x*x, z
		z += x * y
		y += y
	}
	return z
}

// murmur64 is MurmurHash64A by Austin Appleby.
func murmur64(b []byte, seed uint64) uint64 {
	const m = 0xc6a4a7935bd1e995
	h := seed ^ uint64(len(b))*m
	for ; len(b) >= 8; b = b[8:] {
		k := binary.LittleEndian.Uint64(b) * m
		h = (h ^ (k^k>>47)*m) * m
	}
	if len(b) > 0 {
		for i, c := range b {
			h ^= uint64(c) << (8 * i)
		}
		h *= m
	}
	h = (h ^ h>>47) * m
	return h ^ h>>47
}

func (e *Engine) storeHLL(key string, r *registers) { e.raw("SET", key, r.pack(), "KEEPTTL") }

func cmdPFAdd(e *Engine, c *call) Reply {
	r, bad := e.hll(c.args[1])
	if isError(bad) {
		return bad
	}
	changed := r == nil
	if r == nil {
		r = &registers{}
	}
	for _, element := range c.args[2:] {
		changed = r.add(element) || changed
	}
	if changed {
		e.storeHLL(c.args[1], r)
	}
	return boolReply(changed)
}

// unionHLL merges what is at keys.
func (e *Engine) unionHLL(keys []string) (sum *registers, bad Reply) {
	sum = &registers{}
	for _, key := range keys {
		r, bad := e.hll(key)
		if isError(bad) {
			return nil, bad
		}
		if r != nil {
			sum.merge(r)
		}
	}
	return sum, nilReply
}

func cmdPFCount(e *Engine, c *call) Reply {
	sum, bad := e.unionHLL(c.args[1:])
	if isError(bad) {
		return bad
	}
	return intReply(sum.count())
}

func cmdPFMerge(e *Engine, c *call) Reply {
	sum, bad := e.unionHLL(c.args[1:])
	if isError(bad) {
		return bad
	}
	e.storeHLL(c.args[1], sum)
	return okReply()
}
