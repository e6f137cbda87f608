package lua

import (
	"math"
	"strconv"
	"strings"

	glua "github.com/yuin/gopher-lua"
)

// luaToNumber is tonumber as Lua 5.1 has it on C's strtod: exponents,
// hexadecimal, inf and nan, blanks at both ends. gopher-lua's knows less.
func luaToNumber(l *glua.LState) int {
	base := l.OptInt(2, 10)
	if base < 2 || base > 36 {
		l.ArgError(2, "base out of range")
	}
	v := l.CheckAny(1)
	if n, ok := v.(glua.LNumber); ok && base == 10 {
		l.Push(n)
		return 1
	}
	s, ok := v.(glua.LString)
	if !ok && base == 10 {
		l.Push(glua.LNil)
		return 1
	}
	if !ok {
		s = glua.LString(l.CheckString(1))
	}
	text := strings.Trim(string(s), " \t\n\v\f\r")
	var f float64
	if base == 10 {
		f, ok = strtod(text)
	} else {
		var n uint64
		n, ok = strtoul(text, base)
		f = float64(n)
	}
	if !ok {
		l.Push(glua.LNil)
		return 1
	}
	l.Push(glua.LNumber(f))
	return 1
}

// strtod reads all of s as C does.
func strtod(s string) (float64, bool) {
	if s == "" || strings.Contains(s, "_") {
		return 0, false
	}
	if digits := strings.TrimLeft(s, "+-"); len(digits) > 2 && strings.EqualFold(digits[:2], "0x") && !strings.ContainsAny(digits, "pP") {
		s += "p0" // Go wants an exponent
	}
	if strings.EqualFold(strings.TrimLeft(s, "+-"), "nan") {
		return math.NaN(), true
	}
	f, err := strconv.ParseFloat(s, 64)
	if math.IsInf(f, 0) {
		err = nil // too large is infinite
	}
	return f, err == nil
}

func strtoul(s string, base int) (uint64, bool) {
	digits := strings.TrimPrefix(strings.TrimPrefix(s, "+"), "-")
	if base == 16 {
		digits = strings.TrimPrefix(strings.TrimPrefix(digits, "0x"), "0X")
	}
	n, err := strconv.ParseUint(digits, base, 64)
	if strings.HasPrefix(s, "-") {
		n = -n
	}
	return n, err == nil
}
