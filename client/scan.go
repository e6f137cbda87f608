package client

import (
	"context"
	"iter"

	"github.com/cldcde/restash/client/command"
)

// ScanAll walks the keys of the database, page by page, each page being one
// request. A key that is there from the beginning to the end comes at least
// once, and may come twice. The walk ends with the first error, which comes
// with an empty key, when the loop is left, or when ctx ends.
func (c *Client) ScanAll(ctx context.Context, opts ...command.KeyScanOption) iter.Seq2[string, error] {
	return pages(ctx, c, func(cursor string) command.Command[command.Page[string]] {
		return command.Scan(cursor, opts...)
	})
}

// HScanAll walks the fields of the hash at key, see [Client.ScanAll].
func (c *Client) HScanAll(ctx context.Context, key string, opts ...command.ScanOption) iter.Seq2[command.Pair, error] {
	return pages(ctx, c, func(cursor string) command.Command[command.Page[command.Pair]] {
		return command.HScan(key, cursor, opts...)
	})
}

// SScanAll walks the members of the set at key, see [Client.ScanAll].
func (c *Client) SScanAll(ctx context.Context, key string, opts ...command.ScanOption) iter.Seq2[string, error] {
	return pages(ctx, c, func(cursor string) command.Command[command.Page[string]] {
		return command.SScan(key, cursor, opts...)
	})
}

// ZScanAll walks the members of the sorted set at key with their scores, see
// [Client.ScanAll].
func (c *Client) ZScanAll(ctx context.Context, key string, opts ...command.ScanOption) iter.Seq2[command.Z, error] {
	return pages(ctx, c, func(cursor string) command.Command[command.Page[command.Z]] {
		return command.ZScan(key, cursor, opts...)
	})
}

// pages runs the command that makes gives for each cursor in turn. A cursor
// is opaque text: it may be larger than any integer of Go.
func pages[T any](ctx context.Context, c *Client, make func(cursor string) command.Command[command.Page[T]]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		for cursor := "0"; ; {
			page, err := Do(ctx, c, make(cursor))
			if err != nil {
				yield(zero, err)
				return
			}
			for _, item := range page.Items {
				if !yield(item, nil) {
					return
				}
			}
			if page.Last() {
				return
			}
			cursor = page.Cursor
		}
	}
}

// Decode reads the value of a command as a T, in reverse of how values are
// stored, see [command.As]. It takes the error along:
//
//	user, err := client.Decode[User](c.Get(ctx, "user:1"))
func Decode[T any](value string, err error) (T, error) {
	if err != nil {
		var zero T
		return zero, err
	}
	return command.As[T](command.Command[string]{}).Decode(
		command.Reply{Kind: command.KindBulk, Bytes: []byte(value)})
}
