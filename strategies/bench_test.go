package strategies_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/strategies"
)

func benchStore(tb testing.TB) (*strategies.Cache[item], *client.Client, []string) {
	srv := newServer(tb)
	c := newClient(tb, srv)
	store := storeOn(tb, c)
	users := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour, Tags: []string{"all"}})
	var src source
	get(tb, users, "ada", &src)
	reply, err := srv.Do("KEYS", "restash:e:*")
	if err != nil {
		tb.Fatal(err)
	}
	keys := []string{string(reply.Array[0].Bytes), "restash:g", "restash:p:item", "restash:t:all", "restash:k:item:ada", "restash:p:item:ada"}
	return users, c, keys
}

func loadNothing(context.Context, string) (item, error) { return item{}, errSource }

// A hit, beside the client's MGET of the same keys.
func BenchmarkHit(b *testing.B) {
	users, c, keys := benchStore(b)
	ctx := b.Context()
	b.Run("MGET", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.MGet(ctx, keys...); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Get", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := users.Get(ctx, "ada", loadNothing); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkGetMany(b *testing.B) {
	users, _, _ := benchStore(b)
	keys := make([]string, 100)
	for i := range keys {
		keys[i] = fmt.Sprint(i)
	}
	var src source
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := users.GetMany(ctx, keys, src.loadMany); err != nil {
			b.Fatal(err)
		}
	}
}

func TestHitAllocatesLittleAboveTheClient(t *testing.T) {
	if raced {
		t.Skip("the race detector empties pools at random, so that counts vary")
	}
	users, c, keys := benchStore(t)
	ctx := t.Context()
	bare := testing.AllocsPerRun(300, func() {
		if _, err := c.MGet(ctx, keys...); err != nil {
			t.Fatal(err)
		}
	})
	hit := testing.AllocsPerRun(300, func() {
		if _, err := users.Get(ctx, "ada", loadNothing); err != nil {
			t.Fatal(err)
		}
	})
	t.Logf("MGET %.0f, Get %.0f", bare, hit)
	assert.LessOrEqual(t, hit-bare, 20.0)
}
