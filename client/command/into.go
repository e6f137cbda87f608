package command

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"

	"github.com/cldcde/restash/internal/json"
)

// As returns cmd with its reply read as a T: strings and bytes as they are,
// numbers and booleans from their text, anything else from JSON. It reverses
// [Text]. Lists are read into slices, where a missing value is the zero value (use
// pointers to tell them apart), and the fields of a hash into a map or a struct:
//
//	user, err := client.Do(ctx, c, command.As[User](command.Get("user:1")))
//	users, err := client.Do(ctx, c, command.As[[]*User](command.MGet("user:1", "user:2")))
//	counts, err := client.Do(ctx, c, command.As[map[string]int](command.HGetAll("counts")))
//	user, err := client.Do(ctx, c, command.As[User](command.HGetAll("user:1")))
//
// A struct is filled as [HSetStruct] writes it; that of a missing hash is [ErrNil].
func As[T, S any](cmd Command[S]) Command[T] {
	return Command[T]{args: cmd.args, err: cmd.err, fallback: cmd.fallback, flags: cmd.flags, decode: into[T]}
}

// into reads a reply as a T, for commands whose reply type is free. Arrays
// become slices; text becomes what [As] says; nil is ErrNil, or the zero
// value inside an array.
func into[T any](r Reply) (T, error) {
	var v T
	if r.Kind == KindNil {
		if _, ok := any(&v).(*any); ok {
			return v, nil
		}
		if _, ok := any(&v).(*Reply); !ok {
			return v, ErrNil
		}
	}
	err := assign(&v, r)
	return v, err
}

// assign reads r into what p points to.
func assign(p any, r Reply) (err error) {
	switch p := p.(type) {
	case *Reply:
		*p = r
	case *any:
		*p, err = tree(r)
	case *string:
		*p, err = toString(r)
	case *[]byte:
		if r.Kind == KindBulk || r.Kind == KindStatus {
			*p = append([]byte{}, r.Bytes...)
			return nil
		}
		var s string
		s, err = toString(r)
		*p = []byte(s)
	case *int64:
		*p, err = toInt(r)
	case *float64:
		*p, err = toFloat(r)
	case *bool:
		*p, err = toTruth(r)
	default:
		if m, ok := p.(*map[string]string); ok && r.Kind == KindArray {
			*m, err = toMap(r)
			return err
		}
		return assignKind(reflect.ValueOf(p).Elem(), r)
	}
	return err
}

// toTruth reads 1 and 0, true and false, and the OK of a status.
func toTruth(r Reply) (bool, error) {
	if r.Kind == KindStatus {
		return true, nil
	}
	if r.Kind == KindBulk {
		b, err := strconv.ParseBool(string(r.Bytes))
		if err != nil {
			err = mismatch("a boolean", r)
		}
		return b, err
	}
	return toBool(r)
}

// unmarshal reads text by the type's own method, if it has one.
func unmarshal(v reflect.Value, r Reply) (ok bool, err error) {
	if r.Kind == KindArray {
		return false, nil
	}
	var read func([]byte) error
	switch u := v.Addr().Interface().(type) {
	case encoding.TextUnmarshaler:
		read = u.UnmarshalText
	case binaryBothWays:
		read = u.UnmarshalBinary
	default:
		return false, nil
	}
	text, err := toString(r)
	if err != nil {
		return true, err
	}
	if read([]byte(text)) != nil { // its error may quote the value
		return true, fmt.Errorf("%w: the text is no %s", ErrReply, v.Type())
	}
	return true, nil
}

func assignKind(v reflect.Value, r Reply) error {
	if ok, err := unmarshal(v, r); ok {
		return err
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return assign(v.Interface(), r)
	case reflect.Bool:
		b, err := toTruth(r)
		v.SetBool(b)
		return err
	case reflect.Float32, reflect.Float64:
		f, err := toFloat(r)
		v.SetFloat(f)
		return err
	case reflect.String:
		s, err := toString(r)
		v.SetString(s)
		return err
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n, err := toInt(r)
		if err == nil && v.OverflowInt(n) {
			err = mismatch("a smaller integer", r)
		}
		v.SetInt(n)
		return err
	case reflect.Slice:
		if r.Kind == KindArray || v.Type().Elem().Kind() == reflect.Uint8 {
			return assignSlice(v, r)
		}
	case reflect.Map, reflect.Struct:
		if r.Kind == KindArray {
			return assignFields(v, r)
		}
	}
	text, err := toString(r)
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(text), v.Addr().Interface())
}

func assignSlice(v reflect.Value, r Reply) error {
	if r.Kind != KindArray {
		text, err := toString(r)
		v.SetBytes([]byte(text))
		return err
	}
	out := reflect.MakeSlice(v.Type(), len(r.Array), len(r.Array))
	for i, e := range r.Array {
		if e.Kind == KindNil {
			continue
		}
		if err := assign(out.Index(i).Addr().Interface(), e); err != nil {
			return err
		}
	}
	v.Set(out)
	return nil
}

// tree reads a reply as nil, int64, string or []any.
func tree(r Reply) (any, error) {
	switch r.Kind {
	case KindNil:
		return nil, nil
	case KindInt:
		return r.Int, nil
	case KindBulk, KindStatus:
		return string(r.Bytes), nil
	case KindArray:
		out := make([]any, len(r.Array))
		for i, e := range r.Array {
			v, err := tree(e)
			if err != nil {
				return nil, err
			}
			out[i] = v
		}
		return out, nil
	}
	return nil, mismatch("a value", r)
}
