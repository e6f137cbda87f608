package client_test

import (
	"context"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
)

type spanKey struct{}

// What Start returns is the context of the attempts, of Retry and of Done: a span
// begun there is the parent of what the transport traces.
func TestTraceContextGoesThrough(t *testing.T) {
	var at []string
	note := func(ctx context.Context, what string) {
		span, _ := ctx.Value(spanKey{}).(string)
		at = append(at, what+" "+span)
	}
	seen := func(next attempt) attempt {
		return func(r *http.Request) (*http.Response, error) { note(r.Context(), "attempt"); return next(r) }
	}
	s := &scripted{attempts: []attempt{seen(answer(429, "")), seen(good)}}
	c := scriptedClient(t, s, func(cfg *client.Config) {
		cfg.Trace = &client.Trace{
			Start: func(ctx context.Context, i client.StartInfo) context.Context {
				note(ctx, "start")
				return context.WithValue(ctx, spanKey{}, "span of "+i.Command)
			},
			Retry: func(ctx context.Context, _ client.RetryInfo) { note(ctx, "retry") },
			Done:  func(ctx context.Context, _ client.DoneInfo) { note(ctx, "done") },
		}
	})
	_, err := c.Incr(context.WithValue(t.Context(), spanKey{}, "of the caller"), "k")
	require.NoError(t, err)
	assert.Equal(t, []string{"start of the caller", "attempt span of INCR", "retry span of INCR", "attempt span of INCR", "done span of INCR"}, at)
}

func TestTraceANilContextKeepsTheCallers(t *testing.T) {
	s := &scripted{attempts: []attempt{func(r *http.Request) (*http.Response, error) {
		assert.Equal(t, "of the caller", r.Context().Value(spanKey{}))
		return good(r)
	}}}
	c := scriptedClient(t, s, func(cfg *client.Config) {
		cfg.Trace = &client.Trace{Start: func(context.Context, client.StartInfo) context.Context { return nil }}
	})
	_, err := c.Incr(context.WithValue(t.Context(), spanKey{}, "of the caller"), "k")
	require.NoError(t, err)
}

func TestTraceSeesWhatABatchCarries(t *testing.T) {
	var names [][]string
	s := &scripted{attempts: []attempt{good, answer(200, `[{"result":1},{"result":null}]`)}}
	c := scriptedClient(t, s, func(cfg *client.Config) {
		cfg.Trace = &client.Trace{Start: func(ctx context.Context, i client.StartInfo) context.Context {
			names = append(names, i.Names())
			assert.Len(t, i.Names(), i.Commands)
			return ctx
		}}
	})
	_, err := c.Incr(t.Context(), "k")
	require.NoError(t, err)
	_, err = c.Batch(t.Context(), command.Incr("k"), command.HGet("h", "f"))
	require.NoError(t, err)
	assert.Equal(t, [][]string{{"INCR"}, {"INCR", "HGET"}}, names)
}

// A transport that panics or ends the goroutine leaves no span open.
func TestTraceDoneFollowsEveryStart(t *testing.T) {
	for name, end := range map[string]func(){"panic": func() { panic("transport") }, "Goexit": runtime.Goexit} {
		var done []client.DoneInfo
		s := &scripted{attempts: []attempt{func(*http.Request) (*http.Response, error) { end(); return nil, nil }}}
		c := scriptedClient(t, s, func(cfg *client.Config) {
			cfg.Trace = &client.Trace{Done: func(_ context.Context, i client.DoneInfo) { done = append(done, i) }}
		})
		var wg sync.WaitGroup
		wg.Go(func() {
			defer func() { _ = recover() }()
			_, _ = c.Incr(t.Context(), "k")
		})
		wg.Wait()
		require.Len(t, done, 1, name)
		assert.Error(t, done[0].Err, name)
		assert.Equal(t, int64(1), c.Stats().Failures, name)
	}
}

func TestJoinTraces(t *testing.T) {
	var at []string
	trace := func(name string) *client.Trace {
		return &client.Trace{
			Start: func(ctx context.Context, _ client.StartInfo) context.Context {
				outer, _ := ctx.Value(spanKey{}).(string)
				at = append(at, "start "+name+" in "+outer)
				return context.WithValue(ctx, spanKey{}, outer+name)
			},
			Retry: func(ctx context.Context, _ client.RetryInfo) { at = append(at, "retry "+name) },
			Done: func(ctx context.Context, _ client.DoneInfo) {
				at = append(at, "done "+name+" in "+ctx.Value(spanKey{}).(string))
			},
		}
	}
	s := &scripted{attempts: []attempt{answer(429, ""), good}}
	c := scriptedClient(t, s, func(cfg *client.Config) {
		cfg.Trace = client.JoinTraces(trace("a"), nil, &client.Trace{}, client.JoinTraces(trace("b")))
	})
	_, err := c.Incr(t.Context(), "k")
	require.NoError(t, err)
	assert.Equal(t, "start a in , start b in a, retry a, retry b, done b in ab, done a in ab", strings.Join(at, ", "))
}
