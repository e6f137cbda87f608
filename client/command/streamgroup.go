package command

import "time"

// XAck acknowledges entries for group and returns how many were pending.
func XAck(key, group string, ids ...string) Command[int64] {
	return repeat(toInt, "XACK", key, group).add(ids...).failIf(len(ids) == 0, "no IDs")
}

// XReadGroupArgs says who reads in [XReadGroup] and how.
type XReadGroupArgs struct {
	Group, Consumer string
	Count           int64 // at most so many of each stream; 0 for all
	NoAck           bool  // what is read counts as acknowledged
}

// XReadGroup gives entries of streams to a consumer of a group. Streams
// without new entries are left out; REST cannot wait for any.
func XReadGroup(args XReadGroupArgs, streams ...StreamFrom) Command[[]StreamEntries] {
	c := write(toStreams, "XREADGROUP", "GROUP", args.Group, args.Consumer).entries(args.Count)
	if args.NoAck {
		c = c.add("NOACK")
	}
	return c.streams(streams)
}

// XGroupCreateOption is an option of [XGroupCreate]: [MKSTREAM] or
// [ENTRIESREAD].
type XGroupCreateOption interface {
	optional
	xGroupCreateOption()
}

// XGroupSetIDOption is an option of [XGroupSetID]: [ENTRIESREAD].
type XGroupSetIDOption interface {
	optional
	xGroupSetIDOption()
}

// MakeStream is the option that creates a stream, see [MKSTREAM].
type MakeStream struct{ option }

// MKSTREAM creates the stream if there is none.
func MKSTREAM() MakeStream { return MakeStream{option{token: "MKSTREAM"}} }

// EntriesRead is what a group has read, see [ENTRIESREAD].
type EntriesRead struct{ option }

// ENTRIESREAD tells the server how many entries the group has read, so that
// it can report its lag.
func ENTRIESREAD(n int64) EntriesRead {
	return EntriesRead{option{token: "ENTRIESREAD", arg: integer(n), hasArg: true}}
}

func (MakeStream) xGroupCreateOption()  {}
func (EntriesRead) xGroupCreateOption() {}
func (EntriesRead) xGroupSetIDOption()  {}

// XGroupCreate creates a group that starts after the entry id, such as
// [FromStart] or [FromNow].
func XGroupCreate(key, group, id string, opts ...XGroupCreateOption) Command[OK] {
	return with(writeSub(toOK, "XGROUP", "CREATE", key, group, id), opts)
}

// XGroupCreateConsumer creates a consumer and reports whether it is new.
func XGroupCreateConsumer(key, group, consumer string) Command[bool] {
	return repeatSub(toBool, "XGROUP", "CREATECONSUMER", key, group, consumer)
}

// XGroupDelConsumer deletes a consumer and returns how many entries were
// pending for it.
func XGroupDelConsumer(key, group, consumer string) Command[int64] {
	return repeatSub(toInt, "XGROUP", "DELCONSUMER", key, group, consumer)
}

// XGroupDestroy deletes a group and reports whether there was one.
func XGroupDestroy(key, group string) Command[bool] {
	return repeatSub(toBool, "XGROUP", "DESTROY", key, group)
}

// XGroupSetID lets a group go on after the entry id.
func XGroupSetID(key, group, id string, opts ...XGroupSetIDOption) Command[OK] {
	return with(repeatSub(toOK, "XGROUP", "SETID", key, group, id), opts)
}

// PendingSummary is what a group has given out and nobody acknowledged.
type PendingSummary struct {
	Count           int64
	Lowest, Highest string           // IDs, "" if Count is 0
	Consumers       map[string]int64 // how many each has
}

// XPending returns the summary of the pending entries of a group.
func XPending(key, group string) Command[PendingSummary] {
	return read(toPendingSummary, "XPENDING", key, group)
}

func toPendingSummary(r Reply) (PendingSummary, error) {
	if r.Kind != KindArray || len(r.Array) != 4 {
		return PendingSummary{}, mismatch("a summary", r)
	}
	var s PendingSummary
	var err error
	if s.Count, err = toInt(r.Array[0]); err != nil {
		return s, err
	}
	if s.Lowest, err = toString(r.Array[1]); err != nil && err != ErrNil {
		return s, err
	}
	if s.Highest, err = toString(r.Array[2]); err != nil && err != ErrNil {
		return s, err
	}
	s.Consumers = map[string]int64{}
	for _, row := range r.Array[3].Array {
		if row.Kind != KindArray || len(row.Array) != 2 {
			return s, mismatch("a consumer and a number", row)
		}
		name, err := toString(row.Array[0])
		if err != nil {
			return s, err
		}
		if s.Consumers[name], err = toInt(row.Array[1]); err != nil {
			return s, err
		}
	}
	return s, nil
}

// XPendingArgs is the part of the pending entries that [XPendingRange]
// returns.
type XPendingArgs struct {
	Start, End string // IDs; "" stands for the ends of the stream
	Count      int64  // at most so many; 0 stands for 100
	Consumer   string // of this one only, if set
	MinIdle    time.Duration
}

// Pending is an entry that was given to a consumer and not acknowledged.
type Pending struct {
	ID, Consumer string
	Idle         time.Duration // since it was given out last
	Deliveries   int64
}

// XPendingRange returns pending entries of a group.
func XPendingRange(key, group string, args XPendingArgs) Command[[]Pending] {
	c := read(toPending, "XPENDING", key, group)
	if args.MinIdle > 0 {
		c = c.add("IDLE", age(args.MinIdle))
	}
	start, end, n := StreamLow, StreamHigh, int64(100)
	if args.Start != "" {
		start = args.Start
	}
	if args.End != "" {
		end = args.End
	}
	if args.Count > 0 {
		n = args.Count
	}
	c = c.add(start, end, integer(n))
	if args.Consumer != "" {
		c = c.add(args.Consumer)
	}
	return c
}

var toPending = listOf(func(r Reply) (Pending, error) {
	if r.Kind != KindArray || len(r.Array) != 4 {
		return Pending{}, mismatch("a pending entry", r)
	}
	var p Pending
	var err error
	if p.ID, err = toString(r.Array[0]); err != nil {
		return p, err
	}
	if p.Consumer, err = toString(r.Array[1]); err != nil {
		return p, err
	}
	ms, err := toInt(r.Array[2])
	if err != nil {
		return p, err
	}
	p.Idle = time.Duration(ms) * time.Millisecond
	p.Deliveries, err = toInt(r.Array[3])
	return p, err
})

// XClaimArgs says who takes pending entries over, and which.
type XClaimArgs struct {
	Group, Consumer string
	MinIdle         time.Duration // only entries that nobody touched for so long
	Force           bool          // XClaim: also entries that are not pending
}

// XClaim makes pending entries those of another consumer and returns them.
func XClaim(key string, args XClaimArgs, ids ...string) Command[[]StreamEntry] {
	return write(toEntries, "XCLAIM", key).claim(args, ids)
}

// XClaimJustID is [XClaim] that returns the IDs only and does not count as a
// delivery.
func XClaimJustID(key string, args XClaimArgs, ids ...string) Command[[]string] {
	return write(toStrings, "XCLAIM", key).claim(args, ids).add("JUSTID")
}

func (c Command[T]) claim(a XClaimArgs, ids []string) Command[T] {
	c = c.add(a.Group, a.Consumer, age(a.MinIdle)).add(ids...).failIf(len(ids) == 0, "no IDs")
	if a.Force {
		c = c.add("FORCE")
	}
	return c
}

// Claimed is one page of [XAutoClaim].
type Claimed[T any] struct {
	Next    string   // where to go on; "0-0" at the end
	Entries []T      // those taken over
	Deleted []string // IDs that were pending but are not in the stream any more
}

// XAutoClaim makes up to n pending entries from start on those of another
// consumer; n of 0 stands for the server's default of 100.
func XAutoClaim(key string, args XClaimArgs, start string, n int64) Command[Claimed[StreamEntry]] {
	return write(toClaimed(toEntries), "XAUTOCLAIM", key).autoClaim(args, start, n)
}

// XAutoClaimJustID is [XAutoClaim] that returns the IDs only and does not
// count as a delivery.
func XAutoClaimJustID(key string, args XClaimArgs, start string, n int64) Command[Claimed[string]] {
	return write(toClaimed(toStrings), "XAUTOCLAIM", key).autoClaim(args, start, n).add("JUSTID")
}

func (c Command[T]) autoClaim(a XClaimArgs, start string, n int64) Command[T] {
	return c.add(a.Group, a.Consumer, age(a.MinIdle), start).entries(n).
		failIf(a.Force, "XAUTOCLAIM has no Force")
}

func toClaimed[T any](items func(Reply) ([]T, error)) func(Reply) (Claimed[T], error) {
	return func(r Reply) (Claimed[T], error) {
		var out Claimed[T]
		if r.Kind != KindArray || len(r.Array) < 2 {
			return out, mismatch("a cursor and entries", r)
		}
		var err error
		if out.Next, err = toString(r.Array[0]); err != nil {
			return out, err
		}
		if out.Entries, err = items(r.Array[1]); err != nil {
			return out, err
		}
		if len(r.Array) > 2 {
			out.Deleted, err = toStrings(r.Array[2])
		}
		return out, err
	}
}
