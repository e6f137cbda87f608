package client

import (
	"context"
	"log/slog"
	"time"
)

// warnEvery is the least time between two warnings of one client: a dead
// token is worth a line, not one per request.
const warnEvery = time.Minute

// warn logs failures that will not go away by themselves: somebody has to do
// something about the token or the plan.
func (c *Client) warn(ctx context.Context, e *Error) {
	if e.kind != ErrAuth && e.kind != ErrQuota {
		return
	}
	now := time.Now().UnixNano()
	last := c.lastWarn.Load()
	if last != 0 && now-last < int64(warnEvery) || !c.lastWarn.CompareAndSwap(last, now) {
		return
	}
	c.cfg.Logger.LogAttrs(ctx, slog.LevelWarn, "restash: the database refuses requests",
		slog.String("command", e.Command), slog.Int("status", e.Status), slog.String("error", e.Error()))
}
