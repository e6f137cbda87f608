package strategies_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/assert"
)

// The first promise as a model for porcupine, a checker of histories that is
// not ours. Each key is a register with a floor: a change of the database moves
// the register to its next place, a confirmed invalidation or write-through
// raises the floor to the place that it covers, and a read answers with a
// place from the floor to the register. A history keeps the promise if its
// operations can be put into one order, each within its own time, in which
// every step is legal. A read that answers with less than the floor at its
// start has no place in such an order.

type act string

const (
	changes act = "change" // the database took the value at Place
	confirm act = "confirm"
	reads   act = "read"
)

// event is one operation on one key as a process saw it. Processes of one
// machine share its clock.
type event struct {
	Act        act
	Key, Place int
	Value      uint64 // of a read: Place is found when the history is whole
	Start, End int64
	Client     int
	From       string // how the cache answered
}

// register is the model's state of one key.
type register struct{ place, floor int }

var promise = porcupine.Model{
	Init: func() any { return register{} },
	Step: func(state, input, _ any) (bool, any) {
		s, e := state.(register), input.(event)
		switch e.Act {
		case changes:
			return e.Place == s.place+1, register{place: e.Place, floor: s.floor}
		case confirm:
			return e.Place <= s.place, register{place: s.place, floor: max(s.floor, e.Place)}
		}
		return s.floor <= e.Place && e.Place <= s.place, s
	},
	DescribeOperation: func(input, _ any) string {
		e := input.(event)
		return fmt.Sprintf("%s %d %s", e.Act, e.Place, e.From)
	},
}

// keepsPromise checks the events of one key.
func keepsPromise(events []event) porcupine.CheckResult {
	operations := make([]porcupine.Operation, len(events))
	for i, e := range events {
		operations[i] = porcupine.Operation{ClientId: e.Client, Input: e, Call: e.Start, Return: e.End}
	}
	return porcupine.CheckOperationsTimeout(promise, operations, time.Minute)
}

// broken counts the keys whose histories break the promise, and describes one
// read that does.
func broken(t *testing.T, history []event) (keys int, example string) {
	t.Helper()
	byKey := map[int][]event{}
	for _, e := range history {
		byKey[e.Key] = append(byKey[e.Key], e)
	}
	for _, events := range byKey {
		switch keepsPromise(events) {
		case porcupine.Illegal:
			keys++
			example = cmp.Or(explain(events), example)
		case porcupine.Unknown:
			t.Error("the checker ran out of time: more keys make shorter histories")
		}
	}
	return keys, example
}

// explain finds a read below what was confirmed before it began. The checker
// decides; this only says it in words.
func explain(events []event) string {
	for _, r := range events {
		if r.Act != reads {
			continue
		}
		for _, c := range events {
			if c.Act == confirm && c.End < r.Start && c.Place > r.Place {
				return fmt.Sprintf("key %d: a read (%s) got place %d, and %d was confirmed %v before it began",
					r.Key, r.From, r.Place, c.Place, time.Duration(r.Start-c.End))
			}
		}
	}
	return ""
}

// TestHistoryTheCheckerDecides holds the model to histories whose verdict is
// plain: each that breaks the promise differs in one thing from one that keeps it.
func TestHistoryTheCheckerDecides(t *testing.T) {
	at := func(a act, place int, start, end int64) event {
		return event{Act: a, Place: place, Start: start, End: end}
	}
	tests := []struct {
		name   string
		events []event
		want   porcupine.CheckResult
	}{
		{"old after an unconfirmed change", []event{at(changes, 1, 1, 2), at(reads, 0, 3, 4)}, porcupine.Ok},
		{"old after a confirmed one", []event{at(changes, 1, 1, 2), at(confirm, 1, 3, 4), at(reads, 0, 5, 6)}, porcupine.Illegal},
		{"old while it is confirmed", []event{at(changes, 1, 1, 2), at(confirm, 1, 3, 6), at(reads, 0, 5, 7)}, porcupine.Ok},
		{"old by a read that began before", []event{at(changes, 1, 1, 2), at(confirm, 1, 4, 5), at(reads, 0, 3, 9)}, porcupine.Ok},
		{"new before its change", []event{at(reads, 1, 1, 2), at(changes, 1, 3, 4)}, porcupine.Illegal},
		{"new while it is written", []event{at(reads, 1, 2, 4), at(changes, 1, 1, 5)}, porcupine.Ok},
		{"between two confirmed ones", []event{
			at(changes, 1, 1, 2), at(confirm, 1, 3, 4), at(changes, 2, 5, 6), at(reads, 1, 7, 8),
			at(confirm, 2, 9, 10), at(reads, 2, 11, 12),
		}, porcupine.Ok},
		{"the older of two confirmed ones", []event{
			at(changes, 1, 1, 2), at(confirm, 1, 3, 4), at(changes, 2, 5, 6), at(confirm, 2, 7, 8), at(reads, 1, 9, 10),
		}, porcupine.Illegal},
	}
	for _, tt := range tests {
		assert.Equal(t, tt.want, keepsPromise(slices.Clone(tt.events)), tt.name)
	}
}
