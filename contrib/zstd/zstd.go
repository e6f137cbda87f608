package zstd

import (
	"errors"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/cldcde/restash/strategies"
)

// Compression is a value for StoreConfig.Compression. Entries that bear its
// name, "zstd", are misses to Stores without it. It may be used by any number
// of Stores and goroutines.
func Compression() strategies.Compression {
	return strategies.Compression{Name: "zstd", Compressor: compressor{}}
}

type compressor struct{}

// The encoder holds its tables, so it is made once. One worker: a function has
// one processor or less, and many requests.
var encoder = sync.OnceValue(func() *zstd.Encoder {
	e, _ := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true)) // fails for wrong options only
	return e
})

func (compressor) Compress(dst, body []byte) ([]byte, error) {
	return encoder().EncodeAll(body, dst), nil
}

// decoders are kept for one bound each; a Store has one.
var decoders sync.Map // int → func() *zstd.Decoder

func decoder(most int) *zstd.Decoder {
	make := sync.OnceValue(func() *zstd.Decoder {
		d, _ := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(uint64(most)))
		return d
	})
	made, _ := decoders.LoadOrStore(most, make)
	return made.(func() *zstd.Decoder)()
}

var errBound = errors.New("zstd: no bound for what it unpacks to")

func (compressor) Decompress(dst, packed []byte, most int) ([]byte, error) {
	if most <= 0 {
		return nil, errBound
	}
	return decoder(most).DecodeAll(packed, dst)
}
