package command

import "fmt"

// RangeBy says what the ends of a [ZRangeArgs] are.
type RangeBy uint8

// What the ends of a range are.
const (
	ByRank  RangeBy = iota // positions, see [Rank]
	ByScore                // scores, see [Incl] and [Excl]
	ByLex                  // members, see [LexIncl] and [LexExcl]
)

// ZRangeArgs is a range of a sorted set. The ends are sent as they stand: with Rev,
// Redis wants the high end first in a range by score or member.
type ZRangeArgs struct {
	Start, Stop   Bound   // where it begins and ends, in the order of Rev
	By            RangeBy // default by rank
	Rev           bool    // from the high end to the low one
	Offset, Count int64   // skip Offset and return up to Count; only by score or member, no limit if both are 0
}

func (c Command[T]) zRange(a ZRangeArgs) Command[T] {
	c = c.add(string(a.Start), string(a.Stop)).failIf(a.Start == "" || a.Stop == "", "an end of the range is missing")
	switch a.By {
	case ByRank:
	case ByScore:
		c = c.add("BYSCORE")
	case ByLex:
		c = c.add("BYLEX")
	default:
		return c.fail(fmt.Errorf("unknown kind of range %d", a.By))
	}
	if a.Rev {
		c = c.add("REV")
	}
	if a.Offset != 0 || a.Count != 0 {
		c = c.failIf(a.By == ByRank, "Offset and Count need a range by score or member").
			add("LIMIT", integer(a.Offset), integer(a.Count))
	}
	return c
}

// ZRange returns the members at positions from start to stop by ascending
// score, both included; negative positions count from the end.
func ZRange(key string, start, stop int64) Command[[]string] {
	return read(toStrings, "ZRANGE", key, integer(start), integer(stop))
}

// ZRangeWithScores is [ZRange] with the scores.
func ZRangeWithScores(key string, start, stop int64) Command[[]Z] {
	return read(toZs, "ZRANGE", key, integer(start), integer(stop), "WITHSCORES")
}

// ZRangeArg returns the members of any kind of range.
func ZRangeArg(key string, args ZRangeArgs) Command[[]string] {
	return read(toStrings, "ZRANGE", key).zRange(args)
}

// ZRangeArgWithScores is [ZRangeArg] with the scores.
func ZRangeArgWithScores(key string, args ZRangeArgs) Command[[]Z] {
	return read(toZs, "ZRANGE", key).zRange(args).add("WITHSCORES")
}

// ZRangeStore stores the members of a range of the sorted set at source at
// destination and returns how many there are.
func ZRangeStore(destination, source string, args ZRangeArgs) Command[int64] {
	return write(toInt, "ZRANGESTORE", destination, source).zRange(args)
}

// LIMIT is the option of the older range commands that skips offset members
// and returns up to count; a negative count stands for all.
func LIMIT(offset, n int64) Limit { return Limit{[]string{"LIMIT", integer(offset), integer(n)}} }

// Limit is a part of a range, see [LIMIT]. The zero value is the whole.
type Limit struct{ args []string }

// ZRangeByLex returns the members between low and high; all scores must be
// equal. [ZRangeArg] does the same.
func ZRangeByLex(key string, low, high Bound, part Limit) Command[[]string] {
	return read(toStrings, "ZRANGEBYLEX", key, string(low), string(high)).add(part.args...)
}

// ZRevRangeByLex is [ZRangeByLex] from the high end to the low one.
func ZRevRangeByLex(key string, high, low Bound, part Limit) Command[[]string] {
	return read(toStrings, "ZREVRANGEBYLEX", key, string(high), string(low)).add(part.args...)
}

// ZRangeByScore returns the members with scores from low to high. [ZRangeArg]
// does the same.
func ZRangeByScore(key string, low, high Bound, part Limit) Command[[]string] {
	return read(toStrings, "ZRANGEBYSCORE", key, string(low), string(high)).add(part.args...)
}

// ZRangeByScoreWithScores is [ZRangeByScore] with the scores.
func ZRangeByScoreWithScores(key string, low, high Bound, part Limit) Command[[]Z] {
	return read(toZs, "ZRANGEBYSCORE", key, string(low), string(high), "WITHSCORES").add(part.args...)
}

// ZRevRangeByScore is [ZRangeByScore] from the high end to the low one.
func ZRevRangeByScore(key string, high, low Bound, part Limit) Command[[]string] {
	return read(toStrings, "ZREVRANGEBYSCORE", key, string(high), string(low)).add(part.args...)
}

// ZRevRangeByScoreWithScores is [ZRevRangeByScore] with the scores.
func ZRevRangeByScoreWithScores(key string, high, low Bound, part Limit) Command[[]Z] {
	return read(toZs, "ZREVRANGEBYSCORE", key, string(high), string(low), "WITHSCORES").add(part.args...)
}

// ZRevRange is [ZRange] by descending score.
func ZRevRange(key string, start, stop int64) Command[[]string] {
	return read(toStrings, "ZREVRANGE", key, integer(start), integer(stop))
}

// ZRevRangeWithScores is [ZRevRange] with the scores.
func ZRevRangeWithScores(key string, start, stop int64) Command[[]Z] {
	return read(toZs, "ZREVRANGE", key, integer(start), integer(stop), "WITHSCORES")
}
