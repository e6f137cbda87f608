package strategies_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/breaker"
	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/invalidate"
	"github.com/cldcde/restash/strategies"
)

// shelf is a Redis of a user's own: the few commands of a Store over a map.
type shelf struct {
	mu       sync.Mutex
	values   map[string]string
	requests int
	down     error
}

func (s *shelf) Batch(_ context.Context, cmds ...command.Cmd) ([]command.Reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	if s.down != nil {
		return nil, s.down
	}
	replies := make([]command.Reply, len(cmds))
	for i, c := range cmds {
		replies[i] = s.do(c.Args())
	}
	return replies, nil
}

func (s *shelf) do(args []string) command.Reply {
	bulk := func(key string) command.Reply {
		if v, there := s.values[key]; there {
			return command.Reply{Kind: command.KindBulk, Bytes: []byte(v)}
		}
		return command.Reply{}
	}
	switch {
	case args[0] == "MGET":
		r := command.Reply{Kind: command.KindArray}
		for _, k := range args[1:] {
			r.Array = append(r.Array, bulk(k))
		}
		return r
	case args[0] == "SET" && len(args) == 7 && args[5] == "IFEQ" && s.values[args[1]] != args[6],
		args[0] == "SET" && len(args) == 6 && args[5] == "NX" && bulk(args[1]).Kind == command.KindBulk:
		return command.Reply{}
	case args[0] == "SET":
		s.values[args[1]] = args[2]
		return command.Reply{Kind: command.KindStatus, Bytes: []byte("OK")}
	}
	return command.Reply{Kind: command.KindError, Bytes: []byte("ERR unknown command '" + args[0] + "'")}
}

func shelfStore(t *testing.T) (*shelf, *strategies.Store) {
	redis := &shelf{values: map[string]string{}}
	store, err := strategies.NewStore(redis, strategies.StoreConfig{Logger: quiet, Executor: atOnce{}})
	require.NoError(t, err)
	t.Cleanup(func() { _ = store.Close(context.Background()) })
	return redis, store
}

func TestAnyRedisWillDo(t *testing.T) {
	redis, store := shelfStore(t)
	assert.Nil(t, store.Client())
	assert.True(t, store.Enabled())
	users := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Minute, Tags: []string{"all"}})
	src := &source{}
	src.value.Store(1)
	for _, want := range []strategies.State{strategies.Miss, strategies.Hit} {
		_, st := get(t, users, "ada", src)
		assert.Equal(t, want, st.State)
	}
	assert.Equal(t, 3, redis.requests, "a miss is two requests, a hit one")

	report, err := store.Invalidate(t.Context(), invalidate.Tags("all"))
	require.NoError(t, err)
	assert.Equal(t, 1, report.Commands)
	_, st := get(t, users, "ada", src)
	assert.Equal(t, strategies.ReasonInvalidated, st.Reason)

	require.NoError(t, users.WriteThrough(t.Context(), "ada", item{ID: "ada", N: 7}, func(_ context.Context, v item) (item, error) { return v, nil }))
	value, err := users.Get(t.Context(), "ada", loadNothing)
	require.NoError(t, err)
	assert.Equal(t, item{ID: "ada", N: 7}, value)

	many, err := users.GetMany(t.Context(), []string{"b", "c", "d"}, src.loadMany)
	require.NoError(t, err)
	assert.Len(t, many, 3, "without MSETEX")
	many, err = users.GetMany(t.Context(), []string{"b", "c", "d"}, loadNone)
	require.NoError(t, err)
	assert.Len(t, many, 3, "stored by plain SETs")
}

func loadNone(context.Context, []string) (map[string]item, error) { return nil, errSource }

// An error that package client did not make says nothing of itself: a request
// that failed as a whole is then an outage.
func TestAnOutageOfAnotherRedisOpensTheBreaker(t *testing.T) {
	redis, store := shelfStore(t)
	users := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Minute})
	src := &source{}
	src.value.Store(1)
	redis.down = errors.New("dial tcp: connection refused")
	for range 10 {
		get(t, users, "ada", src)
	}
	assert.Equal(t, int64(10), src.reads.Load(), "the loader answers")
	assert.Equal(t, breaker.Open, store.Stats().Breaker)
	assert.Equal(t, "dial tcp: connection refused", store.Stats().BreakerCause)
	assert.Equal(t, 5, redis.requests, "an open breaker asks nothing")
}
