package strategies

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// fingerprint names the shape of a type as its codec sees it, so that two
// deploys with different types never read each other's entries.
func fingerprint(t reflect.Type, codec Codec) string {
	d := describer{seen: map[reflect.Type]int{}}
	if _, ok := codec.(JSON); !ok {
		d.allTags = true
		fmt.Fprintf(&d.b, "%T ", codec)
	}
	d.describe(t)
	return shortHash(d.b.String())
}

// describer writes a type once in full; after that a named type, and only such
// a one can come back to itself, is known by its number.
type describer struct {
	b       strings.Builder
	seen    map[reflect.Type]int
	allTags bool // another codec may look at any tag
}

// ownForms are the ways in which a type's values write themselves.
var ownForms = []reflect.Type{
	reflect.TypeFor[json.Marshaler](), reflect.TypeFor[json.Unmarshaler](),
	reflect.TypeFor[encoding.TextMarshaler](), reflect.TypeFor[encoding.TextUnmarshaler](),
	reflect.TypeFor[encoding.BinaryMarshaler](), reflect.TypeFor[encoding.BinaryUnmarshaler](),
}

func (d *describer) describe(t reflect.Type) {
	if t.Name() != "" {
		if n, ok := d.seen[t]; ok {
			fmt.Fprintf(&d.b, "#%d", n)
			return
		}
		d.seen[t] = len(d.seen)
		d.b.WriteString(t.String())
	}
	fmt.Fprintf(&d.b, "(%s", t.Kind())
	for i, form := range ownForms {
		if t.Implements(form) || reflect.PointerTo(t).Implements(form) {
			fmt.Fprintf(&d.b, " *%d", i)
		}
	}
	switch t.Kind() {
	case reflect.Array:
		fmt.Fprintf(&d.b, " %d ", t.Len())
		d.describe(t.Elem())
	case reflect.Map:
		d.b.WriteByte(' ')
		d.describe(t.Key())
		d.b.WriteByte(' ')
		d.describe(t.Elem())
	case reflect.Pointer, reflect.Slice:
		d.b.WriteByte(' ')
		d.describe(t.Elem())
	case reflect.Struct:
		d.fields(t)
	}
	d.b.WriteByte(')')
}

func (d *describer) fields(t reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		tag := f.Tag.Get("json")
		if d.allTags {
			tag = string(f.Tag)
		}
		fmt.Fprintf(&d.b, " %s %t %q ", f.Name, f.Anonymous, tag)
		d.describe(f.Type)
	}
}
