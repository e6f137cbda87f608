package pipeline_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/pipeline"
	"github.com/cldcde/restash/upstashtest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEachCommandHasItsOwnResult(t *testing.T) {
	for name, make := range map[string]func(*client.Client) *pipeline.Pipeline{"pipeline": pipeline.New, "transaction": pipeline.NewTx} {
		t.Run(name, func(t *testing.T) {
			c, srv := local(t)
			defer srv.ExpectBill(t, 5, 1)()
			p := make(c)
			set := p.Set("name", "Ada", command.EX(time.Minute))
			get := p.Get("name")
			missing := p.Get("missing")
			wrong := p.LPush("name", 1)
			all := pipeline.Add(p, command.As[[]byte](command.Get("name")))
			assert.Equal(t, 5, p.Len())
			require.NoError(t, p.Exec(t.Context()), "a missing key and a failed command are no failure of the batch")
			assert.Zero(t, p.Len())

			ok, err := set.Value()
			require.NoError(t, err)
			assert.True(t, ok)
			v, err := get.Value()
			require.NoError(t, err)
			assert.Equal(t, "Ada", v)
			assert.ErrorIs(t, missing.Err(), client.ErrNil)
			assert.ErrorIs(t, wrong.Err(), client.ErrWrongType)
			b, err := all.Value()
			require.NoError(t, err)
			assert.Equal(t, []byte("Ada"), b)
		})
	}
}

func TestAResultBeforeExec(t *testing.T) {
	c, _ := local(t)
	n := pipeline.New(c).Incr("n")
	_, err := n.Value()
	assert.ErrorIs(t, err, pipeline.ErrNotRun)
	assert.ErrorIs(t, n.Err(), pipeline.ErrNotRun)
}

func TestNothingQueuedSendsNothing(t *testing.T) {
	c, srv := local(t)
	defer srv.ExpectBill(t, 0, 0)()
	assert.NoError(t, pipeline.New(c).Exec(t.Context()))
	assert.NoError(t, pipeline.NewTx(c).Exec(t.Context()))
}

func TestAPipelineCanBeUsedAgain(t *testing.T) {
	c, _ := local(t)
	p := pipeline.New(c)
	a := p.Incr("n")
	require.NoError(t, p.Exec(t.Context()))
	b := p.Incr("n")
	require.NoError(t, p.Exec(t.Context()))
	x, _ := a.Value()
	y, _ := b.Value()
	assert.Equal(t, []int64{1, 2}, []int64{x, y})
}

func TestSplitting(t *testing.T) {
	c, srv := local(t)
	t.Run("by commands", func(t *testing.T) {
		defer srv.ExpectBill(t, 2500, 3)()
		p := pipeline.New(c)
		var last *pipeline.Result[int64]
		for range 2500 {
			last = p.Incr("n")
		}
		require.NoError(t, p.Exec(t.Context()))
		n, err := last.Value()
		require.NoError(t, err)
		assert.Equal(t, int64(2500), n)
	})
	t.Run("by bytes", func(t *testing.T) {
		defer srv.ExpectBill(t, 20, 2)()
		p := pipeline.New(c)
		for i := range 20 {
			p.Set(fmt.Sprint("k", i), strings.Repeat("x", 500<<10))
		}
		require.NoError(t, p.Exec(t.Context()))
	})
	t.Run("never a transaction", func(t *testing.T) {
		defer srv.ExpectBill(t, 2500, 1)()
		p := pipeline.NewTx(c)
		for range 2500 {
			p.Incr("n")
		}
		require.NoError(t, p.Exec(t.Context()))
	})
}

func TestARequestThatFailsStopsTheRest(t *testing.T) {
	srv := upstashtest.Run(t, func(cfg *upstashtest.Config) { cfg.InMemory = true })
	calls := 0
	c := over(t, srv, roundTrip(func(r *http.Request) (*http.Response, error) {
		if calls++; calls == 2 {
			return nil, errors.New("broken")
		}
		return srv.HTTPClient().Transport.RoundTrip(r)
	}))
	p := pipeline.New(c)
	var results []*pipeline.Result[int64]
	for range 3000 {
		results = append(results, p.Incr("n"))
	}
	err := p.Exec(t.Context())
	require.ErrorIs(t, err, client.ErrTransport)
	assert.NoError(t, results[999].Err())
	assert.ErrorIs(t, results[1000].Err(), client.ErrTransport)
	var e *client.Error
	require.ErrorAs(t, results[1999].Err(), &e)
	assert.Equal(t, client.SentUnknown, e.Sent)
	assert.ErrorIs(t, results[2000].Err(), pipeline.ErrNotRun)
	assert.Equal(t, 2, calls)
}

func TestACommandThatCannotBeSentFailsAlone(t *testing.T) {
	c, srv := local(t)
	defer srv.ExpectBill(t, 1, 1)()
	p := pipeline.New(c)
	wrong := p.Set("k", nil)
	large := p.Set("k", strings.Repeat("x", 600<<10))
	binary := p.Set("k", "\xff")
	good := p.Incr("n")
	require.NoError(t, p.Exec(t.Context()))
	assert.ErrorContains(t, wrong.Err(), "nil is not a value")
	assert.ErrorIs(t, large.Err(), client.ErrTooLarge)
	assert.ErrorIs(t, binary.Err(), client.ErrBinary)
	assert.NoError(t, good.Err())
}

func TestATransactionWithSuchACommandIsNotSent(t *testing.T) {
	c, srv := local(t)
	defer srv.ExpectBill(t, 0, 0)()
	p := pipeline.NewTx(c)
	good := p.Incr("n")
	p.Set("k", "\xff")
	require.ErrorIs(t, p.Exec(t.Context()), client.ErrBinary)
	assert.ErrorIs(t, good.Err(), client.ErrBinary)
}

func TestATransactionIsRefusedAsAWhole(t *testing.T) {
	c, srv := local(t)
	p := pipeline.NewTx(c)
	n := p.Incr("n")
	pipeline.Add(p, command.Raw("NONSENSE"))
	err := p.Exec(t.Context())
	var e *client.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, "multi-exec", e.Command)
	assert.Error(t, n.Err())
	r, err := srv.Do("EXISTS", "n")
	require.NoError(t, err)
	assert.Zero(t, r.Int)
}

// Each command has its place, also where the server does not know the script, or
// is made to forget it on the way.
func TestScriptKeepsItsPlaceInAPipeline(t *testing.T) {
	for name, make := range map[string]func(*client.Client) *pipeline.Pipeline{"pipeline": pipeline.New, "transaction": pipeline.NewTx} {
		t.Run(name, func(t *testing.T) {
			c, srv := local(t)
			double := command.NewScript("return redis.call('INCRBY', KEYS[1], ARGV[1] * 2)")
			read := command.NewScript("return redis.call('GET', KEYS[1])").ReadOnly()
			run := func(p *pipeline.Pipeline) *pipeline.Result[int64] {
				return pipeline.Add(p, command.RunScript[int64](double, []string{"n"}, 5))
			}
			for cycle := range int64(2) {
				billed := srv.ExpectBill(t, 10, 1) // what scripts call is billed, too
				p := make(c)
				results := []*pipeline.Result[int64]{run(p), p.Incr("n"), run(p), pipeline.Add(p, command.RunScript[int64](read, []string{"n"}))}
				flushed := p.ScriptFlush("")
				results = append(results, run(p))
				require.NoError(t, p.Exec(t.Context()))
				billed()
				require.NoError(t, flushed.Err())
				for i, want := range []int64{10, 11, 21, 21, 31} {
					v, err := results[i].Value()
					require.NoError(t, err)
					assert.Equal(t, want+31*cycle, v)
				}
			}
		})
	}
}

func TestExecFirstError(t *testing.T) {
	for name, make := range map[string]func(*client.Client) *pipeline.Pipeline{"pipeline": pipeline.New, "transaction": pipeline.NewTx} {
		t.Run(name, func(t *testing.T) {
			c, _ := local(t)
			p := make(c)
			p.Set("name", "Ada")
			p.Get("missing")
			require.NoError(t, p.Exec(t.Context(), pipeline.FirstError()), "a missing value is no failure")

			p.Get("missing")
			p.LPush("name", 1)
			pipeline.Add(p, command.Raw("NONSENSE"))
			last := p.Incr("n")
			if name == "transaction" { // a command that does not exist would refuse it whole
				p = make(c)
				p.LPush("name", 1)
				last = p.Incr("n")
			}
			err := p.Exec(t.Context(), pipeline.FirstError())
			require.ErrorIs(t, err, client.ErrWrongType)
			assert.ErrorContains(t, err, "LPUSH")
			n, err := last.Value()
			require.NoError(t, err, "the others ran")
			assert.Equal(t, int64(1), n)
		})
	}
}

// What could not even be sent counts, in its place.
func TestExecFirstErrorOfWhatWasNotSent(t *testing.T) {
	c, _ := local(t)
	p := pipeline.New(c)
	p.Set("name", "Ada")
	p.Set("k", "\xff")
	p.LPush("name", 1)
	require.ErrorIs(t, p.Exec(t.Context(), pipeline.FirstError()), client.ErrBinary)
}
