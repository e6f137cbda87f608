package engine

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

// hub hands published messages and monitored commands to subscribers. Each
// has a queue without a bound, so a slow reader neither loses messages nor
// holds up the publisher.
type hub struct {
	mu       sync.Mutex
	subs     map[*Subscription]struct{}
	monitors int
	closed   bool
}

func (h *hub) init() { h.subs = map[*Subscription]struct{}{} }

// Subscription receives events until it is closed. Next must not be called
// from two goroutines at once.
type Subscription struct {
	h        *hub
	channels map[string]bool
	patterns map[string]bool
	monitor  bool

	queue []string      // guarded by h.mu
	done  bool          // guarded by h.mu
	wake  chan struct{} // holds one token when the queue or done changed
}

func (h *hub) newSubscription() *Subscription {
	return &Subscription{h: h, channels: map[string]bool{}, patterns: map[string]bool{}, wake: make(chan struct{}, 1)}
}

func (h *hub) add(s *Subscription) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return ErrClosed
	}
	h.subs[s] = struct{}{}
	if s.monitor {
		h.monitors++
	}
	return nil
}

func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for s := range h.subs {
		s.done = true
		s.signal()
	}
}

// Close ends the subscription. Closing twice is allowed.
func (s *Subscription) Close() error {
	s.h.mu.Lock()
	defer s.h.mu.Unlock()
	if _, ok := s.h.subs[s]; ok && s.monitor {
		s.h.monitors--
	}
	delete(s.h.subs, s)
	s.done = true
	s.signal()
	return nil
}

func (s *Subscription) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Next waits for events and returns all that are there. It fails with the
// context's error, or with ErrClosed when the subscription ended.
func (s *Subscription) Next(ctx context.Context) ([]string, error) {
	for {
		events, done := s.take()
		if len(events) > 0 {
			return events, nil
		}
		if done {
			return nil, ErrClosed
		}
		select {
		case <-s.wake:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (s *Subscription) take() ([]string, bool) {
	s.h.mu.Lock()
	defer s.h.mu.Unlock()
	events := s.queue
	s.queue = nil
	return events, s.done
}

// publish queues the message for all who want it and returns how many
// subscriptions matched.
func (h *hub) publish(channel, message string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for s := range h.subs {
		before := n
		if s.channels[channel] {
			s.queue = append(s.queue, "message,"+channel+","+message)
			n++
		}
		for p := range s.patterns {
			if Match(p, channel) {
				s.queue = append(s.queue, "pmessage,"+p+","+channel+","+message)
				n++
			}
		}
		if n > before {
			s.signal()
		}
	}
	return n
}

// monitor shows a command to the monitors, in the words of MONITOR.
func (h *hub) monitor(now time.Time, args []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.monitors == 0 {
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d.%06d [0 0.0.0.0:0]", now.Unix(), now.Nanosecond()/1000)
	for _, a := range args {
		b.WriteByte(' ')
		b.WriteString(strconv.Quote(a))
	}
	for s := range h.subs {
		if s.monitor {
			s.queue = append(s.queue, b.String())
			s.signal()
		}
	}
}

// counts returns the subscribers per channel and the number of patterns.
func (h *hub) counts() (channels map[string]int, patterns int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	channels = map[string]int{}
	distinct := map[string]bool{}
	for s := range h.subs {
		for c := range s.channels {
			channels[c]++
		}
		for p := range s.patterns {
			distinct[p] = true
		}
	}
	return channels, len(distinct)
}

// ErrClosed is returned by every call after Close.
var ErrClosed = errors.New("engine: closed")
