package command_test

import (
	"math/big"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/upstashtest"
)

type Address struct {
	City string `redis:"city"`
	Zip  string `redis:",omitempty"`
}

type Extra struct{ Note string }

type account struct {
	Address
	*Extra
	Name    string            `redis:"name" json:"other"`
	Age     int               `json:"age"`
	Admin   bool              `json:"admin,omitempty"`
	Score   *float64          `redis:"score"`
	Since   time.Time         `redis:"since"`
	Tags    []string          `redis:"tags"`
	Labels  map[string]string `redis:"labels"`
	Home    Address           `redis:"home"`
	Balance big.Int           `redis:"balance"`
	From    netip.Addr        `redis:"from"`
	Secret  string            `redis:"-"`
	hidden  string
}

// A struct comes back from a hash as it was, by either encoding.
func TestHSetStructRoundTrip(t *testing.T) {
	score := 1.5
	full := account{
		Address: Address{City: "Turin", Zip: "10121"}, Extra: &Extra{Note: "ä \"quoted\""}, Name: "Ada", Age: 36, Admin: true, Score: &score,
		Since: time.Date(1833, 6, 5, 12, 0, 0, 5, time.UTC), Tags: []string{"a", "b"}, Labels: map[string]string{"x": "y"},
		Home: Address{City: "London"}, Balance: *big.NewInt(1 << 60), From: netip.MustParseAddr("192.0.2.1"),
		Secret: "no", hidden: "no",
	}
	srv := upstashtest.Run(t)
	for _, encoding := range []client.Encoding{client.JSON, client.RESP2} {
		c, err := client.New(client.Config{URL: srv.URL, Token: srv.Token, Encoding: encoding})
		require.NoError(t, err)
		for key, in := range map[string]account{"full": full, "empty": {From: full.From}} {
			n, err := c.HSetStruct(t.Context(), key, &in)
			require.NoError(t, err)
			if encoding == client.JSON {
				assert.Equal(t, map[string]int64{"full": 13, "empty": 7}[key], n)
			}
			got, err := client.Do(t.Context(), c, command.As[account](command.HGetAll(key)))
			require.NoError(t, err)
			in.Secret, in.hidden = "", ""
			assert.Equal(t, in, got, key)
		}
		text, err := c.HGetAll(t.Context(), "full")
		require.NoError(t, err)
		assert.Equal(t, "Ada", text["name"])
		assert.Equal(t, "36", text["age"])
		assert.Equal(t, `{"City":"London","Zip":""}`, text["home"])
		assert.NotContains(t, text, "Secret")
	}
}

func TestHSetStructRefusesWhatIsNone(t *testing.T) {
	for _, v := range []any{nil, 5, map[string]string{"a": "b"}, (*account)(nil), struct{}{}, struct{ f int }{1}, struct{ F func() }{func() {}}} {
		assert.Error(t, command.HSetStruct("k", v).Err(), "%T", v)
	}
}

func TestAsListsAndMaps(t *testing.T) {
	srv := upstashtest.Run(t)
	c, err := client.New(client.Config{URL: srv.URL, Token: srv.Token})
	require.NoError(t, err)
	ctx := t.Context()
	require.NoError(t, c.MSet(ctx, map[string]any{"u:1": Extra{"one"}, "u:2": Extra{"two"}}))
	users, err := client.Do(ctx, c, command.As[[]*Extra](command.MGet("u:1", "u:3", "u:2")))
	require.NoError(t, err)
	assert.Equal(t, []*Extra{{"one"}, nil, {"two"}}, users)

	_, err = c.RPush(ctx, "l", 1, 2, 3)
	require.NoError(t, err)
	numbers, err := client.Do(ctx, c, command.As[[]int](command.LRange("l", 0, -1)))
	require.NoError(t, err)
	assert.Equal(t, []int{1, 2, 3}, numbers)

	_, err = c.HSet(ctx, "counts", map[string]any{"a": 1, "b": 2})
	require.NoError(t, err)
	counts, err := client.Do(ctx, c, command.As[map[string]int](command.HGetAll("counts")))
	require.NoError(t, err)
	assert.Equal(t, map[string]int{"a": 1, "b": 2}, counts)
	_, err = client.Do(ctx, c, command.As[map[string]int](command.HGetAll("u:none")))
	require.NoError(t, err, "a map of nothing is empty")
	_, err = client.Do(ctx, c, command.As[Extra](command.HGetAll("u:none")))
	assert.ErrorIs(t, err, client.ErrNil)
}

// A value that is not what was asked for is an error, never a zero value, and its
// error does not show it.
func TestAsMismatchesAreErrors(t *testing.T) {
	bulk := func(s string) command.Reply { return command.Reply{Kind: command.KindBulk, Bytes: []byte(s)} }
	pairs := command.Reply{Kind: command.KindArray, Array: []command.Reply{bulk("age"), bulk("s3cret")}}
	odd := command.Reply{Kind: command.KindArray, Array: pairs.Array[:1]}
	fails := func(_ any, err error) {
		t.Helper()
		require.ErrorIs(t, err, command.ErrReply)
		assert.NotContains(t, err.Error(), "s3cret")
	}
	get := command.HGetAll("k")
	fails(command.As[account](get).Decode(pairs))
	fails(command.As[account](get).Decode(odd))
	fails(command.As[map[string]int](get).Decode(pairs))
	fails(command.As[map[int]string](get).Decode(pairs))
	fails(command.As[time.Time](get).Decode(pairs))
	fails(command.As[struct{ hidden int }](get).Decode(pairs))
}
