package command

import (
	"fmt"
	"reflect"
	"strings"
)

// HSetStruct sets a field of the hash at key for each exported field of the
// struct v, or that v points to, and returns how many are new. A field is named by
// its tag, redis:"name" or json:"name", or by its own name; "-" leaves it out, and so
// does omitempty with its zero value. A nil is left out, too: HSetStruct deletes
// nothing. Embedded structs count as their fields. Read it back by [As] of
// [HGetAll].
func HSetStruct(key string, v any) Command[int64] {
	c := repeat(toInt, "HSET", key)
	s := reflect.ValueOf(v)
	for s.Kind() == reflect.Pointer && !s.IsNil() {
		s = s.Elem()
	}
	if s.Kind() != reflect.Struct {
		return c.fail(fmt.Errorf("%T is no struct", v))
	}
	for _, f := range fieldsOf(s.Type()) {
		value, err := s.FieldByIndexErr(f.index)
		if err != nil || f.omitEmpty && value.IsZero() || isNil(value) {
			continue // err: within an embedded pointer that is nil
		}
		c = c.add(f.name).value(value.Interface())
	}
	return c.failIf(len(c.args) == 2, "no fields")
}

func isNil(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
		return v.IsNil()
	}
	return false
}

// structField is a field of a struct as one of a hash.
type structField struct {
	name      string
	index     []int
	omitEmpty bool
}

func fieldsOf(t reflect.Type) []structField {
	var fields []structField
	for _, f := range reflect.VisibleFields(t) {
		name, omitEmpty := fieldName(f)
		embedded := f.Anonymous && name == ""
		if !f.IsExported() || embedded || name == "-" || len(f.Index) > 1 && !reachable(t, f.Index) {
			continue
		}
		if name == "" {
			name = f.Name
		}
		fields = append(fields, structField{name, f.Index, omitEmpty})
	}
	return fields
}

// reachable reports whether all that a field is embedded in counts as its fields.
func reachable(t reflect.Type, index []int) bool {
	for i := 1; i < len(index); i++ {
		outer := t.FieldByIndex(index[:i])
		if name, _ := fieldName(outer); name != "" {
			return false // a field of its own, or left out
		}
		if outer.Type.Kind() == reflect.Pointer && !outer.IsExported() {
			return false // reflection cannot make it
		}
	}
	return true
}

// fieldName is what the tag says, "" if nothing.
func fieldName(f reflect.StructField) (name string, omitEmpty bool) {
	tag, ok := f.Tag.Lookup("redis")
	if !ok {
		tag = f.Tag.Get("json")
	}
	name, options, _ := strings.Cut(tag, ",")
	return name, strings.Contains(","+options+",", ",omitempty,")
}

// assignFields reads an array of names and values into a map or a struct.
func assignFields(v reflect.Value, r Reply) error {
	if len(r.Array)%2 != 0 {
		return mismatch("an array of pairs", r)
	}
	if v.Kind() == reflect.Map {
		return assignMap(v, r)
	}
	fields := fieldsOf(v.Type())
	if len(fields) == 0 {
		return mismatch("a text", r)
	}
	if len(r.Array) == 0 {
		return ErrNil
	}
	values := make(map[string]Reply, len(r.Array)/2)
	for i := 0; i < len(r.Array); i += 2 {
		name, err := toString(r.Array[i])
		if err != nil {
			return err
		}
		values[name] = r.Array[i+1]
	}
	for _, f := range fields {
		value, ok := values[f.name]
		if !ok || value.Kind == KindNil {
			continue
		}
		if err := assign(inside(v, f.index).Addr().Interface(), value); err != nil {
			return fmt.Errorf("field %s: %w", f.name, err)
		}
	}
	return nil
}

// inside is the field at index, with the embedded pointers on the way made.
func inside(v reflect.Value, index []int) reflect.Value {
	for i, x := range index {
		if i > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(x)
	}
	return v
}

func assignMap(v reflect.Value, r Reply) error {
	if v.Type().Key().Kind() != reflect.String {
		return fmt.Errorf("%w: %s is no map by names", ErrReply, v.Type())
	}
	out := reflect.MakeMapWithSize(v.Type(), len(r.Array)/2)
	for i := 0; i < len(r.Array); i += 2 {
		name, err := toString(r.Array[i])
		if err != nil {
			return err
		}
		value := reflect.New(v.Type().Elem())
		if r.Array[i+1].Kind != KindNil {
			if err := assign(value.Interface(), r.Array[i+1]); err != nil {
				return err
			}
		}
		out.SetMapIndex(reflect.ValueOf(name).Convert(v.Type().Key()), value.Elem())
	}
	v.Set(out)
	return nil
}
