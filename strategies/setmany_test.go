package strategies_test

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/invalidate"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/upstashtest"
)

// An older Redis is noticed once: the values are stored all the same, and the
// next batch asks for SETs at once.
func TestBatchesWithoutMSETEX(t *testing.T) {
	srv := upstashtest.Run(t, func(c *upstashtest.Config) { c.Without = []string{"MSETEX"} })
	c := strategies.New[item](newStore(t, srv), strategies.Config{Name: "item", TTL: time.Minute})
	var src source
	keys := func(from, to int) (list []string) {
		for i := from; i < to; i++ {
			list = append(list, fmt.Sprint("k", i))
		}
		return list
	}
	check := srv.ExpectBill(t, 1+10, 3) // what it does not know is not billed
	r, err := c.Warm(t.Context(), keys(0, 10), src.loadMany)
	require.NoError(t, err)
	check()
	assert.Equal(t, []int{10, 0, 11, 3}, []int{r.Warmed, r.Failed, r.Commands, r.Trips})
	check = srv.ExpectBill(t, 1+10, 2)
	_, err = c.Warm(t.Context(), keys(10, 20), src.loadMany)
	require.NoError(t, err)
	check()
	check = srv.ExpectBill(t, 1, 1)
	got, err := c.GetMany(t.Context(), keys(0, 20), src.loadMany)
	require.NoError(t, err)
	check()
	assert.Len(t, got, 20)
}

// Pending tokens that go ahead of a read are asked for by MSETEX, too: a Redis
// that does not know it gets them one by one, and all of them in the end.
func TestPendingTokensWithoutMSETEX(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t, func(c *upstashtest.Config) { c.Without = []string{"MSETEX"} })
		store := newStore(t, srv)
		c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour})
		var src source
		get(t, c, "k", &src)
		heal := srv.Intercept(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { w.WriteHeader(http.StatusBadGateway) })
		_, err := store.Invalidate(t.Context(), invalidate.Tags(tagNames(20)...))
		require.ErrorIs(t, err, strategies.ErrPending)
		heal()
		for _, left := range []int64{20, 19, 0} { // refused; one of them, as a SET; the others
			time.Sleep(time.Second)
			get(t, c, "k", &src)
			assert.Equal(t, left, store.Stats().Pending)
		}
		assert.EqualValues(t, 1, src.reads.Load())
		check := srv.ExpectBill(t, 3, 1)
		_, err = store.Invalidate(t.Context(), invalidate.Tags(tagNames(3)...))
		require.NoError(t, err)
		check()
	})
}
