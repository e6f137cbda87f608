package upstashtest

import (
	"sync"
	"testing"
)

// Bill counts what was asked of the server. Commands are what Upstash bills:
// each command of a pipeline or transaction, those inside a script, but not
// what was refused before it ran, nor AUTH, COMMAND, INFO, PING and QUIT.
// Trips are HTTP requests, also those that failed. Bytes are those of bodies
// and of paths, headers not counted.
type Bill struct {
	Commands int64 `json:"commands"`
	Trips    int64 `json:"trips"`
	BytesIn  int64 `json:"bytesIn"`
	BytesOut int64 `json:"bytesOut"`
}

// Sub returns what was added to the bill since an earlier one.
func (b Bill) Sub(earlier Bill) Bill {
	return Bill{
		Commands: b.Commands - earlier.Commands, Trips: b.Trips - earlier.Trips,
		BytesIn: b.BytesIn - earlier.BytesIn, BytesOut: b.BytesOut - earlier.BytesOut,
	}
}

func (b *Bill) add(o Bill) {
	b.Commands += o.Commands
	b.Trips += o.Trips
	b.BytesIn += o.BytesIn
	b.BytesOut += o.BytesOut
}

// ledger keeps the bill of the server and of each token.
type ledger struct {
	mu    sync.Mutex
	total Bill
	by    map[string]Bill // by token name
}

func (l *ledger) add(name string, b Bill) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total.add(b)
	if name == "" {
		return
	}
	own := l.by[name]
	own.add(b)
	if l.by == nil {
		l.by = map[string]Bill{}
	}
	l.by[name] = own
}

// Bill returns the bill so far. A request is on it before its answer is sent.
func (s *Server) Bill() Bill {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	return s.ledger.total
}

// BillOf returns the bill of one token by its name: [StandardName],
// [ReadOnlyName] or one of Config.Tokens.
func (s *Server) BillOf(name string) Bill {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	return s.ledger.by[name]
}

// ExpectBill measures from its call to that of the function it returns, which
// fails t unless so many commands and round trips were added to the bill:
//
//	defer srv.ExpectBill(t, 1, 1)()
func (s *Server) ExpectBill(t testing.TB, commands, trips int) func() {
	t.Helper()
	before := s.Bill()
	return func() {
		t.Helper()
		if got := s.Bill().Sub(before); got.Commands != int64(commands) || got.Trips != int64(trips) {
			t.Errorf("upstashtest: bill: %d commands in %d trips, want %d in %d",
				got.Commands, got.Trips, commands, trips)
		}
	}
}
