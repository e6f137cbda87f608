package client

import (
	"net/http"

	"github.com/cldcde/restash/client/command"
)

// What the fuzzers of the external test package reach for.
var (
	ScanOne   = func(b []byte) (command.Reply, error) { return scanOne(b, true) }
	ScanBatch = func(b []byte, n int) ([]command.Reply, *command.Reply, error) { return scanBatch(b, n, true) }
	RespOne   = respOne
	RespBatch = respBatch
	FrozenFor = frozen
	VersionIn = versionIn
)

// AppendArgs encodes a command as the client sends it.
func AppendArgs(dst []byte, args []string) ([]byte, bool) { return appendArgs(dst, args) }

// ReadEvents returns the events of a stream's body.
func ReadEvents(body string, limit int) (events []string, err error) {
	return readEvents(body, limit)
}

// AppendBatch encodes a batch as the client sends it.
func AppendBatch(dst []byte, cmds []command.Cmd) ([]byte, int) { return appendBatch(dst, cmds) }

// NewTransport is the transport of a client that was given none.
func NewTransport(maxConns int) *http.Transport { return newTransport(maxConns) }

// Opening is how a client that was given no transport shares its connections.
func Opening(t *http.Transport) http.RoundTripper { return viaHost(t) }

// ForgetDefault makes the next call of Default the first one.
func ForgetDefault() {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	shared.c = nil
}
