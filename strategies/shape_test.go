package strategies_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/strategies"
)

type (
	writesOnly struct{ n int }
	secretive  struct{ name string }
	hidden     struct {
		Name string `json:"-"`
	}
	embedded struct{ N int }
	twig     struct {
		Name string
		Kids []*twig
	}
	fine struct {
		embedded
		Name   string
		At     time.Time
		IP     netip.Addr
		Big    *big.Int
		Raw    json.RawMessage
		ByIP   map[netip.Addr][]int
		Hook   func() `json:"-"`
		Nested struct{ M map[int]*twig }
	}
)

func (writesOnly) MarshalJSON() ([]byte, error) { return []byte(`"x"`), nil }

func newOf[T any](t *testing.T) (cfg func() *strategies.Cache[T]) {
	store := newStore(t, newServer(t))
	return func() *strategies.Cache[T] {
		return strategies.New[T](store, strategies.Config{Name: "x", TTL: time.Hour})
	}
}

func refusal[T any](t *testing.T) string {
	t.Helper()
	var said any
	func() {
		defer func() { said = recover() }()
		newOf[T](t)()
	}()
	require.NotNil(t, said, "not refused")
	return fmt.Sprint(said)
}

// What JSON cannot bring back as it was is refused by New, with the way to it.
func TestATypeThatJSONCannotCarryIsRefused(t *testing.T) {
	_, _ = writesOnly{}.n, secretive{}.name
	for path, said := range map[string]string{
		"func()":                     refusal[func()](t),
		"chan int":                   refusal[chan int](t),
		"complex128":                 refusal[complex128](t),
		".Hook (func())":             refusal[struct{ Hook func() }](t),
		".Done (chan struct {})":     refusal[struct{ Done chan struct{} }](t),
		".Any (interface {})":        refusal[struct{ Any any }](t),
		".Err (error)":               refusal[struct{ Err error }](t),
		"[] (interface {})":          refusal[map[string]any](t),
		".List[] (fmt.Stringer)":     refusal[struct{ List []fmt.Stringer }](t),
		"map[interface {}]int (inte": refusal[map[any]int](t),
		"map[float64]int (float64)":  refusal[map[float64]int](t),
		".A.B[].C (chan int)": refusal[struct {
			A *struct {
				B map[string]struct{ C chan int }
			}
		}](t),
		".Mu (sync.Mutex)":           refusal[struct{ Mu sync.Mutex }](t),
		"strategies_test.secretive":  refusal[secretive](t),
		"strategies_test.hidden":     refusal[*hidden](t),
		".W (strategies_test.writes": refusal[struct{ W writesOnly }](t),
		".embedded (*strat":          refusal[struct{ *embedded }](t),
	} {
		assert.Contains(t, said, path)
		assert.Contains(t, said, `Config.Name "x"`)
	}
}

// What it can carry comes back as it was.
func TestATypeThatJSONCarriesIsTaken(t *testing.T) {
	c := newOf[fine](t)()
	want := fine{embedded: embedded{1}, Name: "<&>", At: time.Unix(1, 0).UTC(), IP: netip.MustParseAddr("::1"), Big: big.NewInt(7), Raw: json.RawMessage(`{"a":1}`),
		ByIP: map[netip.Addr][]int{netip.MustParseAddr("10.0.0.1"): {1}}}
	want.Nested.M = map[int]*twig{1: {Name: "root", Kids: []*twig{{Name: "kid"}}}}
	for _, state := range []strategies.State{strategies.Miss, strategies.Hit} {
		var st strategies.Status
		got, err := c.Get(t.Context(), "k", func(context.Context, string) (fine, error) { return want, nil }, strategies.Report(&st))
		require.NoError(t, err)
		assert.Equal(t, state, st.State)
		assert.Equal(t, want, got)
	}
	newOf[struct{}](t)()
	newOf[[]byte](t)()
	newOf[map[string][]int64](t)()
}

// Fields that JSON leaves out are named once.
func TestFieldsThatHitsLackAreSaid(t *testing.T) {
	store, log := logged(t)
	type user struct {
		Name, Password string
		Hash           string `json:"-"`
		mu             sync.Mutex
	}
	_ = (&user{}).mu.TryLock()
	for range 2 {
		strategies.New[*user](store, strategies.Config{Name: "user", TTL: time.Hour})
	}
	assert.Contains(t, log.String(), "user.Hash, *strategies_test.user.mu")
}

type marks struct{ n int }

func (m *marks) MarshalJSON() ([]byte, error) { return fmt.Appendf(nil, `"n%d"`, m.n), nil }

func (m *marks) UnmarshalJSON(b []byte) error {
	_, err := fmt.Sscanf(string(b), `"n%d"`, &m.n)
	return err
}

type text struct{ n int }

func (m text) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "n%d", m.n), nil }

func (m *text) UnmarshalText(b []byte) error {
	_, err := fmt.Sscanf(string(b), "n%d", &m.n)
	return err
}

func roundTrips[T any](t *testing.T, value T) {
	t.Helper()
	c := newOf[T](t)()
	for _, state := range []strategies.State{strategies.Miss, strategies.Hit} {
		var st strategies.Status
		got, err := c.Get(t.Context(), "k", func(context.Context, string) (T, error) { return value, nil }, strategies.Report(&st))
		require.NoError(t, err)
		assert.Equal(t, state, st.State)
		assert.Equal(t, value, got)
	}
}

// Pointers to pointers, of which the faster encoder takes the address.
func TestPointersToPointers(t *testing.T) {
	m, x, i := &marks{3}, &text{4}, new(int)
	mm := &m
	roundTrips(t, struct{ N **marks }{&m})
	roundTrips(t, struct{ N **text }{&x})
	roundTrips(t, struct{ N **int }{&i})
	roundTrips(t, []**marks{&m})
	roundTrips(t, map[string]***marks{"a": &mm})
	roundTrips(t, &x)
}

// web refers back and forth, as the types of a payment API do.
type web struct {
	A *webA `json:",omitempty"`
	B *webB `json:",omitempty"`
	C *webC `json:",omitempty"`
	D *webD `json:",omitempty"`
}

type (
	webA struct {
		S1, S2, S3, S4 string
		B              *webB
		C              *webC
		D              *webD
		E              *webE
		F              *webF
	}
	webB struct {
		S1, S2, S3, S4 string
		A              *webA
		C              *webC
		D              *webD
		E              *webE
		F              *webF
	}
	webC struct {
		S1, S2, S3, S4 string
		A              *webA
		B              *webB
		D              *webD
		E              *webE
		F              *webF
	}
	webD struct {
		S1, S2, S3, S4 string
		A              *webA
		B              *webB
		C              *webC
		E              *webE
		F              *webF
	}
	webE struct {
		S1, S2, S3, S4 string
		A              *webA
		B              *webB
		C              *webC
		D              *webD
		F              *webF
	}
	webF struct {
		S1, S2, S3, S4 string
		A              *webA
		B              *webB
		C              *webC
		D              *webD
		E              *webE
	}
)

// The first value of a type with many references back costs what it is worth.
func TestATypeWithManyReferencesBackIsCheap(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	roundTrips(t, web{A: &webA{S1: "a", B: &webB{S2: "b"}}})
	runtime.ReadMemStats(&after)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(2<<20), "the faster encoder takes 3.5 MB for this one")
}
