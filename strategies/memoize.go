package strategies

import (
	"context"
	"reflect"
	"strings"
)

// Memoize returns fn with its results cached in c under [Key] of its argument;
// where A is an interface, the type that it holds is part of the key. An
// argument that Key panics on panics here too.
func Memoize[A, T any](c *Cache[T], fn func(ctx context.Context, arg A) (T, error), opts ...Option) func(ctx context.Context, arg A) (T, error) {
	return func(ctx context.Context, arg A) (T, error) {
		return c.Get(ctx, argKey(arg), func(ctx context.Context, _ string) (T, error) { return fn(ctx, arg) }, opts...)
	}
}

// argKey is the key of one argument. Unlike the parts of [Key], 1 and "1" are
// two arguments.
func argKey[A any](arg A) string {
	v := reflect.ValueOf(&arg).Elem()
	if v.Kind() != reflect.Interface || v.IsNil() {
		return Key(arg)
	}
	w := keyWriter{b: new(strings.Builder)}
	w.typed(v.Elem())
	return w.b.String()
}
