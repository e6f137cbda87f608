package warm

import (
	"context"
	"errors"
	"time"

	"github.com/cldcde/restash/strategies"
)

// ErrDisabled says that the Store caches nothing: it has no client or is
// switched off. Nothing was loaded.
var ErrDisabled = errors.New("warm: the cache is off")

// Plan is a warm-up that many instances know and one at a time runs: an
// application's cron job and its command line use the same. The zero Plan does
// nothing.
type Plan struct {
	// Name tells plans apart that may run at the same time. "" means "plan".
	Name string
	// Steps to run, by their priority.
	Steps []Step
	// Lease is how long a runner that died keeps others out: a runner that
	// lives renews it. At least 1 s; 0 means [DefaultLease].
	Lease time.Duration
	// Concurrency is how many steps run at once. 0 means 1.
	Concurrency int
}

// Run runs the plan as [RunWith] does, unless another instance does: then it
// fails with a [BusyError], which is [ErrBusy], or takes the plan over if
// Options.Force says so. The runner it is taken from ends with [ErrTaken] within
// a third of the lease. Taking the lease and giving it back costs two commands and
// round trips, each renewal one. A Store without a client has nothing to warm,
// and fails.
func (p Plan) Run(ctx context.Context, store *strategies.Store, o Options) (Report, error) {
	if !store.Enabled() {
		return Report{}, ErrDisabled
	}
	l := p.lease(store)
	if err := l.take(ctx, o.Force); err != nil {
		return Report{Namespace: store.Namespace(), Commands: l.commands, Trips: l.trips, Errors: map[string]error{"lease": err}}, err
	}
	if o.Concurrency == 0 {
		o.Concurrency = p.Concurrency
	}
	held, giveBack := l.hold(ctx)
	report, err := func() (Report, error) {
		defer giveBack() // also when a step panics
		return RunWith(held, store, o, p.Steps...)
	}()
	if taken := context.Cause(held); errors.Is(taken, ErrTaken) {
		err = errors.Join(taken, err)
	}
	report.Commands += l.commands
	report.Trips += l.trips
	return report, errors.Join(err, l.err)
}
