package redisengine

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/cldcde/restash/upstashtest"
)

// Subscribe opens a connection of its own for the stream.
func (e *Engine) Subscribe(ctx context.Context, want upstashtest.Stream) (upstashtest.Subscription, error) {
	// go-redis connects later and would try for ever: a Redis that is away has
	// to be told before the answer begins.
	if err := e.client.Ping(ctx).Err(); err != nil {
		return nil, fmt.Errorf("redisengine: %w", err)
	}
	s := &stream{wake: make(chan struct{}, 1)}
	if want.Monitor {
		return s, s.monitor(e.client)
	}
	if len(want.Patterns) > 0 {
		s.pubsub = e.client.PSubscribe(ctx, want.Patterns...)
	} else {
		s.pubsub = e.client.Subscribe(ctx, want.Channels...)
	}
	s.reader.Go(s.receive)
	return s, nil
}

// stream collects events until somebody asks for them, without a bound, so
// that a slow reader loses none.
type stream struct {
	pubsub  *redis.PubSub
	stop    func() // of a monitor
	reader  sync.WaitGroup
	wake    chan struct{}
	closing sync.Once

	mu    sync.Mutex
	queue []string
	done  error
}

// receive runs until the subscription is closed or its connection ends.
func (s *stream) receive() {
	for {
		// The context must outlive the one of the request that opened the
		// stream: Close ends the reading.
		event, err := s.pubsub.Receive(context.Background())
		if err != nil {
			s.end(err)
			return
		}
		switch m := event.(type) {
		case *redis.Subscription:
			s.push(fmt.Sprintf("%s,%s,%d", m.Kind, m.Channel, m.Count))
		case *redis.Message:
			if m.Pattern != "" {
				s.push("pmessage," + m.Pattern + "," + m.Channel + "," + m.Payload)
				continue
			}
			s.push("message," + m.Channel + "," + m.Payload)
		}
	}
}

func (s *stream) monitor(c *redis.Client) error {
	lines := make(chan string)
	quit := make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	cmd := c.Monitor(ctx, lines)
	if err := cmd.Err(); err != nil {
		cancel()
		return fmt.Errorf("redisengine: %w", err)
	}
	cmd.Start()
	s.push(`"OK"`)
	s.stop = func() {
		cmd.Stop()
		cancel()
		close(quit)
	}
	s.reader.Go(func() {
		for {
			select {
			case line := <-lines:
				if line != "OK" {
					s.push(line)
				}
			case <-quit:
				s.end(errClosed)
				return
			}
		}
	})
	return nil
}

var errClosed = errors.New("redisengine: the stream is closed")

func (s *stream) push(event string) {
	s.mu.Lock()
	s.queue = append(s.queue, event)
	s.mu.Unlock()
	s.signal()
}

func (s *stream) end(err error) {
	s.mu.Lock()
	s.done = err
	s.mu.Unlock()
	s.signal()
}

func (s *stream) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Next returns all events that are there, and waits for one if there is none.
func (s *stream) Next(ctx context.Context) ([]string, error) {
	for {
		s.mu.Lock()
		events, done := s.queue, s.done
		s.queue = nil
		s.mu.Unlock()
		switch {
		case len(events) > 0:
			return events, nil
		case done != nil:
			return nil, done
		}
		select {
		case <-s.wake:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Close ends the stream and its connection.
func (s *stream) Close() error {
	var err error
	s.closing.Do(func() {
		if s.stop != nil {
			s.stop()
		}
		if s.pubsub != nil {
			err = s.pubsub.Close()
		}
		s.reader.Wait()
	})
	return err
}
