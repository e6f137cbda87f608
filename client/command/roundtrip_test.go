package command_test

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"math/big"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client/command"
)

// roundTrip stores v and reads it back as its own type.
func roundTrip[T any](t *testing.T, v T) {
	t.Helper()
	text, err := command.Text(v)
	require.NoError(t, err, "%T", v)
	got, err := command.As[T](command.Get("k")).Decode(command.Reply{Kind: command.KindBulk, Bytes: []byte(text)})
	require.NoError(t, err, "%T: %q", v, text)
	assert.Equal(t, v, got)
}

// TestWhatIsStoredIsReadBack: fault D10.
func TestWhatIsStoredIsReadBack(t *testing.T) {
	u, err := url.Parse("https://example.com/a?b=c")
	require.NoError(t, err)
	roundTrip(t, map[string]string{"a": "1"})
	roundTrip(t, map[string]int{"a": 1})
	roundTrip(t, []string{"a", "b"})
	roundTrip(t, [2]int{1, 2})
	roundTrip(t, uint64(1<<63))
	roundTrip(t, *u)
	roundTrip(t, u)
	roundTrip(t, *big.NewInt(7))
	roundTrip(t, big.NewInt(7))
	roundTrip(t, struct{}{})
	roundTrip(t, sealed{"a", 1})
	roundTrip(t, &sealed{"a", 1})
	roundTrip(t, map[string]time.Time{"a": time.Unix(1, 0).UTC()})
	roundTrip(t, time.Unix(1, 5).UTC())
	roundTrip(t, sql.NullString{String: "a", Valid: true})
	roundTrip(t, json.RawMessage(`{"a":1}`))
	roundTrip(t, "\xff\x00")
	roundTrip(t, struct{ B []byte }{[]byte("\xff\x00")})
	roundTrip(t, struct{ S string }{"a real \ufffd"})
	roundTrip(t, float32(0.1))
	roundTrip(t, math.Inf(1))
	roundTrip(t, Colour("red"))
	s := "a"
	p := &s
	roundTrip(t, p)
	roundTrip(t, &p)
	roundTrip(t, tree{Left: &tree{Name: "l"}})
}

// Colour has a kind of its own.
type Colour string

type tree struct {
	Name string
	Left *tree
}

// sealed has no visible field but writes and reads itself.
type sealed struct {
	name string
	n    byte
}

func (s sealed) MarshalBinary() ([]byte, error) { return append([]byte{s.n}, s.name...), nil }

func (s *sealed) UnmarshalBinary(b []byte) error {
	if len(b) == 0 {
		return io.ErrUnexpectedEOF
	}
	s.n, s.name = b[0], string(b[1:])
	return nil
}

type writesText struct{ N int }

func (writesText) MarshalText() ([]byte, error) { return []byte("n"), nil }

type writesBinary struct{ N int }

func (writesBinary) MarshalBinary() ([]byte, error) { return []byte("n"), nil }

// TestAWrongTextIsNoValue: bytes that another type wrote.
func TestAWrongTextIsNoValue(t *testing.T) {
	_, err := command.As[sealed](command.Get("k")).Decode(command.Reply{Kind: command.KindBulk})
	assert.ErrorIs(t, err, command.ErrReply)
}

// TestWhatCannotBeReadBackIsRefused: JSON would make {} of all of these.
func TestWhatCannotBeReadBackIsRefused(t *testing.T) {
	for _, v := range []any{
		errors.New("e"), &fs.PathError{Op: "open"}, fs.ErrNotExist, struct{ secret int }{1}, &struct{ secret int }{1},
		[]error{io.EOF}, map[string]error{"a": io.EOF}, struct{ Err error }{io.EOF}, []struct{ secret int }{{1}},
		struct {
			Hidden string `json:"-"`
		}{"a"},
		struct{ S string }{"\xff"}, map[string]string{"\xff": "a"}, []string{"\xc3"},
		writesText{1}, &writesText{1}, writesBinary{1}, struct{ S fmt.Stringer }{}, func() {}, make(chan int), complex(1, 2),
		(*int)(nil), []string(nil), map[string]string(nil), time.Second,
	} {
		_, err := command.Text(v)
		assert.Error(t, err, "%T", v)
	}
}
