package zstd_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/contrib/zstd"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/upstashtest"
)

func open(t testing.TB, srv *upstashtest.Server, c strategies.Compression) *strategies.Cache[string] {
	redis, err := client.New(client.Config{URL: srv.URL, Token: srv.Token, HTTPClient: srv.HTTPClient()})
	require.NoError(t, err)
	store, err := strategies.NewStore(redis, strategies.StoreConfig{Compression: c})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close(context.Background())) })
	return strategies.New[string](store, strategies.Config{Name: "page", TTL: time.Hour})
}

func TestCompression(t *testing.T) {
	srv := upstashtest.Run(t)
	value := strings.Repeat("restash ", 10_000)
	get := func(c *strategies.Cache[string]) (st strategies.Status) {
		got, err := c.Get(t.Context(), "k", func(context.Context, string) (string, error) { return value, nil }, strategies.Report(&st))
		require.NoError(t, err)
		assert.Equal(t, value, got)
		require.NoError(t, c.Store().Flush(t.Context())) // a miss is stored behind its answer
		return st
	}
	get(open(t, srv, zstd.Compression()))
	assert.Equal(t, strategies.Hit, get(open(t, srv, zstd.Compression())).State)
	assert.Equal(t, strategies.Miss, get(open(t, srv, strategies.Compression{})).State, "a Store without it")
}

func TestCompressionIsBounded(t *testing.T) {
	c := zstd.Compression().Compressor
	bomb, err := c.Compress(nil, make([]byte, 8<<20))
	require.NoError(t, err)
	_, err = c.Decompress(nil, bomb, 1<<20)
	assert.Error(t, err)
	_, err = c.Decompress(nil, bomb, 0)
	assert.Error(t, err)
	for _, broken := range [][]byte{nil, {0}, bomb[:len(bomb)-1], []byte("\x28\xb5\x2f\xfdrubbish")} {
		got, err := c.Decompress(nil, broken, 16<<20)
		if err == nil {
			assert.Empty(t, got)
		}
	}
}

func TestCompressionManyAtOnce(t *testing.T) {
	c := zstd.Compression().Compressor
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			body := bytes.Repeat([]byte(fmt.Sprint(i, " ")), 5000)
			packed, err := c.Compress(nil, body)
			assert.NoError(t, err)
			got, err := c.Decompress([]byte("before"), packed, 1<<20)
			assert.NoError(t, err)
			assert.Equal(t, "before"+string(body), string(got))
		})
	}
	wg.Wait()
}

func FuzzDecompress(f *testing.F) {
	c := zstd.Compression().Compressor
	good, _ := c.Compress(nil, []byte("some text"))
	f.Add(good)
	f.Fuzz(func(t *testing.T, packed []byte) {
		got, err := c.Decompress(nil, packed, 1<<20)
		assert.True(t, err != nil || len(got) <= 1<<20)
	})
}

func ExampleCompression() {
	store, err := strategies.NewStore(nil, strategies.StoreConfig{Compression: zstd.Compression()})
	fmt.Println(err)
	fmt.Println(store.Close(context.Background()))
	// Output:
	// <nil>
	// <nil>
}

func BenchmarkCompression(b *testing.B) {
	c := zstd.Compression().Compressor
	for _, kib := range []int{1, 10, 100, 1024} {
		body := document(kib << 10)
		packed, err := c.Compress(nil, body)
		require.NoError(b, err)
		b.Run(fmt.Sprintf("compress/%dKiB", kib), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = c.Compress(nil, body)
			}
			b.ReportMetric(float64(len(body))/float64(len(packed)), "ratio")
		})
		b.Run(fmt.Sprintf("decompress/%dKiB", kib), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = c.Decompress(nil, packed, 64<<20)
			}
		})
	}
}

func document(size int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	words := strings.Fields("language theme dark server docker python lint format git remote snippets icon preview debug cloud query")
	var b bytes.Buffer
	for b.Len() < size {
		fmt.Fprintf(&b, `{"id":%d,"name":"%s-%s","downloads":%d,"rating":%.1f},`, r.IntN(1e6), words[r.IntN(16)], words[r.IntN(16)], r.IntN(1e8), float64(r.IntN(50))/10)
	}
	return b.Bytes()[:size]
}
