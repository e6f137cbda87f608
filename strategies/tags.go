package strategies

import (
	"fmt"
	"reflect"
	"slices"
)

// ValueTags computes the tags of a value; [TagsOf] makes one. The zero value
// computes none.
type ValueTags struct {
	of   reflect.Type
	tags func(value any) []string
}

// TagsOf makes a handle on Ts compute tags from its values, for Advanced.TagsOf:
// the team that a user belongs to is known when the user is. To reads such tags
// are like those of [Load.AddTags], which says what they cost. tags is called with
// every value that is loaded or written, from many goroutines; empty names are
// left out. Where tags panics the value is answered, or saved, and not stored.
func TagsOf[T any](tags func(value T) []string) ValueTags {
	return ValueTags{of: reflect.TypeFor[T](), tags: func(value any) []string {
		return slices.DeleteFunc(slices.Clone(tags(*value.(*T))), func(name string) bool { return name == "" })
	}}
}

func (t ValueTags) check(of reflect.Type) error {
	if t.of != nil && t.of != of {
		return fmt.Errorf("strategies: Config.Advanced.TagsOf is for %s, want %s", t.of, of)
	}
	return nil
}
