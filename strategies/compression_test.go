package strategies_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/strategies"
)

// runs is a toy: text of one letter as that letter and its number in unary.
type runs struct{ err error }

func (r runs) Compress(dst, body []byte) ([]byte, error) {
	return append(dst, 'z', byte(len(body)/1000)), r.err
}

func (r runs) Decompress(dst, packed []byte, most int) ([]byte, error) {
	if len(packed) != 2 || int(packed[1])*1000 > most {
		return nil, errors.New("not mine")
	}
	return append(dst, `"`+strings.Repeat("a", int(packed[1])*1000-2)+`"`...), r.err
}

// What a Store packs another reads that has the same Compression; to all others
// it is a miss and never an error.
func TestCompression(t *testing.T) {
	srv := newServer(t)
	value := strings.Repeat("a", 9998)
	own := strategies.Compression{Name: "runs", Compressor: runs{}}
	open := func(c strategies.Compression) *strategies.Cache[string] {
		s := newStore(t, srv, func(cfg *strategies.StoreConfig) { cfg.Compression = c })
		return strategies.New[string](s, strategies.Config{Name: "page", TTL: time.Hour})
	}
	loads := 0
	read := func(c *strategies.Cache[string]) strategies.State {
		var st strategies.Status
		got, err := c.Get(t.Context(), "k", func(context.Context, string) (string, error) { loads++; return value, nil }, strategies.Report(&st))
		require.NoError(t, err)
		assert.Equal(t, value, got)
		return st.State
	}
	assert.Equal(t, strategies.Miss, read(open(own)))
	assert.Equal(t, strategies.Hit, read(open(own)))
	assert.Equal(t, strategies.Miss, read(open(strategies.Compression{})), "packed by what it does not have")
	assert.Equal(t, strategies.Hit, read(open(own)), "every Store reads gzip")
	assert.Equal(t, 2, loads)
	broken := strategies.Compression{Name: "runs", Compressor: runs{errors.New("no")}}
	require.NoError(t, open(own).Set(t.Context(), "k", value))
	assert.Equal(t, strategies.Miss, read(open(broken)), "what cannot be unpacked")
}

func TestCompressionWhatIsWrongIsRefused(t *testing.T) {
	for _, c := range []strategies.Compression{
		{Name: "x"}, {Compressor: runs{}}, {Name: "gzip", Compressor: runs{}}, {Name: "Big", Compressor: runs{}},
		{Name: "a b", Compressor: runs{}}, {Name: strings.Repeat("a", 17), Compressor: runs{}},
	} {
		_, err := strategies.NewStore(nil, strategies.StoreConfig{Compression: c})
		assert.ErrorContains(t, err, "StoreConfig.Compression", "%q", c.Name)
	}
}
