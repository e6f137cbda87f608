package strategies_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/strategies"
)

type inner struct{ A int }

type innerText struct{ A int }

func (innerText) MarshalText() ([]byte, error) { return []byte("x"), nil }

func (*innerText) UnmarshalText([]byte) error { return nil }

type tree struct {
	Children []tree
	Left     *tree
}

// shapeOf returns the part of an entry's key that names the type T.
func shapeOf[T any](t *testing.T) string {
	t.Helper()
	srv := newServer(t)
	c := strategies.New[T](newStore(t, srv), strategies.Config{Name: "item", TTL: time.Minute})
	_, err := c.Get(t.Context(), "k", func(context.Context, string) (v T, err error) { return v, nil })
	require.NoError(t, err)
	return srvFingerprint(t, srv)
}

func TestTypesOfDifferentShapeHaveDifferentFingerprints(t *testing.T) {
	shapes := []string{
		shapeOf[struct {
			Old   map[string]int
			Rates map[string]float64
			New   map[string]int
		}](t),
		shapeOf[struct {
			Old   map[string]int
			Rates map[string]float64
			New   map[string]float64
		}](t),
		shapeOf[struct {
			A, B []int
			C    []string
		}](t),
		shapeOf[struct {
			A    []int
			B, C []string
		}](t),
		shapeOf[struct{ A, B *[]int }](t),
		shapeOf[struct {
			A *[]int
			B **[]int
		}](t),
		shapeOf[struct{ inner }](t),
		shapeOf[struct {
			inner inner
			N     int
		}](t),
		shapeOf[struct{ I inner }](t),
		shapeOf[struct{ I innerText }](t),
		shapeOf[struct{ A, B [2]int }](t),
		shapeOf[struct {
			A [2]int
			B [3]int
		}](t),
		shapeOf[tree](t),
		shapeOf[[]tree](t),
	}
	seen := map[string]int{}
	for i, s := range shapes {
		have, taken := seen[s]
		assert.False(t, taken, "types %d and %d share the fingerprint %s", have, i, s)
		seen[s] = i
	}
	assert.Equal(t, shapeOf[tree](t), shapeOf[tree](t))
}
