package strategies_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/cldcde/restash/strategies"
)

// Under steady load there is always work behind some answer. Who flushes waits
// for what there was, else an instance would never get on.
func TestFlushDoesNotWaitForLaterWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := strategies.Pool(8)
		work := func() { time.Sleep(100 * time.Millisecond) }
		end := time.Now().Add(time.Minute)
		go func() {
			for time.Now().Before(end) {
				assert.True(t, pool.Submit(work))
				time.Sleep(60 * time.Millisecond)
			}
		}()
		time.Sleep(time.Second)
		began := time.Now()
		assert.NoError(t, pool.Flush(t.Context()))
		took := time.Since(began)
		assert.Positive(t, took, "it waits for what was under way")
		assert.LessOrEqual(t, took, 100*time.Millisecond, "and for nothing else")

		short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		assert.ErrorIs(t, pool.Flush(short), context.DeadlineExceeded)
		time.Sleep(time.Until(end) + time.Second)
	})
}
