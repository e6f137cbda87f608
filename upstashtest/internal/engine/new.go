package engine

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"
)

// New returns an empty database.
func New(cfg Config) (*Engine, error) {
	if cfg.ScriptSteps == 0 {
		cfg.ScriptSteps = 50_000_000
	}
	e := &Engine{cfg: cfg, handlers: overlay(), m: miniredis.NewMiniRedis(), rnd: rand.New(rand.NewPCG(cfg.Seed, 0x5eed))}
	e.hub.init()
	e.scripts.init()
	e.acl.init()
	e.m.Seed(int(cfg.Seed) + 1)
	conn, err := e.m.Dial() // starts it, with no listener
	if err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	if err := conn.Close(); err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	e.w = bufio.NewWriter(&e.out)
	e.peer = server.NewPeer(e.w)
	e.last = e.now()
	e.m.SetTime(time.UnixMilli(0))
	e.db = e.m.DB(0)
	return e, nil
}

// Close ends all subscriptions and drops the data. Closing twice is allowed.
func (e *Engine) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil
	}
	e.closed = true
	e.hub.close()
	e.scripts.close()
	e.m.Close()
	return nil
}
