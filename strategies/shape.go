package strategies

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// shape is what New finds out about the type of a class's values, for JSON.
type shape struct {
	// refused says which part of the type JSON cannot carry, and why.
	refused string
	// hidden are fields that JSON leaves out: an answer from the cache lacks them.
	hidden []string
	// plain says that encoding/json must be used.
	plain bool
}

// maxShape is how many parts of a type the faster encoder may compile: it
// repeats a type for each way that leads to it, and keeps all of that.
const maxShape = 2000

// shapeOf walks a type once.
func shapeOf(t reflect.Type) shape {
	w := walker{seen: map[reflect.Type]bool{}}
	w.walk(t, t.String())
	w.plain = w.plain || expands(t, nil, new(int)) > maxShape
	return w.shape
}

type walker struct {
	shape
	seen map[reflect.Type]bool
}

func (w *walker) refuse(path string, t reflect.Type, why string) {
	if w.refused == "" {
		w.refused = fmt.Sprintf("%s (%s) %s", path, t, why)
	}
}

func (w *walker) walk(t reflect.Type, path string) {
	if w.seen[t] || w.refused != "" {
		return
	}
	w.seen[t] = true
	if t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Pointer {
		w.plain = true // the faster encoder takes such a value's address for it
	}
	if t.Kind() != reflect.Interface && w.writesItself(t, path) {
		return
	}
	switch t.Kind() {
	case reflect.Func, reflect.Chan, reflect.UnsafePointer, reflect.Complex64, reflect.Complex128:
		w.refuse(path, t, "has no JSON form")
	case reflect.Interface:
		w.refuse(path, t, "is an interface: what it holds comes back as another type")
	case reflect.Map:
		w.key(t.Key(), path)
		w.walk(t.Elem(), path+"[]")
	case reflect.Pointer:
		w.walk(t.Elem(), path)
	case reflect.Slice, reflect.Array:
		w.walk(t.Elem(), path+"[]")
	case reflect.Struct:
		w.fields(t, path)
	}
}

// writesItself reports whether the type has a JSON form of its own.
func (w *walker) writesItself(t reflect.Type, path string) bool {
	p := reflect.PointerTo(t)
	writesJSON, readsJSON := p.Implements(ownForms[0]), p.Implements(ownForms[1])
	writesText, readsText := p.Implements(ownForms[2]), p.Implements(ownForms[3])
	switch {
	case !writesJSON && !writesText:
		return false
	case !readsJSON && !(readsText && !writesJSON):
		if writesJSON || t.Kind() != reflect.String {
			w.refuse(path, t, "writes itself as JSON and does not read itself back")
		}
	}
	return true
}

// key checks the type of a map's keys.
func (w *walker) key(t reflect.Type, path string) {
	text := reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) && t.Implements(reflect.TypeFor[encoding.TextMarshaler]())
	number := t.Kind() >= reflect.Int && t.Kind() <= reflect.Uintptr
	if !text && !number && t.Kind() != reflect.String {
		w.refuse(path, t, "cannot be the key of a JSON object")
	}
}

func (w *walker) fields(t reflect.Type, path string) {
	visible := 0
	for i := range t.NumField() {
		f := t.Field(i)
		at := path + "." + f.Name
		switch {
		case f.Name == "_":
		case !inJSON(f):
			w.hidden = append(w.hidden, at)
		case f.Anonymous && !f.IsExported() && f.Type.Kind() == reflect.Pointer:
			w.refuse(at, f.Type, "is an embedded pointer to an unexported type: JSON cannot set it")
		default:
			visible++
			w.walk(f.Type, at)
		}
	}
	if visible == 0 && t.NumField() > 0 {
		w.refuse(path, t, "has no field that JSON shows")
	}
}

// inJSON reports whether JSON shows the field, or those of the struct in it.
func inJSON(f reflect.StructField) bool {
	if f.Tag.Get("json") == "-" {
		return false
	}
	if f.IsExported() {
		return true
	}
	t := f.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return f.Anonymous && t.Kind() == reflect.Struct
}

// expands counts the parts of a type along every way that does not come back to
// itself, up to the bound.
func expands(t reflect.Type, above []reflect.Type, n *int) int {
	if *n++; *n > maxShape || slices.Contains(above, t) {
		return *n
	}
	switch t.Kind() {
	case reflect.Map, reflect.Pointer, reflect.Slice, reflect.Array:
		expands(t.Elem(), above, n)
	case reflect.Struct:
		above = append(above[:len(above):len(above)], t)
		for i := range t.NumField() {
			if f := t.Field(i); inJSON(f) {
				expands(f.Type, above, n)
			}
		}
	}
	return *n
}

// err says why values of the type cannot be cached as JSON.
func (s shape) err(name string) error {
	if s.refused == "" {
		return nil
	}
	return fmt.Errorf("strategies: Config.Name %q: %s: give the field json:\"-\" or another type, or set Advanced.Codec", name, s.refused)
}

// warning names what answers from the cache will lack.
func (s shape) warning() string { return strings.Join(s.hidden, ", ") }

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
