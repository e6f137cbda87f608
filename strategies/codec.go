package strategies

import "github.com/cldcde/restash/internal/json"

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
