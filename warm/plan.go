package warm

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/strategies"
)

// ErrBusy says that another instance is running the same plan.
var ErrBusy = errors.New("warm: the plan is running elsewhere")

// ErrDisabled says that the Store caches nothing: it has no client or is
// switched off. Nothing was loaded.
var ErrDisabled = errors.New("warm: the cache is off")

// DefaultLease is how long a plan may run before another instance may take it
// for dead.
const DefaultLease = 15 * time.Minute

// Plan is a warm-up that many instances know and one at a time runs: an
// application's cron job and its command line use the same. The zero Plan does
// nothing.
type Plan struct {
	// Name tells plans apart that may run at the same time. "" means "plan".
	Name string
	// Steps to run, by their priority.
	Steps []Step
	// Lease is how long the plan may run before another instance may begin it
	// too; that costs work, never correctness. 0 means 15 min.
	Lease time.Duration
	// Concurrency is how many steps run at once. 0 means 1.
	Concurrency int
}

// Run runs the plan as [RunWith] does, unless another instance does: then it
// fails with [ErrBusy]. The lease costs two commands and round trips. A Store
// without a client has nothing to warm, and fails.
func (p Plan) Run(ctx context.Context, store *strategies.Store, o Options) (Report, error) {
	c := store.Client()
	if !store.Enabled() {
		return Report{}, ErrDisabled
	}
	l, err := p.take(ctx, c, store.Namespace())
	if err != nil {
		return Report{Namespace: store.Namespace(), Commands: 1, Trips: 1, Errors: map[string]error{"lease": err}}, err
	}
	if o.Concurrency == 0 {
		o.Concurrency = p.Concurrency
	}
	report, err := RunWith(ctx, store, o, p.Steps...)
	report.Commands += 2
	report.Trips += 2
	return report, errors.Join(err, l.release(ctx, c))
}

// lease is a key that holds a random token while the plan runs.
type lease struct{ key, token string }

func (p Plan) take(ctx context.Context, c *client.Client, namespace string) (lease, error) {
	name := p.Name
	if name == "" {
		name = "plan"
	}
	// No handle's name holds a percent sign, so no load's lease has this key.
	l := lease{key: namespace + ":l:%warm:" + url.PathEscape(name), token: rand.Text()}
	life := p.Lease
	if life <= 0 {
		life = DefaultLease
	}
	taken, err := client.Do(ctx, c, command.Set(l.key, l.token, command.NX(), command.PX(life)))
	switch {
	case err != nil:
		return l, fmt.Errorf("warm: take the lease: %w", err)
	case !taken:
		return l, ErrBusy
	}
	return l, nil
}

// releaseTimeout bounds how long the end of a run waits for Redis.
const releaseTimeout = 5 * time.Second

// release gives the lease back if it is still this run's, also when the run
// was cancelled.
func (l lease) release(ctx context.Context, c *client.Client) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	if _, err := client.Do(ctx, c, command.DelEx(l.key, command.IFEQ(l.token))); err != nil {
		return fmt.Errorf("warm: give the lease back: %w", err)
	}
	return nil
}
