package upstashtest

import (
	"strconv"
	"strings"
)

const (
	syncHeader = "Upstash-Sync-Token"
	syncMark   = "st" // so that nobody takes a token for a number
)

// syncToken names the newest write that the answer reflects.
func (x *exchange) syncToken() string {
	seq := x.s.lastWrite()
	if x.s.replica != nil && !x.wrote {
		seq = max(x.atLeast, x.seen)
	}
	return syncMark + strconv.FormatUint(seq, 32)
}

// parseSyncToken reads what a caller sent back. What is no token of ours asks
// for nothing.
func parseSyncToken(token string) uint64 {
	digits, ok := strings.CutPrefix(token, syncMark)
	if !ok {
		return 0
	}
	seq, err := strconv.ParseUint(digits, 32, 64)
	if err != nil {
		return 0
	}
	return seq
}

// lastWrite is the number of the last write.
func (s *Server) lastWrite() uint64 {
	if e, ok := s.engine.(interface{ Seq() uint64 }); ok {
		return e.Seq()
	}
	return s.writes.Load()
}
