package engine

import (
	"errors"
	"math"
	"math/big"
	"strconv"
	"strings"
)

var errNotInt = errors.New("no integer")

// strictInt is strconv.ParseInt in Redis' own form, see parseInteger.
func strictInt(s string) (int64, error) {
	n, ok := parseInteger(s)
	if !ok {
		return 0, errNotInt
	}
	return n, nil
}

// strictAtoi is strconv.Atoi in Redis' own form.
func strictAtoi(s string) (int, error) {
	n, err := strictInt(s)
	return int(n), err
}

// parseInteger reads an integer in the one form that Redis takes: no sign but
// -, no leading zeros, no blanks.
func parseInteger(s string) (int64, bool) {
	digits := strings.TrimPrefix(s, "-")
	if digits == "" || len(digits) > 19 || digits[0] == '0' && s != "0" {
		return 0, false
	}
	n := uint64(0)
	for _, c := range []byte(digits) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	switch {
	case len(digits) < len(s) && n <= 1<<63:
		return -int64(n), true
	case len(digits) == len(s) && n < 1<<63:
		return int64(n), true
	}
	return 0, false
}

// integerAt are the words that must be integers whatever the key holds.
// miniredis takes forms such as 007 and +1 that Redis refuses.
var integerAt = map[string][]int{
	"GETRANGE": {2, 3}, "LRANGE": {2, 3}, "LTRIM": {2, 3}, "LREM": {2}, "HINCRBY": {3}, "SRANDMEMBER": {2},
}

func checkIntegers(c *call) Reply {
	for _, i := range integerAt[c.info.Name] {
		if i >= len(c.args) {
			continue
		}
		if _, ok := parseInteger(c.args[i]); !ok {
			return errorReply(msgNotInt)
		}
	}
	return nilReply
}

// plain runs a command in miniredis, after what miniredis would not refuse.
func (e *Engine) plain(c *call) Reply {
	if bad := checkIntegers(c); isError(bad) {
		return bad
	}
	if bad := e.refuseHidden(c); isError(bad) {
		return bad
	}
	return e.raw(c.args...)
}

// cmdIncr is INCR, DECR, INCRBY and DECRBY.
func cmdIncr(e *Engine, c *call) Reply {
	by := int64(1)
	if len(c.args) == 3 {
		var bad Reply
		if by, bad = wholeNumber(c.args[2]); isError(bad) {
			return bad
		}
	}
	if c.info.Name[0] == 'D' {
		if by == math.MinInt64 {
			return errorReply("ERR decrement would overflow")
		}
		by = -by
	}
	old := e.getString(c.args[1])
	if isError(old) {
		return old
	}
	n := int64(0)
	if !isNil(old) {
		var bad Reply
		if n, bad = wholeNumber(text(old)); isError(bad) {
			return bad
		}
	}
	if overflows(n, by) {
		return errorReply("ERR increment or decrement would overflow")
	}
	e.raw("SET", c.args[1], itoa(n+by), "KEEPTTL")
	return intReply(n + by)
}

func overflows(a, b int64) bool {
	return b > 0 && a > math.MaxInt64-b || b < 0 && a < math.MinInt64-b
}

// longFloat is a number with the precision of C's long double on x86-64, in
// which Redis adds for INCRBYFLOAT and HINCRBYFLOAT.
func longFloat(s string) (*big.Float, bool) {
	if f, ok := parseFloat(s); ok && math.IsInf(f, 0) {
		return new(big.Float).SetInf(f < 0), true
	}
	word := lower(strings.TrimLeft(s, "+-"))
	hex := strings.HasPrefix(word, "0x")
	if strings.ContainsAny(word, "_ \t\n") || strings.HasPrefix(word, "0b") || strings.HasPrefix(word, "0o") || !hex && strings.Contains(word, "p") {
		return nil, false // what Go takes and C does not
	}
	b, _, err := big.ParseFloat(s, 0, 64, big.ToNearestEven)
	return b, err == nil && b.MantExp(nil) < 1<<14
}

// formatLong prints a sum with up to 17 digits behind the point.
func formatLong(f *big.Float) string {
	s := f.Text('f', 17)
	s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	if s == "-0" {
		return "0"
	}
	return s
}

// addFloat adds two numbers in text; notFloat is the error for the first.
func addFloat(old, by, notFloat string) Reply {
	a, ok := longFloat(old)
	if !ok {
		return errorReply(notFloat)
	}
	b, ok := longFloat(by)
	if !ok {
		return errorReply(msgNotFloat)
	}
	if a.IsInf() || b.IsInf() {
		return errorReply("ERR increment would produce NaN or Infinity")
	}
	return bulk(formatLong(a.Add(a, b)))
}

func cmdIncrByFloat(e *Engine, c *call) Reply {
	old := e.getString(c.args[1])
	if isError(old) {
		return old
	}
	if isNil(old) {
		old = bulk("0")
	}
	sum := addFloat(text(old), c.args[2], msgNotFloat)
	if !isError(sum) {
		e.raw("SET", c.args[1], text(sum), "KEEPTTL")
	}
	return sum
}

// wholeNumber reads an integer in Redis' own strict form.
func wholeNumber(word string) (int64, Reply) {
	n, ok := parseInteger(word)
	if !ok {
		return 0, errorReply(msgNotInt)
	}
	return n, nilReply
}

// parseFloat reads a number as C's strtod does, all of it and no blanks. NaN
// and what overflows are no numbers.
func parseFloat(s string) (float64, bool) {
	if s == "" || strings.Contains(s, "_") {
		return 0, false
	}
	if digits := strings.TrimLeft(s, "+-"); len(digits) > 2 && lower(digits[:2]) == "0x" && !strings.ContainsAny(digits, "pP") {
		s += "p0" // C needs no exponent, Go does
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil && !math.IsNaN(f)
}
