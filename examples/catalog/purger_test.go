package catalog

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// told is a CDN that hears, once it can.
type told struct {
	fails bool
	calls [][]string
	meant func()
}

func (c *told) call(_ context.Context, tags []string) error {
	c.calls = append(c.calls, tags)
	if c.meant != nil {
		c.meant()
	}
	if c.fails {
		return errors.New("no")
	}
	return nil
}

func (c *told) purger() *purger {
	return &purger{call: c.call, ready: func() bool { return true }, all: []string{"all"}, keep: time.Minute, warn: func(error, int) {}}
}

func TestPurgerLeavesTheCDNAloneEverLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cdn := told{fails: true}
		p := cdn.purger()
		p.keep = time.Hour
		p.owe([]string{"a"})
		for range 600 {
			assert.False(t, p.send(t.Context()))
			time.Sleep(time.Second)
		}
		assert.Less(t, len(cdn.calls), 17, "1, 2, 4 s and so on up to a minute")
		assert.Greater(t, len(cdn.calls), 12)
		cdn.fails = false
		time.Sleep(time.Minute)
		assert.True(t, p.send(t.Context()))
		assert.True(t, p.send(t.Context()))
		assert.Zero(t, p.pending())
	})
}

// A CDN that holds nothing from before need not hear of it; until Redis has heard
// of it, what it takes is from before.
func TestPurgerForgetsWhatTheCDNCannotHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cdn := told{}
		p := cdn.purger()
		ready := false
		p.ready = func() bool { return ready }
		p.owe([]string{"a"})
		time.Sleep(2 * time.Minute)
		assert.False(t, p.send(t.Context()))
		assert.Equal(t, 1, p.pending())
		ready = true
		time.Sleep(59 * time.Second)
		assert.Equal(t, 1, p.pending())
		time.Sleep(2 * time.Second)
		assert.Zero(t, p.pending())
		assert.True(t, p.send(t.Context()))
		assert.Empty(t, cdn.calls)
	})
}

func TestPurgerWhatIsInvalidatedDuringACallGoesAgain(t *testing.T) {
	cdn := told{}
	p := cdn.purger()
	cdn.meant = func() {
		if len(cdn.calls) == 1 {
			p.owe([]string{"a"})
			assert.False(t, p.send(t.Context()), "somebody sends already")
		}
	}
	p.owe([]string{"a", "b"})
	assert.True(t, p.send(t.Context()))
	assert.Equal(t, [][]string{{"a", "b"}, {"a"}}, cdn.calls)
}

func TestPurgerIsBounded(t *testing.T) {
	cdn := told{}
	p := cdn.purger()
	for i := range 40 {
		p.owe([]string{fmt.Sprintf("%02d", i)})
	}
	assert.True(t, p.send(t.Context()))
	assert.Len(t, cdn.calls, 3)
	for i := range 1000 {
		p.owe([]string{fmt.Sprint(i)})
		assert.LessOrEqual(t, p.pending(), owedTags)
	}
	assert.Contains(t, p.owed, "all")
}
