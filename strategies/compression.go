package strategies

import (
	"errors"

	"github.com/cldcde/restash/internal/entry"
)

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
