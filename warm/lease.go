package warm

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/strategies"
)

// ErrBusy is what a [BusyError] is.
var ErrBusy = errors.New("warm: the plan is running elsewhere")

// ErrTaken says that another run took the plan over, by Options.Force or because
// this one could not renew its lease. What it has stored stays.
var ErrTaken = errors.New("warm: another run took the plan over")

// BusyError says who runs the plan, as far as Redis told: a field that is not
// known is zero.
type BusyError struct {
	// Holder is the host and the process id of the runner.
	Holder string
	// Since is when it began, by its own clock.
	Since time.Time
	// Left is how long its lease lasts if it died just now; one that lives
	// renews it.
	Left time.Duration
}

// Error is one line for whoever started a second run.
func (e *BusyError) Error() string {
	text := ErrBusy.Error()
	if e.Holder != "" {
		text += ": by " + e.Holder
	}
	if !e.Since.IsZero() {
		text += " since " + e.Since.UTC().Format(time.RFC3339)
	}
	if e.Left > 0 {
		text += fmt.Sprintf("; if that has died, it may be run again in %s", e.Left.Round(time.Second))
	}
	return text
}

// Is makes a BusyError an [ErrBusy].
func (e *BusyError) Is(target error) bool { return target == ErrBusy }

// DefaultLease is how long a runner that died keeps others out.
const DefaultLease = time.Minute

const (
	minLease = time.Second
	// releaseTimeout bounds how long the end of a run waits for Redis.
	releaseTimeout = 5 * time.Second
)

// lease is a key that says who runs the plan. Its value is a random token, when
// the run began in milliseconds, and the runner.
type lease struct {
	c          *client.Client
	key, value string
	life       time.Duration

	commands, trips int
	err             error // of giving it back
}

func (p Plan) lease(store *strategies.Store) *lease {
	name := p.Name
	if name == "" {
		name = "plan"
	}
	life := p.Lease
	if life <= 0 {
		life = DefaultLease
	}
	return &lease{
		c: store.Client(),
		// No handle's name holds a percent sign, so no load's lease has this key.
		key:   store.Namespace() + ":l:%warm:" + url.PathEscape(name),
		value: fmt.Sprintf("%s %d %s", rand.Text(), time.Now().UnixMilli(), thisProcess()),
		life:  max(life, minLease),
	}
}

// thisProcess is this process, for whoever wonders who holds the lease.
func thisProcess() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	return host + ", process " + strconv.Itoa(os.Getpid())
}

func (l *lease) paid(commands int) { l.commands, l.trips = l.commands+commands, l.trips+1 }

func (l *lease) take(ctx context.Context, force bool) error {
	opts := []command.SetOption{command.PX(l.life)}
	if !force {
		opts = append(opts, command.NX())
	}
	l.paid(1)
	taken, err := client.Do(ctx, l.c, command.Set(l.key, l.value, opts...))
	switch {
	case err != nil:
		return fmt.Errorf("warm: take the lease: %w", err)
	case !taken:
		return l.holder(ctx)
	}
	return nil
}

// holder tells who was first.
func (l *lease) holder(ctx context.Context) error {
	busy := &BusyError{}
	l.paid(2)
	value, left := command.Get(l.key), command.PTTL(l.key)
	replies, err := l.c.Batch(ctx, value, left)
	if err != nil {
		return busy // that it is held is known
	}
	if text, err := client.DecodeReply(value, replies[0]); err == nil {
		busy.read(text)
	}
	if life, err := client.DecodeReply(left, replies[1]); err == nil {
		busy.Left = max(life, 0)
	}
	return busy
}

func (e *BusyError) read(value string) {
	_, rest, _ := strings.Cut(value, " ")
	since, holder, _ := strings.Cut(rest, " ")
	if ms, err := strconv.ParseInt(since, 10, 64); err == nil {
		e.Since, e.Holder = time.UnixMilli(ms), holder
	}
}

// hold renews the lease until giveBack is called. The context ends with
// [ErrTaken] when the lease turns out to be another's.
func (l *lease) hold(ctx context.Context) (held context.Context, giveBack func()) {
	held, end := context.WithCancelCause(ctx)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(l.life / 3)
		defer tick.Stop()
		for {
			select {
			case <-held.Done():
				return
			case <-tick.C:
			}
			if l.renew(held) {
				end(ErrTaken)
				return
			}
		}
	}()
	return held, func() {
		end(nil)
		<-stopped
		l.release(ctx)
	}
}

// renew reports whether the lease is another's. Trouble with Redis is none: a
// plan that runs twice costs work and never correctness.
func (l *lease) renew(ctx context.Context) (lost bool) {
	ctx, cancel := context.WithTimeout(ctx, l.life/3)
	defer cancel()
	l.paid(1)
	renewed, err := client.Do(ctx, l.c, command.Set(l.key, l.value, command.IFEQ(l.value), command.PX(l.life)))
	if err != nil || renewed {
		return false
	}
	// It has run out, if nobody else has it: then it is taken again.
	l.paid(1)
	renewed, err = client.Do(ctx, l.c, command.Set(l.key, l.value, command.NX(), command.PX(l.life)))
	return err == nil && !renewed
}

// release gives the lease back if it is still this run's, also when the run
// was cancelled.
func (l *lease) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	l.paid(1)
	if _, err := client.Do(ctx, l.c, command.DelEx(l.key, command.IFEQ(l.value))); err != nil {
		l.err = fmt.Errorf("warm: give the lease back: %w", err)
	}
}
