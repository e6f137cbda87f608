package invalidate

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Rules say, in one place, what each event of an application makes invalid.
// An event is a value of any Go type, usually a struct per user action; [On]
// gives its type a rule. They are safe for concurrent use.
type Rules struct {
	mu        sync.RWMutex
	rules     map[reflect.Type]func(any) Target
	unmatched atomic.Int64
}

// ErrNoRule is wrapped by the error for an event whose type has no rule.
var ErrNoRule = errors.New("invalidate: no rule")

// On adds the rule for events of type E. It panics if there is one, since two
// places would then claim to say the same thing.
func On[E any](r *Rules, rule func(event E) Target) {
	t := reflect.TypeFor[E]()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.rules == nil {
		r.rules = map[reflect.Type]func(any) Target{}
	}
	if r.rules[t] != nil {
		panic(fmt.Sprintf("invalidate: a second rule for %s", t))
	}
	r.rules[t] = func(event any) Target { return rule(event.(E)) }
}

// Targets returns what the events make invalid, or [ErrNoRule] beside the
// targets of the events that have a rule.
func (r *Rules) Targets(events ...any) (Target, error) {
	var targets []Target
	var errs []error
	for _, e := range events {
		r.mu.RLock()
		rule := r.rules[reflect.TypeOf(e)]
		r.mu.RUnlock()
		if rule == nil {
			errs = append(errs, fmt.Errorf("%w for an event of type %T", ErrNoRule, e))
			continue
		}
		targets = append(targets, rule(e))
	}
	return Join(targets...), errors.Join(errs...)
}

// Invalidator carries targets out, as *strategies.Store does.
type Invalidator interface {
	Invalidate(ctx context.Context, targets ...Target) (Report, error)
}

// Apply invalidates what the events say, together. An event without a rule is
// counted and told by [ErrNoRule]; the other events are followed all the same,
// since the database has been changed already.
func (r *Rules) Apply(ctx context.Context, s Invalidator, events ...any) (Report, error) {
	target, missing := r.Targets(events...)
	if missing != nil {
		r.unmatched.Add(1)
	}
	if target.IsZero() {
		return Report{}, missing
	}
	report, err := s.Invalidate(ctx, target)
	return report, errors.Join(err, missing)
}

// Unmatched is how often [Rules.Apply] met an event without a rule.
func (r *Rules) Unmatched() int64 { return r.unmatched.Load() }

// String lists the types of events that have a rule, in alphabetic order.
func (r *Rules) String() string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	names := make([]string, 0, len(r.rules))
	for t := range r.rules {
		names = append(names, t.String())
	}
	slices.Sort(names)
	return strings.Join(names, "\n")
}

// Table prints the rule of each example event, one in a line: the action table
// of an application, made from its code.
func (r *Rules) Table(examples ...any) string {
	var b strings.Builder
	for _, e := range examples {
		target, err := r.Targets(e)
		if err != nil {
			fmt.Fprintf(&b, "%T: no rule\n", e)
			continue
		}
		fmt.Fprintf(&b, "%T: %s\n", e, target)
	}
	return b.String()
}
