package upstashtest

import (
	"sync"
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
