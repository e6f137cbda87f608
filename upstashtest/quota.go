package upstashtest

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/upstashtest/internal/engine"
)

// billed is what a command adds to the bill. Chosen, see FIDELITY.md: the five
// are named as free on an older page of the documentation only.
func billed(args []string, r Result) int64 {
	switch strings.ToUpper(args[0]) {
	case "AUTH", "COMMAND", "INFO", "PING", "QUIT":
		return 0
	}
	return int64(1 + r.Inner)
}

func (s *Server) clock() time.Time {
	if e, ok := s.engine.(sized); ok {
		return e.Now()
	}
	return time.Now().UTC()
}

// checkLimits refuses a command that is above a limit. It comes last, when
// nothing else speaks against running it.
func (x *exchange) checkLimits(args []string) refusal {
	in, _ := engine.Lookup(args)
	l := x.s.limits
	size := int64(0)
	for _, a := range args {
		size += int64(len(a))
	}
	if over(size, l.Request) {
		return refusal{tooLarge(l.Request, size), http.StatusRequestEntityTooLarge}
	}
	keys := in.Keys(args)
	for _, key := range keys {
		if over(int64(len(key)), l.Key) {
			return refuse(http.StatusBadRequest, "ERR max key size exceeded. Limit: %d bytes, Actual: %d bytes", l.Key, len(key))
		}
	}
	if no := x.s.checkQuota(billed(args, Result{})); no.text != "" {
		return no
	}
	e, ok := x.s.engine.(sized)
	if !ok {
		return refusal{}
	}
	if in.Name == "XREADGROUP" {
		return x.s.checkPending(e, args)
	}
	if !in.Write || !adds(in) {
		return refusal{}
	}
	return x.s.checkRoom(e, keys, size)
}

// checkQuota counts n commands of today and of this month. Chosen, see
// FIDELITY.md: the status is 400.
func (s *Server) checkQuota(n int64) refusal {
	if s.limits.Daily <= 0 && s.limits.Monthly <= 0 || n == 0 {
		return refusal{}
	}
	now := s.clock()
	m := &s.meter
	m.mu.Lock()
	defer m.mu.Unlock()
	if day := now.Format(time.DateOnly); day != m.day {
		m.day, m.daily = day, 0
	}
	if month := now.Format("2006-01"); month != m.month {
		m.month, m.monthly = month, 0
	}
	switch {
	case over(m.daily+n, s.limits.Daily):
		return refuse(http.StatusBadRequest, "ERR max daily request limit exceeded. Limit: %d, Usage: %d. See https://upstash.com/docs/redis/troubleshooting/max_daily_request_limit for details", s.limits.Daily, m.daily+n)
	case over(m.monthly+n, s.limits.Monthly):
		return refuse(http.StatusBadRequest, "ERR max requests limit exceeded. Limit: %d, Usage: %d. See https://upstash.com/docs/redis/troubleshooting/max_requests_limit for details", s.limits.Monthly, m.monthly)
	}
	m.daily += n
	m.monthly += n
	return refusal{}
}

// countInner adds a script's commands to the quotas after it ran.
func (s *Server) countInner(n int) {
	s.meter.mu.Lock()
	defer s.meter.mu.Unlock()
	s.meter.daily += int64(n)
	s.meter.monthly += int64(n)
}

func (s *Server) checkPending(e sized, args []string) refusal {
	var group, consumer string
	count := int64(0)
	for i, a := range args {
		switch engine.Upper(a) {
		case "NOACK":
			return refusal{}
		case "GROUP":
			if i+2 < len(args) {
				group, consumer = args[i+1], args[i+2]
			}
		case "COUNT":
			if i+1 < len(args) {
				count, _ = strconv.ParseInt(args[i+1], 10, 64) // the engine refuses what is no number
			}
		case "STREAMS":
			in, _ := engine.Lookup(args)
			for _, key := range in.Keys(args) {
				if n := e.PendingOf(key, group, consumer); over(n+max(count, 1), s.limits.Pending) {
					return refuse(http.StatusBadRequest, "ERR XReadGroup is cancelled. Pending Entries List limit per consumer is about to be reached. Limit: %d, Current PEL size: %d, Requested Read: %d, Key: %s, Group: %s, Consumer: %s",
						s.limits.Pending, n, count, key, group, consumer)
				}
			}
			return refusal{}
		}
	}
	return refusal{}
}

// perKey is more than what a key costs beside its name and value.
const perKey = 64

// checkRoom refuses a write that would make a record or the database too
// large. It works with upper bounds and measures only when these are reached.
func (s *Server) checkRoom(e sized, keys []string, size int64) refusal {
	m := &s.meter
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.atMost == nil {
		m.atMost = map[string]int64{}
	}
	size += int64(len(keys)) * perKey
	for _, key := range keys {
		if m.atMost[key] += size; over(m.atMost[key], s.limits.Record) {
			if m.atMost[key] = e.SizeOf(key) + size; over(m.atMost[key], s.limits.Record) {
				return refuse(http.StatusBadRequest, "ERR max single record size exceeded")
			}
		}
	}
	if s.limits.Data <= 0 {
		return refusal{}
	}
	m.dataMost += size
	for over(m.dataMost, s.limits.Data) {
		if m.dataMost = e.DataSize() + size; !over(m.dataMost, s.limits.Data) {
			break
		}
		if !s.limits.Evict || len(e.Evict(1)) == 0 {
			return refuse(http.StatusBadRequest, "ERR DB capacity quota exceeded")
		}
	}
	return refusal{}
}

// adds says whether a write can make data larger. What only removes or sets
// lifetimes works in a full database.
func adds(in *engine.Info) bool {
	switch in.Name {
	case "COPY", "RESTORE":
		return true
	case "HDEL", "HEXPIRE", "HPEXPIRE", "HEXPIREAT", "HPEXPIREAT", "HPERSIST", "HGETDEL", "HGETEX",
		"LPOP", "RPOP", "LTRIM", "LREM", "LMPOP", "SREM", "SPOP", "ZREM", "ZPOPMIN", "ZPOPMAX", "ZMPOP",
		"ZREMRANGEBYLEX", "ZREMRANGEBYRANK", "ZREMRANGEBYSCORE", "XDEL", "XTRIM", "XACK", "XACKDEL", "XDELEX",
		"ARDEL", "ARDELRANGE", "ARSEEK", "VECTOR.DEL", "VECTOR.DROP",
		"GETDEL", "GETEX", "DELEX", "FLUSHALL", "FLUSHDB", "JSON.DEL", "JSON.FORGET", "JSON.CLEAR", "JSON.ARRPOP", "JSON.ARRTRIM":
		return false
	}
	return in.Group != "generic"
}

// throttle waits until the command may run.
func (x *exchange) throttle(ctx context.Context) error {
	if x.s.limits.PerSecond <= 0 {
		return nil
	}
	m := &x.s.meter
	m.mu.Lock()
	now := time.Now()
	// A second's worth may run at once, then they are spaced.
	if earliest := now.Add(-time.Second); m.next.Before(earliest) {
		m.next = earliest
	}
	m.next = m.next.Add(time.Second / time.Duration(x.s.limits.PerSecond))
	wait := m.next.Sub(now)
	m.mu.Unlock()
	if wait <= 0 {
		return nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// limitReply replaces a reply that is too large by the error.
func (s *Server) limitReply(r command.Reply) command.Reply {
	if n := replySize(r); over(n, s.limits.Request) {
		return command.Reply{Kind: command.KindError, Bytes: []byte(tooLarge(s.limits.Request, n))}
	}
	return r
}

func replySize(r command.Reply) int64 {
	n := int64(len(r.Bytes))
	for _, e := range r.Array {
		n += replySize(e)
	}
	return n
}

// sized is what an engine offers if it knows how large its values are. Record,
// data and pending limits need it.
type sized interface {
	SizeOf(key string) int64
	DataSize() int64
	Evict(n int) []string
	PendingOf(key, group, consumer string) int64
	Now() time.Time
}
