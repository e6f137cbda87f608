package strategies

import (
	"fmt"
	"reflect"
	"strings"
)

// fingerprint names the shape of a type as its codec sees it, so that two
// deploys with different types never read each other's entries.
func fingerprint(t reflect.Type, codec Codec) string {
	var b strings.Builder
	if _, ok := codec.(JSON); !ok {
		fmt.Fprintf(&b, "%T ", codec)
	}
	describe(&b, t, map[reflect.Type]bool{})
	return shortHash(b.String())
}

func describe(b *strings.Builder, t reflect.Type, seen map[reflect.Type]bool) {
	if t.Name() != "" {
		b.WriteString(t.String())
	}
	if seen[t] {
		return
	}
	seen[t] = true
	fmt.Fprintf(b, "(%s", t.Kind())
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		if t.Kind() == reflect.Array {
			fmt.Fprintf(b, " %d", t.Len())
		}
		if t.Kind() == reflect.Map {
			b.WriteByte(' ')
			describe(b, t.Key(), seen)
		}
		b.WriteByte(' ')
		describe(b, t.Elem(), seen)
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			fmt.Fprintf(b, " %s %q ", f.Name, f.Tag.Get("json"))
			describe(b, f.Type, seen)
		}
	}
	b.WriteByte(')')
}
