package command

import "time"

// StreamInfo describes a stream. Figures that the server does not report are
// zero.
type StreamInfo struct {
	Length         int64
	Groups         int64
	LastID         string
	MaxDeletedID   string
	EntriesAdded   int64
	RadixTreeKeys  int64
	RadixTreeNodes int64
	First, Last    Maybe[StreamEntry] // not OK for an empty stream
}

// XInfoStream describes the stream at key.
func XInfoStream(key string) Command[StreamInfo] {
	return readSub(toStreamInfo, "XINFO", "STREAM", key)
}

// GroupInfo describes a consumer group. Figures that the server does not
// report are zero.
type GroupInfo struct {
	Name            string
	Consumers       int64
	Pending         int64
	LastDeliveredID string
	EntriesRead     Maybe[int64] // not OK if the server does not know
	Lag             Maybe[int64] // not OK if the server does not know
}

// XInfoGroups describes the groups of the stream at key.
func XInfoGroups(key string) Command[[]GroupInfo] {
	return readSub(listOf(toGroupInfo), "XINFO", "GROUPS", key)
}

// ConsumerInfo describes a consumer.
type ConsumerInfo struct {
	Name     string
	Pending  int64
	Idle     time.Duration        // since it tried to read or claim
	Inactive Maybe[time.Duration] // since it was given an entry; not OK if the server does not know
}

// XInfoConsumers describes the consumers of a group.
func XInfoConsumers(key, group string) Command[[]ConsumerInfo] {
	return readSub(listOf(toConsumerInfo), "XINFO", "CONSUMERS", key, group)
}

// record reads an array of names and values in turn. The first error of its
// getters stays in err.
type record struct {
	values map[string]Reply
	err    error
}

func toRecord(r Reply) *record {
	rec := &record{values: map[string]Reply{}}
	if r.Kind != KindArray || len(r.Array)%2 != 0 {
		rec.err = mismatch("names and values", r)
		return rec
	}
	for i := 0; i < len(r.Array); i += 2 {
		name, err := toString(r.Array[i])
		if err != nil {
			rec.err = err
			return rec
		}
		rec.values[name] = r.Array[i+1]
	}
	return rec
}

// field reads a value; the zero value stands for one that is missing or nil.
func field[T any](rec *record, name string, decode func(Reply) (T, error)) Maybe[T] {
	r, ok := rec.values[name]
	if !ok || r.Kind == KindNil || rec.err != nil {
		return Maybe[T]{}
	}
	v, err := decode(r)
	if err != nil {
		rec.err = err
		return Maybe[T]{}
	}
	return Maybe[T]{Value: v, OK: true}
}

func toStreamInfo(r Reply) (StreamInfo, error) {
	rec := toRecord(r)
	info := StreamInfo{
		Length:         field(rec, "length", toInt).Value,
		Groups:         field(rec, "groups", toInt).Value,
		LastID:         field(rec, "last-generated-id", toString).Value,
		MaxDeletedID:   field(rec, "max-deleted-entry-id", toString).Value,
		EntriesAdded:   field(rec, "entries-added", toInt).Value,
		RadixTreeKeys:  field(rec, "radix-tree-keys", toInt).Value,
		RadixTreeNodes: field(rec, "radix-tree-nodes", toInt).Value,
		First:          field(rec, "first-entry", toEntry),
		Last:           field(rec, "last-entry", toEntry),
	}
	return info, rec.err
}

func toGroupInfo(r Reply) (GroupInfo, error) {
	rec := toRecord(r)
	info := GroupInfo{
		Name:            field(rec, "name", toString).Value,
		Consumers:       field(rec, "consumers", toInt).Value,
		Pending:         field(rec, "pending", toInt).Value,
		LastDeliveredID: field(rec, "last-delivered-id", toString).Value,
		EntriesRead:     field(rec, "entries-read", toInt),
		Lag:             field(rec, "lag", toInt),
	}
	return info, rec.err
}

func toConsumerInfo(r Reply) (ConsumerInfo, error) {
	rec := toRecord(r)
	info := ConsumerInfo{
		Name:     field(rec, "name", toString).Value,
		Pending:  field(rec, "pending", toInt).Value,
		Idle:     field(rec, "idle", milliseconds).Value,
		Inactive: field(rec, "inactive", milliseconds),
	}
	if info.Inactive.Value == NoExpiry { // -1 stands for "not yet"
		info.Inactive = Maybe[time.Duration]{}
	}
	return info, rec.err
}
