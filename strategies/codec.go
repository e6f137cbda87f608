package strategies

import (
	"errors"

	"github.com/cldcde/restash/internal/entry"
	"github.com/cldcde/restash/internal/json"
)

// Codec turns values into bytes and back. It must be safe for concurrent use.
type Codec interface {
	// Encode appends v to dst. Any bytes are allowed.
	Encode(dst []byte, v any) ([]byte, error)
	// Decode reads data into the pointer v. It must copy what it keeps.
	Decode(data []byte, v any) error
}

// JSON is the default [Codec].
type JSON struct{}

// Encode appends v as JSON, without HTML escaping.
func (JSON) Encode(dst []byte, v any) ([]byte, error) { return json.Append(dst, v) }

// Decode reads JSON into v.
func (JSON) Decode(data []byte, v any) error { return json.Unmarshal(data, v) }

// plainJSON is [JSON] by encoding/json, for types that the faster encoder gets
// wrong or compiles at a price. The bytes are the same.
type plainJSON struct{}

func (plainJSON) Encode(dst []byte, v any) ([]byte, error) { return json.AppendPlain(dst, v) }

func (plainJSON) Decode(data []byte, v any) error { return json.UnmarshalPlain(data, v) }

// Compressor packs the bodies of entries and unpacks them. It is called from
// many goroutines.
type Compressor interface {
	// Compress appends the packed form of body to dst.
	Compress(dst, body []byte) ([]byte, error)
	// Decompress appends what packed unpacks to, and fails if that is more
	// than most bytes: it must not first make room for what a stranger claims.
	Decompress(dst, packed []byte, most int) ([]byte, error)
}

// Compression is a Compressor and the name by which entries say that they need
// it: at most 16 lower-case letters and digits. To a Store that does not have it
// such an entry is a miss. The zero value is gzip, which every Store reads.
type Compression struct {
	Name       string
	Compressor Compressor
}

func (c Compression) isZero() bool { return c.Name == "" && c.Compressor == nil }

func (c Compression) check() error {
	switch {
	case c.isZero():
		return nil
	case c.Compressor == nil:
		return errors.New("strategies: StoreConfig.Compression.Compressor is nil")
	case !c.entry().Valid() || c.Name == entry.Gzip.Name:
		return errors.New("strategies: StoreConfig.Compression.Name is " + c.Name + ", want at most 16 lower-case letters and digits, and not gzip")
	}
	return nil
}

// entry is the same for the package that writes entries.
func (c Compression) entry() entry.Compression {
	if c.isZero() {
		return entry.Gzip
	}
	return entry.Compression{Name: c.Name, Compressor: c.Compressor}
}

// codecOf is a Codec for the engine, to which a value is a *T.
type codecOf[T any] struct{ Codec }

func (c codecOf[T]) Encode(value any) ([]byte, error) { return c.Codec.Encode(nil, *value.(*T)) }

func (c codecOf[T]) Decode(body []byte) (any, error) {
	value := new(T)
	if err := c.Codec.Decode(body, value); err != nil {
		return nil, err
	}
	return value, nil
}

// equalOf is T's own method Equal, nil if it has none.
func equalOf[T any]() func(a, b any) bool {
	if _, ok := any(*new(T)).(interface{ Equal(T) bool }); ok {
		return func(a, b any) bool { return any(*a.(*T)).(interface{ Equal(T) bool }).Equal(*b.(*T)) }
	}
	return nil
}
