package strategies

import "context"

// Memoize returns fn with its results cached in c under [Key] of its argument.
// Different arguments must print differently through Key, as strings, numbers,
// maps, structs and times do.
func Memoize[A, T any](c *Cache[T], fn func(ctx context.Context, arg A) (T, error), opts ...Option) func(ctx context.Context, arg A) (T, error) {
	return func(ctx context.Context, arg A) (T, error) {
		return c.Get(ctx, Key(arg), func(ctx context.Context, _ string) (T, error) { return fn(ctx, arg) }, opts...)
	}
}
