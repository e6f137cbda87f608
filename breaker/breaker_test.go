package breaker_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/breaker"
)

var errDown = errors.New("connection refused")

func Example() {
	b, err := breaker.New(breaker.Config{Failures: 2, OnChange: func(c breaker.Change) {
		fmt.Println(c.From, "to", c.To, "because of", c.Cause)
	}})
	if err != nil {
		panic(err)
	}
	for range 3 {
		done, err := b.Allow()
		if err != nil {
			fmt.Println("not called:", err)
			continue
		}
		done(breaker.Failure(errors.New("connection refused")))
	}
	// Output:
	// closed to open because of connection refused
	// not called: breaker: open
}

func newBreaker(t *testing.T, cfg breaker.Config) *breaker.Breaker {
	b, err := breaker.New(cfg)
	require.NoError(t, err)
	return b
}

func call(t *testing.T, b *breaker.Breaker, o breaker.Outcome) {
	t.Helper()
	done, err := b.Allow()
	require.NoError(t, err)
	done(o)
}

func fail(t *testing.T, b *breaker.Breaker, times int) {
	t.Helper()
	for range times {
		call(t, b, breaker.Failure(errDown))
	}
}

func TestOpensAfterFiveFailuresInARow(t *testing.T) {
	b := newBreaker(t, breaker.Config{})
	fail(t, b, 4)
	call(t, b, breaker.Success())
	fail(t, b, 4)
	call(t, b, breaker.Neutral()) // says nothing: the run goes on
	assert.Equal(t, breaker.Closed, b.State())
	assert.NoError(t, b.Cause())
	fail(t, b, 1)
	assert.Equal(t, breaker.Open, b.State())
	assert.Equal(t, errDown, b.Cause())
	_, err := b.Allow()
	assert.ErrorIs(t, err, breaker.ErrOpen)
}

func TestHalfOpenAfterAMinuteLetsThreeIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Config{})
		fail(t, b, 5)
		time.Sleep(time.Minute - time.Nanosecond)
		assert.Equal(t, breaker.Open, b.State())
		time.Sleep(2 * time.Nanosecond)
		assert.Equal(t, breaker.HalfOpen, b.State())
		var trials []breaker.Done
		for range 3 {
			done, err := b.Allow()
			require.NoError(t, err)
			trials = append(trials, done)
		}
		_, err := b.Allow()
		require.ErrorIs(t, err, breaker.ErrOpen)

		trials[0](breaker.Neutral()) // its caller left: the place is free again
		again, err := b.Allow()
		require.NoError(t, err)
		trials[1](breaker.Success())
		trials[2](breaker.Success())
		assert.Equal(t, breaker.HalfOpen, b.State(), "two of three")
		again(breaker.Success())
		assert.Equal(t, breaker.Closed, b.State())
		fail(t, b, 4)
		assert.Equal(t, breaker.Closed, b.State(), "it counts from the beginning")
	})
}

func TestOneFailedTrialReopensForAFullMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Config{})
		fail(t, b, 5)
		for range 3 {
			time.Sleep(time.Minute + time.Nanosecond)
			call(t, b, breaker.Success())
			fail(t, b, 1)
			time.Sleep(time.Minute - time.Nanosecond)
			require.Equal(t, breaker.Open, b.State())
		}
		time.Sleep(2 * time.Nanosecond)
		for range 3 {
			call(t, b, breaker.Success())
		}
		assert.Equal(t, breaker.Closed, b.State())
	})
}

func TestALateOutcomeOfAnEarlierStateCountsForNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, breaker.Config{})
		late, err := b.Allow()
		require.NoError(t, err)
		fail(t, b, 5)
		time.Sleep(time.Minute + time.Nanosecond)
		require.Equal(t, breaker.HalfOpen, b.State())
		late(breaker.Failure(errDown))
		assert.Equal(t, breaker.HalfOpen, b.State())
	})
}

func TestChangesComeInOrderWithTheirCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		b := newBreaker(t, breaker.Config{OnChange: func(c breaker.Change) {
			got = append(got, fmt.Sprint(c.From, ">", c.To, " ", c.Cause))
		}})
		fail(t, b, 5)
		time.Sleep(time.Minute + time.Nanosecond)
		for range 3 {
			call(t, b, breaker.Success())
		}
		fail(t, b, 5)
		b.Reset()
		assert.Equal(t, []string{
			"closed>open connection refused", "open>half-open <nil>", "half-open>closed <nil>",
			"closed>open connection refused", "open>closed <nil>",
		}, got)
		assert.Equal(t, breaker.Closed, b.State())
	})
}

func TestOffAndNilLetEverythingThrough(t *testing.T) {
	fail(t, newBreaker(t, breaker.Config{Failures: breaker.Off}), 100)
	fail(t, nil, 100)
	var none *breaker.Breaker
	none.Reset()
	assert.Equal(t, breaker.Closed, none.State())
}

func TestConfigErrorsNameTheField(t *testing.T) {
	for field, cfg := range map[string]breaker.Config{
		"Config.Failures": {Failures: -2}, "Config.Open": {Open: -1}, "Config.Trials": {Trials: -1},
	} {
		_, err := breaker.New(cfg)
		assert.ErrorContains(t, err, field)
	}
}

func TestConcurrentUse(t *testing.T) {
	b := newBreaker(t, breaker.Config{Open: time.Microsecond, OnChange: func(breaker.Change) {}})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 500 {
				done, err := b.Allow()
				if err != nil {
					continue
				}
				done([]breaker.Outcome{breaker.Success(), breaker.Failure(errDown), breaker.Neutral()}[(i+n)%3])
			}
		})
	}
	wg.Wait()
}

func TestCallsFromBeforeAResetAreNotHeardOf(t *testing.T) {
	var changes int
	b := newBreaker(t, breaker.Config{Failures: 1, OnChange: func(breaker.Change) { changes++ }})
	late, err := b.Allow()
	require.NoError(t, err)
	b.Reset()
	late(breaker.Failure(errDown))
	assert.Equal(t, breaker.Closed, b.State())
	assert.Zero(t, changes)
}
