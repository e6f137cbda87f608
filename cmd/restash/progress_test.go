package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/warm"
)

func steps(p *progress) {
	p.tell(warm.Event{Step: "lists", Steps: 1, Of: 10})
	p.tell(warm.Event{Step: "lists", Steps: 1, Of: 10, Done: 5, Left: time.Second})
	p.tell(warm.Event{Step: "lists", Steps: 1, Of: 10, Done: 10, End: true, Report: warm.Report{Warmed: 9, Failed: 1}})
}

func TestProgressPlainLinesWithoutATerminal(t *testing.T) {
	var out, bars strings.Builder
	steps(&progress{out: &out, barsOut: &bars})
	assert.Equal(t, " 1/1  lists                     warmed 9, fresh 0, failed 1\n", out.String())
	assert.Empty(t, bars.String())
	steps(&progress{}) // --json: nothing
}

func TestProgressABarOnATerminal(t *testing.T) {
	var out, bars strings.Builder
	steps(&progress{out: &out, bars: true, barsOut: &bars})
	assert.Contains(t, bars.String(), "lists")
	assert.Contains(t, bars.String(), "(5/10")
	assert.Contains(t, out.String(), "warmed 9")
}

func TestProgressKnowsATerminal(t *testing.T) {
	assert.False(t, isTerminal(&strings.Builder{}))
	file, err := os.Create(t.TempDir() + "/out")
	require.NoError(t, err)
	defer file.Close()
	assert.False(t, isTerminal(file))
}
