package warm_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/upstashtest"
	"github.com/cldcde/restash/warm"
)

const leaseKey = "test:l:%warm:plan"

// during is a plan of one step, with a lease of a minute.
func during(step func(ctx context.Context) error) warm.Plan {
	return warm.Plan{Steps: []warm.Step{warm.StepFunc("long", func(ctx context.Context, _ *strategies.Store) (strategies.WarmReport, error) {
		return strategies.WarmReport{}, step(ctx)
	})}}
}

func held(t *testing.T, srv *upstashtest.Server) bool {
	t.Helper()
	reply, err := srv.Do("EXISTS", leaseKey)
	require.NoError(t, err)
	return reply.Int == 1
}

// A runner keeps its lease for as long as it lives, however long that is.
func TestLeaseIsRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, store := newStore(t)
		before := srv.Bill()
		report, err := during(func(context.Context) error {
			for range 20 {
				time.Sleep(time.Minute)
				assert.True(t, held(t, srv))
				_, err := warm.Plan{}.Run(t.Context(), store, warm.Options{})
				busy, ok := errors.AsType[*warm.BusyError](err)
				require.True(t, ok, "%v", err)
				assert.Contains(t, busy.Holder, "process")
				assert.LessOrEqual(t, busy.Left, time.Minute)
				assert.Greater(t, busy.Left, 35*time.Second)
				assert.ErrorContains(t, err, "since 2000-01-01T00:00:00Z; if that has died")
			}
			time.Sleep(time.Second) // a renewal at the very end may come or not
			return nil
		}).Run(t.Context(), store, warm.Options{})
		require.NoError(t, err)
		assert.False(t, held(t, srv), "it was given back")
		bill := srv.Bill().Sub(before)
		const othersCommands, othersTrips = 20 * 3, 20 * 2 // those that were refused
		assert.EqualValues(t, bill.Commands-othersCommands, report.Commands, "it counts its own")
		assert.EqualValues(t, bill.Trips-othersTrips, report.Trips)
	})
}

// One that died keeps others out for the rest of its lease only. Dying is a
// Redis that it cannot reach any more: the process itself still runs here.
func TestLeaseOfADeadRunnerEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, store := newStore(t)
		_, err := srv.Do("SET", leaseKey, "token 946684800000 host, process 7", "PX", "60000")
		require.NoError(t, err)
		time.Sleep(59 * time.Second)
		_, err = warm.Plan{}.Run(t.Context(), store, warm.Options{})
		assert.EqualError(t, err, "warm: the plan is running elsewhere: by host, process 7 since 2000-01-01T00:00:00Z; if that has died, it may be run again in 1s")
		assert.ErrorIs(t, err, warm.ErrBusy)
		time.Sleep(time.Second)
		_, err = warm.Plan{}.Run(t.Context(), store, warm.Options{})
		assert.NoError(t, err)
	})
}

func TestLeaseIsTakenOverByForce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, store := newStore(t)
		first := make(chan error, 1)
		go func() {
			_, err := during(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }).Run(t.Context(), store, warm.Options{})
			first <- err
		}()
		synctest.Wait()
		_, err := during(func(context.Context) error {
			began := time.Now()
			assert.ErrorIs(t, <-first, warm.ErrTaken)
			assert.LessOrEqual(t, time.Since(began), 20*time.Second)
			assert.True(t, held(t, srv), "the first one does not give back what is another's")
			return nil
		}).Run(t.Context(), store, warm.Options{Force: true})
		assert.NoError(t, err)
		assert.False(t, held(t, srv))
	})
}

// Trouble with Redis ends no warm-up: the lease is taken again afterwards.
func TestLeaseSurvivesAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, store := newStore(t)
		_, err := during(func(ctx context.Context) error {
			_, err := srv.Do("DEL", leaseKey)
			require.NoError(t, err)
			time.Sleep(30 * time.Second)
			assert.True(t, held(t, srv))
			return ctx.Err()
		}).Run(t.Context(), store, warm.Options{})
		assert.NoError(t, err)
	})
}

func TestLeaseIsGivenBackWhateverAStepDoes(t *testing.T) {
	srv, store := newStore(t)
	for name, end := range map[string]func(){"panic": func() { panic("on purpose") }, "Goexit": runtime.Goexit} {
		plan := during(func(context.Context) error { end(); return nil })
		users := strategies.New[string](store, strategies.Config{Name: name, TTL: time.Minute})
		plan.Steps = append(plan.Steps, warm.Keys("next", users, names(3), double))
		report, err := plan.Run(t.Context(), store, warm.Options{})
		_, ok := errors.AsType[*strategies.PanicError](err)
		assert.True(t, ok, "%s: %v", name, err)
		assert.Equal(t, 3, report.Warmed, "the next step runs")
		assert.False(t, held(t, srv), name)
	}
}
