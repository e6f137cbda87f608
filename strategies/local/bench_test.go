package local_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"testing"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/strategies/local"
)

// BenchmarkGet compares a read of the cache with one of the library below it, of
// keys nine tenths of which are there.
func BenchmarkGet(b *testing.B) {
	keys := make([]strategies.LocalKey, local.DefaultEntries*10/9)
	for i := range keys {
		keys[i] = strategies.LocalKey{Handle: "user", Version: "abcdef0123", Key: "user:" + strconv.Itoa(i)}
	}
	library, err := lru.New[strategies.LocalKey, strategies.LocalValue](local.DefaultEntries)
	require.NoError(b, err)
	ours, err := local.New(local.Config{MaxAge: time.Hour})
	require.NoError(b, err)
	for i, k := range keys[:local.DefaultEntries] {
		v := strategies.LocalValue{Value: &i, Tokens: []string{"restash:g", "restash:p:user", "restash:k:" + k.Key}}
		library.Add(k, v)
		ours.Put(k, v, ours.Stamp())
	}
	for _, goroutines := range []int{1, 8} {
		for name, get := range map[string]func(strategies.LocalKey) (strategies.LocalValue, bool){"golang-lru": library.Get, "restash": ours.Get} {
			b.Run(fmt.Sprintf("%d/%s", goroutines, name), func(b *testing.B) {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(min(goroutines, runtime.NumCPU())))
				b.SetParallelism(max(goroutines/runtime.GOMAXPROCS(0), 1))
				b.ReportAllocs()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						get(keys[rand.IntN(len(keys))])
					}
				})
			})
		}
	}
}
