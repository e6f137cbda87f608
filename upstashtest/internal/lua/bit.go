package lua

import (
	"fmt"
	"math/bits"

	glua "github.com/yuin/gopher-lua"
)

// bit is LuaBitOp: operations on 32-bit numbers.
func (m *Machine) bit() *glua.LTable {
	fold := func(op func(a, b uint32) uint32) glua.LGFunction {
		return func(l *glua.LState) int {
			v := word(l, 1)
			for i := 2; i <= l.GetTop(); i++ {
				v = op(v, word(l, i))
			}
			return push(l, v)
		}
	}
	shift := func(op func(a uint32, n uint) uint32) glua.LGFunction {
		return func(l *glua.LState) int { return push(l, op(word(l, 1), uint(word(l, 2)&31))) }
	}
	one := func(op func(a uint32) uint32) glua.LGFunction {
		return func(l *glua.LState) int { return push(l, op(word(l, 1))) }
	}
	return m.l.SetFuncs(m.l.NewTable(), map[string]glua.LGFunction{
		"tobit": one(func(a uint32) uint32 { return a }),
		"bnot":  one(func(a uint32) uint32 { return ^a }),
		"bswap": one(bits.ReverseBytes32),
		"band":  fold(func(a, b uint32) uint32 { return a & b }),
		"bor":   fold(func(a, b uint32) uint32 { return a | b }),
		"bxor":  fold(func(a, b uint32) uint32 { return a ^ b }),

		"lshift":  shift(func(a uint32, n uint) uint32 { return a << n }),
		"rshift":  shift(func(a uint32, n uint) uint32 { return a >> n }),
		"arshift": shift(func(a uint32, n uint) uint32 { return uint32(int32(a) >> n) }),
		"rol":     shift(func(a uint32, n uint) uint32 { return bits.RotateLeft32(a, int(n)) }),
		"ror":     shift(func(a uint32, n uint) uint32 { return bits.RotateLeft32(a, -int(n)) }),
		"tohex": func(l *glua.LState) int {
			n := l.OptInt(2, 8)
			format := "%08x"
			if n < 0 {
				n, format = -n, "%08X"
			}
			s := fmt.Sprintf(format, word(l, 1))
			l.Push(glua.LString(s[8-min(n, 8):]))
			return 1
		},
	})
}

func word(l *glua.LState, i int) uint32 { return uint32(int64(l.CheckNumber(i))) }

func push(l *glua.LState, v uint32) int {
	l.Push(glua.LNumber(int32(v)))
	return 1
}
