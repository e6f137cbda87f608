package strategies_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/strategies"
)

// An entry is read as it stands in Redis: no base64, no escapes; packed or not,
// alone, in a batch, or behind what a request has to tell first.
func TestAHitIsReadAsItIsStored(t *testing.T) {
	for _, size := range []int{10 << 10, 100 << 10, 400 << 10} {
		for _, from := range []int{0, -1} {
			t.Run(fmt.Sprintf("%d KiB, compressed from %d", size>>10, from), func(t *testing.T) {
				srv := newServer(t)
				var wire atomic.Int64
				store := storeOver(t, srv, func(r *http.Request) (*http.Response, error) {
					resp, err := srv.HTTPClient().Transport.RoundTrip(r)
					if err == nil {
						resp.Body = &counted{resp.Body, &wire}
					}
					return resp, err
				})
				c := strategies.New[[]item](store, strategies.Config{Name: "list", TTL: time.Hour, Tags: []string{"all"}, Advanced: strategies.Advanced{CompressFrom: from}})
				list := quoted(size)
				load := func(context.Context, string) ([]item, error) { return list, nil }
				_, err := c.Get(t.Context(), "k", load)
				require.NoError(t, err)
				keys, err := srv.Do("KEYS", "restash:e:*")
				require.NoError(t, err)
				stored, err := srv.Do("STRLEN", string(keys.Array[0].Bytes))
				require.NoError(t, err)
				for name, read := range map[string]func() error{
					"Get": func() error { _, err := c.Get(t.Context(), "k", load); return err },
					"GetMany": func() error {
						_, err := c.GetMany(t.Context(), []string{"k"}, func(context.Context, []string) (map[string][]item, error) { return nil, errSource })
						return err
					},
				} {
					wire.Store(0)
					require.NoError(t, read())
					assert.LessOrEqual(t, float64(wire.Load())-100, 1.02*float64(stored.Int), name) // five tokens, absent
					assert.GreaterOrEqual(t, wire.Load(), stored.Int, name)
				}
			})
		}
	}
}

type counted struct {
	io.ReadCloser
	n *atomic.Int64
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.ReadCloser.Read(b)
	c.n.Add(int64(n))
	return n, err
}

// quoted is a list whose JSON is full of what JSON would escape.
func quoted(size int) []item {
	return []item{{ID: strings.Repeat(`say "hello" \ `, size/14)}}
}
