package strategies_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/strategies"
)

func TestACallersLeavingDoesNotStopAnInvalidation(t *testing.T) {
	srv := newServer(t)
	c := strategies.New[item](newStore(t, srv), strategies.Config{Name: "item", TTL: time.Hour})
	var src source
	get(t, c, "k", &src)
	ctx, cancel := context.WithCancel(t.Context())
	err := c.WriteThrough(ctx, "k", item{N: 1}, func(_ context.Context, v item) (item, error) { cancel(); return v, nil })
	require.NoError(t, err)
	v, _ := get(t, c, "k", &src)
	assert.Equal(t, 1, v.N)
}

func TestWhoLeavesDuringAChangeHasInvalidated(t *testing.T) {
	boom := errors.New("may have been committed")
	for name, change := range map[string]func(ctx context.Context, leave func(), c *strategies.Cache[item]) error{
		"delete": func(ctx context.Context, leave func(), c *strategies.Cache[item]) error {
			return c.Delete(ctx, "k", func(context.Context) error { leave(); return nil })
		},
		"failing save": func(ctx context.Context, leave func(), c *strategies.Cache[item]) error {
			err := c.WriteThrough(ctx, "k", item{N: 1}, func(_ context.Context, v item) (item, error) { leave(); return v, boom })
			if errors.Is(err, boom) {
				return nil
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			srv := newServer(t)
			cfg := strategies.Config{Name: "item", TTL: time.Hour}
			c := strategies.New[item](newStore(t, srv), cfg)
			other := strategies.New[item](newStore(t, srv), cfg)
			var src source
			get(t, c, "k", &src)
			ctx, leave := context.WithCancel(t.Context())
			require.NoError(t, change(ctx, leave, c))
			_, st := get(t, other, "k", &src)
			assert.Equal(t, strategies.Miss, st.State, "other processes see it")
		})
	}
}
