package lua

import (
	"bytes"
	"math"

	glua "github.com/yuin/gopher-lua"
)

// structs is the library struct: values as the bytes of C structures.
func (m *Machine) structs() *glua.LTable {
	return m.l.SetFuncs(m.l.NewTable(), map[string]glua.LGFunction{
		"pack": structPack, "unpack": structUnpack,
		"size": func(l *glua.LState) int {
			f := &layout{l: l, format: l.CheckString(1)}
			total := 0
			for f.next() {
				if f.option == 's' || f.option == 'c' && f.size == 0 {
					l.ArgError(1, "variable-length format")
				}
				total += f.padding(total) + f.size
			}
			l.Push(glua.LNumber(total))
			return 1
		},
	})
}

// layout reads a format, one field after the other.
type layout struct {
	l      *glua.LState
	format string
	big    bool
	align  int

	option byte
	size   int
}

// number reads the digits that follow, or takes what is meant without any.
func (f *layout) number(otherwise int) int {
	n, digits := 0, 0
	for len(f.format) > 0 && f.format[0] >= '0' && f.format[0] <= '9' && digits < 9 {
		n = n*10 + int(f.format[0]-'0')
		f.format = f.format[1:]
		digits++
	}
	if digits == 0 {
		return otherwise
	}
	return n
}

var structSizes = map[byte]int{'b': 1, 'B': 1, 'h': 2, 'H': 2, 'l': 8, 'L': 8, 'T': 8, 'f': 4, 'd': 8, 'x': 1, 's': 0}

// next finds the next field; false at the end.
func (f *layout) next() bool {
	for len(f.format) > 0 {
		c := f.format[0]
		f.format = f.format[1:]
		switch f.option = c; {
		case c == ' ':
		case c == '<', c == '=':
			f.big = false
		case c == '>':
			f.big = true
		case c == '!':
			f.align = f.number(8)
		case c == 'i' || c == 'I':
			if f.size = f.number(4); f.size > 32 || f.size < 1 {
				f.l.RaiseError("integral size %d is larger than limit of %d", f.size, 32)
			}
			return true
		case c == 'c':
			f.size = f.number(1)
			return true
		default:
			size, ok := structSizes[c]
			if f.size = size; !ok {
				f.l.ArgError(1, "invalid format option '"+string(rune(c))+"'")
			}
			return true
		}
	}
	return false
}

// padding is how many bytes come before a field at this place.
func (f *layout) padding(at int) int {
	align := min(f.size, f.align)
	if align <= 1 || f.option == 'c' || f.option == 's' || f.option == 'x' {
		return 0
	}
	return (align - at&(align-1)) & (align - 1)
}

func structPack(l *glua.LState) int {
	f := &layout{l: l, format: l.CheckString(1)}
	var b []byte
	arg := 1
	for f.next() {
		b = append(b, make([]byte, f.padding(len(b)))...)
		if f.option == 'x' {
			b = append(b, 0)
			continue
		}
		arg++
		switch f.option {
		case 's', 'c':
			s := l.CheckString(arg)
			if f.option == 'c' && f.size == 0 || f.option == 's' {
				f.size = len(s)
			}
			if len(s) < f.size {
				l.ArgError(arg, "string too short")
			}
			if b = append(b, s[:f.size]...); f.option == 's' {
				b = append(b, 0)
			}
		case 'f':
			b = f.append(b, uint64(math.Float32bits(float32(l.CheckNumber(arg)))))
		case 'd':
			b = f.append(b, math.Float64bits(float64(l.CheckNumber(arg))))
		default:
			b = f.append(b, wrap(float64(l.CheckNumber(arg))))
		}
	}
	l.Push(glua.LString(b))
	return 1
}

// wrap is C's cast of a number to 64 bits.
func wrap(n float64) uint64 {
	if n < 0 {
		return uint64(int64(n))
	}
	return uint64(n)
}

// append writes the low bytes of v in the order of the format.
func (f *layout) append(b []byte, v uint64) []byte {
	for i := range f.size {
		shift := i
		if f.big {
			shift = f.size - 1 - i
		}
		b = append(b, byte(v>>min(8*shift, 64)))
	}
	return b
}

func (f *layout) read(b []byte) uint64 {
	v := uint64(0)
	for i := range b {
		c := b[len(b)-1-i]
		if f.big {
			c = b[i]
		}
		v = v<<8 | uint64(c)
	}
	return v
}

func structUnpack(l *glua.LState) int {
	f := &layout{l: l, format: l.CheckString(1)}
	data, at := []byte(l.CheckString(2)), l.OptInt(3, 1)-1
	if at < 0 || at > len(data) {
		l.ArgError(3, "offset must be 1 or greater")
	}
	first := l.GetTop()
	for f.next() {
		at += f.padding(at)
		if f.option == 'c' && f.size == 0 {
			// The length is the number read before it.
			n, ok := l.Get(-1).(glua.LNumber)
			if !ok || l.GetTop() == first || n < 0 {
				l.RaiseError("format `c0' needs a previous size")
			}
			f.size = int(n)
			l.Pop(1)
		}
		if f.size > len(data)-at {
			l.ArgError(2, "data string too short")
		}
		at = f.push(data, at)
	}
	l.Push(glua.LNumber(at + 1))
	return l.GetTop() - first
}

// push reads one field and returns where the next begins.
func (f *layout) push(data []byte, at int) int {
	b := data[at : at+f.size]
	switch f.option {
	case 'x':
		return at + 1
	case 'c':
		f.l.Push(glua.LString(b))
	case 's':
		end := bytes.IndexByte(data[at:], 0)
		if end < 0 {
			f.l.ArgError(2, "unfinished string in data")
		}
		f.l.Push(glua.LString(data[at : at+end]))
		return at + end + 1
	case 'f':
		f.l.Push(glua.LNumber(math.Float32frombits(uint32(f.read(b)))))
	case 'd':
		f.l.Push(glua.LNumber(math.Float64frombits(f.read(b))))
	case 'b', 'h', 'i', 'l':
		unused := max(64-8*f.size, 0)
		f.l.Push(glua.LNumber(int64(f.read(b)<<unused) >> unused))
	default:
		f.l.Push(glua.LNumber(f.read(b)))
	}
	return at + f.size
}
