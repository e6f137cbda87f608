package warm_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/upstashtest"
	"github.com/cldcde/restash/warm"
)

func userCache(store *strategies.Store) *strategies.Cache[string] {
	return strategies.New[string](store, strategies.Config{Name: "user", TTL: time.Minute})
}

func TestOneRunnerAtATime(t *testing.T) {
	srv, store := newStore(t)
	started, goOn := make(chan struct{}), make(chan struct{})
	plan := warm.Plan{Steps: []warm.Step{warm.StepFunc("slow", func(context.Context, *strategies.Store) (strategies.WarmReport, error) {
		close(started)
		<-goOn
		return strategies.WarmReport{Warmed: 1}, nil
	})}}
	done := make(chan error)
	go func() {
		_, err := plan.Run(context.Background(), store, warm.Options{})
		done <- err
	}()
	<-started
	other := warm.Plan{Steps: []warm.Step{warm.StepFunc("slow", nil)}}
	rep, err := other.Run(t.Context(), store, warm.Options{})
	assert.ErrorIs(t, err, warm.ErrBusy)
	assert.Zero(t, rep.Warmed)
	_, err = warm.Plan{Name: "another"}.Run(t.Context(), store, warm.Options{})
	assert.NoError(t, err)
	close(goOn)
	require.NoError(t, <-done)
	_, err = warm.Plan{}.Run(t.Context(), store, warm.Options{})
	assert.NoError(t, err, "the lease was given back")
	srv.FastForward(time.Hour)
}

func TestALostLeaseIsNotTakenFromAnother(t *testing.T) {
	srv, store := newStore(t)
	plan := warm.Plan{Lease: time.Minute, Steps: []warm.Step{warm.StepFunc("long", func(context.Context, *strategies.Store) (strategies.WarmReport, error) {
		srv.FastForward(2 * time.Minute)
		_, err := srv.Do("SET", "test:l:%warm:plan", "another's")
		return strategies.WarmReport{}, err
	})}}
	_, err := plan.Run(t.Context(), store, warm.Options{})
	require.NoError(t, err)
	reply, err := srv.Do("GET", "test:l:%warm:plan")
	require.NoError(t, err)
	assert.Equal(t, "another's", string(reply.Bytes))
}

func TestARunGoesOnWhereOneEnded(t *testing.T) {
	_, store := newStore(t, withoutMSETEX)
	users := userCache(store)
	var asked atomic.Int64
	load := func(ctx context.Context, keys []string) (map[string]string, error) {
		asked.Add(int64(len(keys)))
		return double(ctx, keys)
	}
	plan := warm.Plan{Steps: []warm.Step{
		warm.Keys("low", users, []string{"z"}, load).Priority(-1),
		warm.Keys("first step", users, names(10)[:3], load),
		warm.Keys("big/one", users, names(1200), load).Priority(5),
	}}
	rep, err := plan.Run(t.Context(), store, warm.Options{Commands: 701})
	assert.ErrorIs(t, err, warm.ErrBudget)
	assert.Equal(t, "big%2Fone/699", rep.Next)
	assert.Equal(t, 699, rep.Warmed)
	rep, err = plan.Run(t.Context(), store, warm.Options{From: rep.Next})
	require.NoError(t, err)
	assert.Equal(t, []any{502, 3, ""}, []any{rep.Warmed, rep.Fresh, rep.Next})
	assert.EqualValues(t, 1201, asked.Load())
	for _, from := range []string{"nothing/3", "big%2Fone/x", "big%2Fone/-1", "%zz/1", "x"} {
		_, err = plan.Run(t.Context(), store, warm.Options{From: from})
		assert.ErrorContains(t, err, "Options.From", from)
	}
}

func TestStepsAtOnce(t *testing.T) {
	_, store := newStore(t)
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	var running atomic.Int64
	meet := make(chan struct{}) // closed by the third: fewer at once would wait for ever
	step := func(name string) warm.Step {
		return warm.StepFunc(name, func(ctx context.Context, _ *strategies.Store) (strategies.WarmReport, error) {
			if running.Add(1) == 3 {
				close(meet)
			}
			select {
			case <-meet:
				return strategies.WarmReport{Warmed: 1}, nil
			case <-ctx.Done():
				return strategies.WarmReport{}, ctx.Err()
			}
		})
	}
	rep, err := warm.RunWith(t.Context(), store, warm.Options{Concurrency: 3}, step("a"), step("b"), step("c"))
	require.NoError(t, err)
	assert.Equal(t, 3, rep.Warmed)
}

func TestCommand(t *testing.T) {
	_, store := newStore(t)
	users := userCache(store)
	bad := errors.New("no database")
	load := func(ctx context.Context, keys []string) (map[string]string, error) {
		m, _ := double(ctx, keys)
		if _, there := m["bad"]; there {
			delete(m, "bad")
			return m, bad
		}
		return m, nil
	}
	run := func(keys []string, args ...string) (int, string, string) {
		var out, errs bytes.Buffer
		status := warm.Command(t.Context(), args, &out, &errs, func(context.Context) (*strategies.Store, warm.Plan, error) {
			return store, warm.Plan{Steps: []warm.Step{warm.Keys("users", users, keys, load)}}, nil
		})
		return status, out.String(), errs.String()
	}
	status, out, errs := run(names(3))
	assert.Equal(t, warm.ExitOK, status)
	assert.Regexp(t, `^namespace test: warmed 3, fresh 0, failed 0, commands 4, trips 4, \d+ bytes in \S+\n$`, out)
	assert.Contains(t, errs, "1/1 users: done, warmed 3")

	status, out, errs = run([]string{"bad", "good"}, "-json", "-quiet")
	assert.Equal(t, warm.ExitFailed, status)
	var doc map[string]any
	require.NoError(t, json.Unmarshal([]byte(out), &doc))
	assert.Equal(t, []any{1.0, 1.0, map[string]any{"users: bad": "no database"}}, []any{doc["warmed"], doc["failed"], doc["errors"]})
	assert.Equal(t, "warm: users: bad: no database\n", errs)

	status, _, errs = run(nil, "-nonsense")
	assert.Equal(t, warm.ExitUsage, status)
	assert.Contains(t, errs, "-concurrency")
	status = warm.Command(t.Context(), nil, &bytes.Buffer{}, &bytes.Buffer{}, func(context.Context) (*strategies.Store, warm.Plan, error) {
		return nil, warm.Plan{}, fmt.Errorf("no environment")
	})
	assert.Equal(t, warm.ExitFailed, status)
	empty, err := strategies.NewStore(nil, strategies.StoreConfig{})
	require.NoError(t, err)
	_, err = warm.Plan{}.Run(t.Context(), empty, warm.Options{})
	assert.ErrorContains(t, err, "the cache is off")
}

func TestAPlanOfADisabledStoreTouchesNothing(t *testing.T) {
	t.Setenv("RESTASH_DISABLE", "1")
	srv := upstashtest.Run(t)
	c, err := client.New(client.Config{URL: srv.URL, Token: srv.Token})
	require.NoError(t, err)
	store, err := strategies.NewStore(c, strategies.StoreConfig{})
	require.NoError(t, err)
	_, err = warm.Plan{}.Run(t.Context(), store, warm.Options{})
	assert.ErrorIs(t, err, warm.ErrDisabled)
	assert.Zero(t, srv.Bill().Commands)
}

// A batch that the end of ctx cut short is the beginning of the next run: not
// one of its keys has failed, and none is left out.
func TestARunThatWasCutShortGoesOnWithTheSameBatch(t *testing.T) {
	srv, store := newStore(t)
	ctx, cancel := context.WithCancel(t.Context())
	load := func(ctx context.Context, keys []string) (map[string]string, error) {
		if keys[0] == names(1200)[500] {
			cancel()
			return nil, context.Canceled
		}
		return double(ctx, keys)
	}
	plan := warm.Plan{Steps: []warm.Step{warm.Keys("users", userCache(store), names(1200), load)}}
	rep, err := plan.Run(ctx, store, warm.Options{})
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, []any{500, 0, "users/500"}, []any{rep.Warmed, rep.Failed, rep.Next})
	next := storeOn(t, srv) // in the process that was cut short the load may still be ending
	plan.Steps = []warm.Step{warm.Keys("users", userCache(next), names(1200), double)}
	rep, err = plan.Run(t.Context(), next, warm.Options{From: rep.Next})
	require.NoError(t, err)
	assert.Equal(t, []any{700, 0, ""}, []any{rep.Warmed, rep.Failed, rep.Next})
}
