package engine_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/upstashtest/internal/engine"
)

// Every command that the client can make is known here, and the two agree on
// which of them change nothing.
func TestTableKnowsTheClientsCommands(t *testing.T) {
	rows := command.Table()
	assert.NotEmpty(t, rows)
	for _, row := range rows {
		in, name := engine.Lookup(strings.Fields(row.Name))
		if !assert.NotNil(t, in, name) {
			continue
		}
		assert.True(t, in.REST, name)
		assert.False(t, row.Read && in.Write && !strings.HasPrefix(name, "GEORADIUS"), "%s: the client says that it reads", name)
	}
}

func TestKeys(t *testing.T) {
	for line, want := range map[string]string{
		"GET k": "k", "MSET a 1 b 2": "a b", "DEL a b": "a b", "BITOP AND d a b": "d a b", "XGROUP CREATE s g 0": "s",
		"EVAL s 2 a b c": "a b", "ZUNIONSTORE d 2 a b": "d a b", "ZDIFF 2 a b WITHSCORES": "a b", "EVAL s 9 a": "",
		"XREAD COUNT 1 STREAMS a b 0 0": "a b", "JSON.MGET a b $": "a b", "JSON.MSET a $ 1 b $ 2": "a b",
		"LMPOP 2 a b LEFT": "a b", "PING": "", "MSETEX 2 a 1 b 2 EX 9": "a b", "MSETEX 9 a 1": "", "SDIFFCARD 2 a b LIMIT 1": "a b", "OBJECT ENCODING k": "",
	} {
		args := strings.Fields(line)
		in, _ := engine.Lookup(args)
		if in == nil {
			assert.Empty(t, want, line)
			continue
		}
		assert.Equal(t, want, strings.Join(in.Keys(args), " "), line)
	}
}
