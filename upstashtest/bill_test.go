package upstashtest_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/upstashtest"
)

// What each command adds to the bill.
func TestBillPerCommand(t *testing.T) {
	s := upstashtest.Run(t, func(c *upstashtest.Config) { c.InMemory = true })
	for _, c := range []struct {
		path, body string
		commands   int
	}{
		{"/", `["GET","k"]`, 1},
		{"/", `["MGET","a","b","c"]`, 1},
		{"/", `["MSETEX",2,"a","1","b","2","EX",9]`, 1},
		{"/", `["EVAL","redis.call('INCR','n') return redis.call('GET','n')",0]`, 3},
		{"/", `["EVAL","local n = redis.pcall('INCR','text') return 1",0]`, 2},
		{"/pipeline", `[["GET","a"],["SET","b","1"],["INCR"],["NOPE"]]`, 2},
		{"/multi-exec", `[["GET","a"],["SET","b","1"]]`, 2},
		{"/multi-exec", `[["GET","a"],["NOPE"]]`, 0},
		{"/", `["HGET","b","f"]`, 1}, // fails, and ran
		{"/", `["PING"]`, 0},
		{"/", `["INFO"]`, 0},
		{"/", `["COMMAND"]`, 0},
		{"/", `["ECHO","x"]`, 1},
		{"/", `["BLPOP","l",1]`, 0},
		{"/", `nonsense`, 0},
	} {
		before := s.Bill()
		send(t, s, request{path: c.path, body: c.body})
		got := s.Bill().Sub(before)
		assert.EqualValues(t, c.commands, got.Commands, c.body)
		assert.EqualValues(t, 1, got.Trips, c.body)
	}
}

// recorder takes down whether a test failed.
type recorder struct {
	testing.TB
	failed bool
}

func (r *recorder) Helper()               {}
func (r *recorder) Errorf(string, ...any) { r.failed = true }

func TestExpectBillFails(t *testing.T) {
	s := upstashtest.Run(t, func(c *upstashtest.Config) { c.InMemory = true })
	for _, c := range []struct {
		commands, trips int
		fails           bool
	}{{2, 1, false}, {1, 1, true}, {2, 2, true}, {3, 1, true}} {
		r := &recorder{TB: t}
		done := s.ExpectBill(r, c.commands, c.trips)
		send(t, s, request{path: "/pipeline", body: `[["GET","a"],["GET","b"]]`})
		done()
		assert.Equal(t, c.fails, r.failed, "%+v", c)
	}
}

// The bill over HTTP is for another process: it counts itself neither as a
// command nor as a trip.
func TestBillOverHTTP(t *testing.T) {
	s := upstashtest.Run(t)
	do(t, s, "SET", "k", "v")
	for range 2 {
		got := send(t, s, request{method: http.MethodGet, path: "/_restash/bill"})
		require.Equal(t, 200, got.status)
		var b upstashtest.Bill
		require.NoError(t, json.Unmarshal([]byte(got.body), &b))
		assert.Equal(t, s.Bill(), b)
		assert.EqualValues(t, 1, b.Commands)
		assert.EqualValues(t, 1, b.Trips)
	}
}
