package client

import (
	"context"

	"github.com/cldcde/restash/client/command"
)

// New returns a client for the database of cfg. It makes no connection; an
// error names the field of cfg that is wrong.
func New(cfg Config) (*Client, error) {
	base, err := cfg.validate()
	if err != nil {
		return nil, err
	}
	c := &Client{cfg: cfg.withDefaults(), base: *base, trace: cfg.Trace, telemetry: newTelemetry(cfg), token: newSecret(cfg.Token)}
	c.life, c.end = context.WithCancel(context.Background())
	c.cfg.Token = "" // kept where nothing prints it
	calls, streams, dropIdle := httpClients(c.cfg)
	c.retry, c.streams, c.dropIdle = newRetrying(calls, c.cfg.MaxRetries), streams, dropIdle
	if cfg.Coalesce {
		c.shared = newCoalescer(c)
	}
	return c, nil
}

// Do runs one command and returns its typed reply.
func Do[T any](ctx context.Context, c *Client, cmd command.Command[T]) (T, error) {
	if c.shared != nil {
		return coalesced(ctx, c.shared, cmd)
	}
	v, _, err := do(ctx, c, cmd)
	return v, err
}

// Close drops the idle connections and refuses later calls with [ErrClosed].
// Calls under way go on; streams and commands that
// wait for a common request, see [Config].Coalesce, end with it. It always returns nil.
func (c *Client) Close() error {
	c.closed.Store(true)
	c.end()
	c.dropIdle()
	return nil
}

// Limits returns the limits that the client checks, defaults filled in.
func (c *Client) Limits() Limits { return c.cfg.Limits }

// Stats returns a snapshot. It may be called at any time.
func (c *Client) Stats() Stats {
	s := &c.stats
	out := Stats{
		Requests: s.requests.Load(),
		Commands: s.commands.Load(),
		Retries:  s.retries.Load(),
		Failures: s.failures.Load(),
		BytesOut: s.bytesOut.Load(),
		BytesIn:  s.bytesIn.Load(),
	}
	out.LatencyP50, out.LatencyP99 = s.latency.quantiles()
	return out
}

// SyncToken returns the token of the newest answer, "" before the first. Hand
// it to another process, which calls [Client.SetSyncToken], and that process
// reads what this one wrote.
func (c *Client) SyncToken() string {
	c.sync.mu.Lock()
	defer c.sync.mu.Unlock()
	if c.sync.value == nil {
		return ""
	}
	return c.sync.value[0]
}

// SetSyncToken makes the next requests see at least the state that token
// stands for. Answers to requests that began before do not replace it.
func (c *Client) SetSyncToken(token string) {
	c.sync.mu.Lock()
	defer c.sync.mu.Unlock()
	c.sync.last++
	c.sync.writer = c.sync.last // as if it were a write's
	c.sync.value = []string{token}
}
