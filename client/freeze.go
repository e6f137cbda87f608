package client

import (
	"context"
	"time"
)

const (
	// frozenAfter is how much further than the monotonic clock the wall clock
	// must have moved for the process to count as frozen.
	frozenAfter = 5 * time.Second
	// idleGap is how long a client may rest before its idle connections are
	// not trusted any more. Timers do not run in a frozen process, so the
	// transport's own idle timeout cannot be relied on.
	idleGap = 10 * time.Second
)

// Frozen reports whether the process was frozen between the two readings of
// [time.Now]: the wall clock moved on by at least 5 s more than the monotonic
// clock did. Times without a monotonic reading give false.
func Frozen(before, now time.Time) bool {
	return frozen(now.Round(0).Sub(before.Round(0)), now.Sub(before))
}

// frozen compares what passed by the wall clock and by the monotonic one.
func frozen(wall, monotonic time.Duration) bool { return wall-monotonic >= frozenAfter }

// thaw drops idle connections when the client was not used for a while by the
// wall clock, or when that clock went back. Some freezes stop the monotonic
// clock and some do not; the wall clock shows both. It costs one resumed
// handshake where nothing was wrong.
func (c *Client) thaw(ctx context.Context, now time.Time) {
	last := c.lastUse.Load()
	if last == 0 {
		return
	}
	gap := time.Duration(now.UnixNano() - last)
	if gap < idleGap && gap > -time.Second {
		return
	}
	c.dropIdle()
	c.trace.thaw(ctx, gap)
}

func (c *Client) used(now time.Time) { c.lastUse.Store(now.UnixNano()) }
