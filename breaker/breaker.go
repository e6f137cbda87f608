package breaker

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"
)

// Defaults of [Config].
const (
	DefaultFailures = 5
	DefaultOpen     = time.Minute
	DefaultTrials   = 3
)

// Off as Config.Failures turns the breaker off: every call is let through.
const Off = -1

// ErrOpen is returned by [Breaker.Allow] when the call must not be made: the
// breaker is open, or half-open with all its trials under way.
var ErrOpen = errors.New("breaker: open")

// Config sets up a [Breaker]. The zero value is the default policy.
type Config struct {
	// Failures in a row that open the breaker. 0 means 5, [Off] means never.
	Failures int
	// Open is how long it stays open before trials begin. 0 means one minute.
	Open time.Duration
	// Trials is how many calls half-open lets in at once, and how many must
	// succeed in a row to close. 0 means 3.
	Trials int
	// OnChange, if set, hears of every change of state, in order. It is called
	// without any lock held and must not block for long.
	OnChange func(Change)
}

// Change is one change of state.
type Change struct {
	From, To State
	// Cause is the failure that opened the breaker, nil for other changes.
	Cause error
}

// State is what a breaker does with the next call.
type State int

// The states of a breaker.
const (
	Closed   State = iota // calls go through
	HalfOpen              // a few trial calls go through
	Open                  // no call goes through
)

// String returns "closed", "half-open" or "open".
func (s State) String() string {
	switch s {
	case Open:
		return "open"
	case HalfOpen:
		return "half-open"
	default:
		return "closed"
	}
}

// Breaker is a circuit breaker. It is safe for concurrent use.
// A nil *Breaker lets every call through.
type Breaker struct {
	cfg Config

	mu      sync.Mutex
	gate    *gobreaker.TwoStepCircuitBreaker[struct{}]
	resets  int // calls that began before the latest one are of no interest
	cause   error
	queue   []Change
	telling bool
}

// New returns a breaker in the closed state. It fails if a number in cfg is
// negative (other than [Off]) and names the field.
func New(cfg Config) (*Breaker, error) {
	switch {
	case cfg.Failures < Off:
		return nil, fmt.Errorf("breaker: Config.Failures is %d, want 0 or more, or Off", cfg.Failures)
	case cfg.Open < 0:
		return nil, fmt.Errorf("breaker: Config.Open is %s, want 0 or more", cfg.Open)
	case cfg.Trials < 0:
		return nil, fmt.Errorf("breaker: Config.Trials is %d, want 0 or more", cfg.Trials)
	}
	if cfg.Failures == 0 {
		cfg.Failures = DefaultFailures
	}
	if cfg.Open == 0 {
		cfg.Open = DefaultOpen
	}
	if cfg.Trials == 0 {
		cfg.Trials = DefaultTrials
	}
	b := &Breaker{cfg: cfg}
	b.gate = b.newGate()
	return b, nil
}

// errNeutral marks a call whose end says nothing about the far side.
var errNeutral = errors.New("breaker: neutral")

func (b *Breaker) newGate() *gobreaker.TwoStepCircuitBreaker[struct{}] {
	resets := b.resets
	return gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		MaxRequests: uint32(b.cfg.Trials),
		Timeout:     b.cfg.Open,
		ReadyToTrip: func(c gobreaker.Counts) bool {
			return c.ConsecutiveFailures >= uint32(b.cfg.Failures)
		},
		IsExcluded: func(err error) bool { return errors.Is(err, errNeutral) },
		// gobreaker calls this with its own lock held: only note it here.
		OnStateChange: func(_ string, from, to gobreaker.State) {
			b.note(Change{From: stateOf(from), To: stateOf(to)}, resets)
		},
	})
}

func stateOf(s gobreaker.State) State {
	switch s {
	case gobreaker.StateOpen:
		return Open
	case gobreaker.StateHalfOpen:
		return HalfOpen
	default:
		return Closed
	}
}

// Done ends a call that [Breaker.Allow] let through.
// It must be called exactly once.
type Done func(Outcome)

// Outcome is how a call ended.
type Outcome struct {
	err     error
	neutral bool
}

// Success is a call that got a usable answer; it resets the run of failures.
func Success() Outcome { return Outcome{} }

// Failure is a call that got none.
func Failure(cause error) Outcome {
	if cause == nil {
		cause = errors.New("breaker: failure")
	}
	return Outcome{err: cause}
}

// Neutral is a call that ended for a reason that says nothing about the far
// side, such as its caller leaving. It gives a trial's place back.
func Neutral() Outcome { return Outcome{neutral: true} }

// Allow asks to make a call. It returns [ErrOpen] if the call must not be
// made, and otherwise a function that must be told how the call ended.
func (b *Breaker) Allow() (Done, error) {
	if b == nil || b.cfg.Failures == Off {
		return func(Outcome) {}, nil
	}
	done, err := b.current().Allow()
	b.tell()
	if err != nil {
		return nil, ErrOpen
	}
	return func(o Outcome) { b.end(done, o) }, nil
}

func (b *Breaker) end(done func(error), o Outcome) {
	switch {
	case o.neutral:
		done(errNeutral)
	case o.err != nil:
		b.mu.Lock()
		b.cause = o.err
		b.mu.Unlock()
		done(o.err)
	default:
		done(nil)
	}
	b.tell()
}

// State returns the state that the next call will meet.
func (b *Breaker) State() State {
	if b == nil || b.cfg.Failures == Off {
		return Closed
	}
	s := stateOf(b.current().State())
	b.tell()
	return s
}

// Cause returns the latest failure while the breaker is open or half-open, and
// nil while it is closed.
func (b *Breaker) Cause() error {
	if b.State() == Closed {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.cause
}

// Reset closes the breaker and forgets its failures: what it knew of the far
// side is out of date, as after a frozen process goes on.
func (b *Breaker) Reset() {
	if b == nil {
		return
	}
	from := b.State()
	b.mu.Lock()
	b.resets++
	b.gate = b.newGate()
	b.cause = nil
	if from != Closed {
		b.queue = append(b.queue, Change{From: from, To: Closed})
	}
	b.mu.Unlock()
	b.tell()
}

func (b *Breaker) current() *gobreaker.TwoStepCircuitBreaker[struct{}] {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.gate
}

func (b *Breaker) note(c Change, resets int) {
	if b.cfg.OnChange == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if resets != b.resets {
		return
	}
	if c.To == Open {
		c.Cause = b.cause
	}
	b.queue = append(b.queue, c)
}

// tell hands queued changes to OnChange, one goroutine at a time so that their
// order holds.
func (b *Breaker) tell() {
	for {
		b.mu.Lock()
		if b.telling || len(b.queue) == 0 {
			b.mu.Unlock()
			return
		}
		c := b.queue[0]
		b.queue = b.queue[1:]
		b.telling = true
		b.mu.Unlock()

		b.tellOne(c)
	}
}

// tellOne leaves the breaker able to tell the next change also where OnChange
// panics or ends its goroutine.
func (b *Breaker) tellOne(c Change) {
	defer func() {
		b.mu.Lock()
		b.telling = false
		b.mu.Unlock()
	}()
	b.cfg.OnChange(c)
}
