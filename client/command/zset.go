package command

import (
	"fmt"
	"strconv"
)

// Z is a member of a sorted set with its score.
type Z struct {
	Member string
	Score  float64
}

// ZAddOption is an option of [ZAdd] and [ZAddIncr]: [NX], [XX], [GT], [LT] or
// [CH]. XX goes together with GT or LT.
type ZAddOption interface {
	optional
	zAddOption()
}

// Changed is the option that counts changes too, see [CH].
type Changed struct{ option }

// CH makes the reply count the members that changed, not only the new ones.
func CH() Changed { return Changed{option{token: "CH", group: groupReport, once: true}} }

func (Existence) zAddOption() {}
func (Compare) zAddOption()   {}
func (Changed) zAddOption()   {}

// ZAdd sets the scores of members of the sorted set at key and returns how
// many are new.
func ZAdd(key string, members []Z, opts ...ZAddOption) Command[int64] {
	c := with(repeat(toInt, "ZADD", key), opts).failIf(len(members) == 0, "no members")
	for _, m := range members {
		c = c.add(Float(m.Score), m.Member)
	}
	return c
}

// ZAddIncr adds f to the score of member and returns the sum, which is not OK
// if an option prevented it. [CH] makes no sense here and is refused.
func ZAddIncr(key, member string, f float64, opts ...ZAddOption) Command[Maybe[float64]] {
	c := with(write(maybe(toFloat), "ZADD", key), opts)
	for _, o := range opts {
		if _, ok := o.(Changed); ok {
			c = c.failIf(true, "CH has no meaning beside INCR")
		}
	}
	return c.add("INCR", Float(f), member)
}

// ZCard returns the number of members of the sorted set at key.
func ZCard(key string) Command[int64] { return read(toInt, "ZCARD", key) }

// Bound is an end of a range: see [Incl], [Excl] and the constants.
type Bound string

// The ends of everything.
const (
	NegInf  Bound = "-inf" // below every score
	PosInf  Bound = "+inf" // above every score
	LexLow  Bound = "-"    // before every member
	LexHigh Bound = "+"    // after every member
)

// Incl is a score that belongs to the range.
func Incl(score float64) Bound { return Bound(Float(score)) }

// Excl is a score that does not belong to the range.
func Excl(score float64) Bound { return Bound("(" + Float(score)) }

// LexIncl is a member that belongs to the range.
func LexIncl(member string) Bound { return Bound("[" + member) }

// LexExcl is a member that does not belong to the range.
func LexExcl(member string) Bound { return Bound("(" + member) }

// Rank is a position in a sorted set as an end of a range; negative ones
// count from the end.
func Rank(i int64) Bound { return Bound(integer(i)) }

// ZCount returns how many members have a score from low to high.
func ZCount(key string, low, high Bound) Command[int64] {
	return read(toInt, "ZCOUNT", key, string(low), string(high))
}

// ZDiff returns the members of the first sorted set that are in none of the
// others.
func ZDiff(keys ...string) Command[[]string] {
	return read(toStrings, "ZDIFF", count(len(keys))).add(keys...).failIf(len(keys) == 0, "no keys")
}

// ZDiffWithScores is [ZDiff] with the scores.
func ZDiffWithScores(keys ...string) Command[[]Z] {
	return read(toZs, "ZDIFF", count(len(keys))).add(keys...).add("WITHSCORES").
		failIf(len(keys) == 0, "no keys")
}

// ZDiffStore stores the result of [ZDiff] at destination and returns its
// size.
func ZDiffStore(destination string, keys ...string) Command[int64] {
	return write(toInt, "ZDIFFSTORE", destination, count(len(keys))).add(keys...).
		failIf(len(keys) == 0, "no keys")
}

// ZIncrBy adds f to the score of member and returns the sum.
func ZIncrBy(key string, f float64, member string) Command[float64] {
	return write(toFloat, "ZINCRBY", key, Float(f), member)
}

// Aggregate says how scores of one member in several sets are combined.
type Aggregate string

// The ways to combine scores.
const (
	SUM Aggregate = "SUM" // the default
	MIN Aggregate = "MIN"
	MAX Aggregate = "MAX"
)

// ZKeys are the sets that [ZInter], [ZUnion] and their relatives combine.
type ZKeys struct {
	Keys      []string
	Weights   []float64 // one for each key, or none
	Aggregate Aggregate // "" stands for SUM
}

func (c Command[T]) zKeys(k ZKeys) Command[T] {
	c = c.add(count(len(k.Keys))).add(k.Keys...).failIf(len(k.Keys) == 0, "no keys")
	if len(k.Weights) > 0 {
		c = c.add("WEIGHTS").failIf(len(k.Weights) != len(k.Keys), "as many weights as keys are needed")
		for _, w := range k.Weights {
			c = c.add(Float(w))
		}
	}
	switch k.Aggregate {
	case "":
		return c
	case SUM, MIN, MAX:
		return c.add("AGGREGATE", string(k.Aggregate))
	}
	return c.fail(fmt.Errorf("unknown aggregate %q", string(k.Aggregate)))
}

// ZInter returns the members that all sets have.
func ZInter(sets ZKeys) Command[[]string] { return read(toStrings, "ZINTER").zKeys(sets) }

// ZInterWithScores is [ZInter] with the combined scores.
func ZInterWithScores(sets ZKeys) Command[[]Z] {
	return read(toZs, "ZINTER").zKeys(sets).add("WITHSCORES")
}

// ZInterCard returns how many members all sets have; it stops counting at
// limit, unless that is 0.
func ZInterCard(limit int, keys ...string) Command[int64] {
	return read(toInt, "ZINTERCARD", count(len(keys))).add(keys...).
		failIf(len(keys) == 0, "no keys").add("LIMIT", count(limit))
}

// ZInterStore stores the result of [ZInter] at destination and returns its
// size.
func ZInterStore(destination string, sets ZKeys) Command[int64] {
	return write(toInt, "ZINTERSTORE", destination).zKeys(sets)
}

// ZLexCount returns how many members lie between low and high; all scores
// must be equal.
func ZLexCount(key string, low, high Bound) Command[int64] {
	return read(toInt, "ZLEXCOUNT", key, string(low), string(high))
}

// ZPopped is what [ZMPop] took and from which set.
type ZPopped struct {
	Key     string
	Members []Z
}

// ZMPopMin removes up to n members with the lowest scores from the first
// sorted set of keys that has any, and returns them, or [ErrNil] if all are
// empty.
func ZMPopMin(n int, keys ...string) Command[ZPopped] {
	return write(toZPopped, "ZMPOP", count(len(keys))).add(keys...).add("MIN", "COUNT", count(n)).
		failIf(len(keys) == 0, "no keys")
}

// ZMPopMax is [ZMPopMin] with the highest scores.
func ZMPopMax(n int, keys ...string) Command[ZPopped] {
	return write(toZPopped, "ZMPOP", count(len(keys))).add(keys...).add("MAX", "COUNT", count(n)).
		failIf(len(keys) == 0, "no keys")
}

// ZMScore returns the scores of members in their order; those of missing
// members are not OK.
func ZMScore(key string, members ...string) Command[[]Maybe[float64]] {
	return read(toMaybeFloats, "ZMSCORE", key).add(members...).failIf(len(members) == 0, "no members")
}

// ZPopMax removes up to n members with the highest scores and returns them.
func ZPopMax(key string, n int) Command[[]Z] { return write(toZs, "ZPOPMAX", key, count(n)) }

// ZPopMin removes up to n members with the lowest scores and returns them.
func ZPopMin(key string, n int) Command[[]Z] { return write(toZs, "ZPOPMIN", key, count(n)) }

// ZRandMember returns a random member of the sorted set at key, or [ErrNil]
// if it is empty.
func ZRandMember(key string) Command[string] { return read(toString, "ZRANDMEMBER", key) }

// ZRandMemberN returns up to n different random members; if n is negative,
// exactly -n that may be equal.
func ZRandMemberN(key string, n int) Command[[]string] {
	return read(toStrings, "ZRANDMEMBER", key, count(n))
}

// ZRandMemberWithScores is [ZRandMemberN] with the scores.
func ZRandMemberWithScores(key string, n int) Command[[]Z] {
	return read(toZs, "ZRANDMEMBER", key, count(n), "WITHSCORES")
}

// ZRem removes members and returns how many there were.
func ZRem(key string, members ...any) Command[int64] {
	return repeat(toInt, "ZREM", key).values(members).failIf(len(members) == 0, "no members")
}

// ZRemRangeByLex removes the members between low and high and returns how
// many there were; all scores must be equal.
func ZRemRangeByLex(key string, low, high Bound) Command[int64] {
	return repeat(toInt, "ZREMRANGEBYLEX", key, string(low), string(high))
}

// ZRemRangeByRank removes the members at positions from start to end, both
// included, and returns how many there were.
func ZRemRangeByRank(key string, start, end int64) Command[int64] {
	return write(toInt, "ZREMRANGEBYRANK", key, integer(start), integer(end))
}

// ZRemRangeByScore removes the members with scores from low to high and
// returns how many there were.
func ZRemRangeByScore(key string, low, high Bound) Command[int64] {
	return repeat(toInt, "ZREMRANGEBYSCORE", key, string(low), string(high))
}

// ZRank returns the position of member by ascending score, or [ErrNil] if it
// is not there.
func ZRank(key, member string) Command[int64] { return read(toInt, "ZRANK", key, member) }

// ZRankWithScore is [ZRank] with the score.
func ZRankWithScore(key, member string) Command[Ranked] {
	return read(toRanked, "ZRANK", key, member, "WITHSCORE")
}

// ZRevRank returns the position of member by descending score, or [ErrNil] if
// it is not there.
func ZRevRank(key, member string) Command[int64] { return read(toInt, "ZREVRANK", key, member) }

// ZRevRankWithScore is [ZRevRank] with the score.
func ZRevRankWithScore(key, member string) Command[Ranked] {
	return read(toRanked, "ZREVRANK", key, member, "WITHSCORE")
}

// ZScan returns one page of the members of the sorted set at key with their
// scores, see [SScan]. client.ZScanAll walks all pages.
func ZScan(key, cursor string, opts ...ScanOption) Command[Page[Z]] {
	return with(read(toZPage, "ZSCAN", key, cursor), opts)
}

// ZScore returns the score of member, or [ErrNil] if it is not there.
func ZScore(key, member string) Command[float64] { return read(toFloat, "ZSCORE", key, member) }

// ZUnion returns the members that any of the sets has.
func ZUnion(sets ZKeys) Command[[]string] { return read(toStrings, "ZUNION").zKeys(sets) }

// ZUnionWithScores is [ZUnion] with the combined scores.
func ZUnionWithScores(sets ZKeys) Command[[]Z] {
	return read(toZs, "ZUNION").zKeys(sets).add("WITHSCORES")
}

// ZUnionStore stores the result of [ZUnion] at destination and returns its
// size.
func ZUnionStore(destination string, sets ZKeys) Command[int64] {
	return write(toInt, "ZUNIONSTORE", destination).zKeys(sets)
}

// Ranked is a position in a sorted set and the score there.
type Ranked struct {
	Rank  int64
	Score float64
}

func toRanked(r Reply) (Ranked, error) {
	if r.Kind == KindNil {
		return Ranked{}, ErrNil
	}
	if r.Kind != KindArray || len(r.Array) != 2 {
		return Ranked{}, mismatch("a rank and a score", r)
	}
	rank, err := toInt(r.Array[0])
	if err != nil {
		return Ranked{}, err
	}
	score, err := toFloat(r.Array[1])
	return Ranked{Rank: rank, Score: score}, err
}

// toZs reads members and scores in turn, or pairs of them.
func toZs(r Reply) ([]Z, error) {
	if r.Kind == KindNil {
		return nil, nil
	}
	if r.Kind != KindArray {
		return nil, mismatch("an array of pairs", r)
	}
	flat := r.Array
	if len(flat) > 0 && flat[0].Kind == KindArray {
		flat = flatten(flat)
	}
	if len(flat)%2 != 0 {
		return nil, mismatch("an array of pairs", r)
	}
	out := make([]Z, len(flat)/2)
	for i := range out {
		var err error
		if out[i].Member, err = toString(flat[2*i]); err != nil {
			return nil, err
		}
		if out[i].Score, err = toFloat(flat[2*i+1]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

var toZPage = toPage(toZs)

func toZPopped(r Reply) (ZPopped, error) {
	if r.Kind == KindNil {
		return ZPopped{}, ErrNil
	}
	if r.Kind != KindArray || len(r.Array) != 2 {
		return ZPopped{}, mismatch("a key and members", r)
	}
	key, err := toString(r.Array[0])
	if err != nil {
		return ZPopped{}, err
	}
	members, err := toZs(r.Array[1])
	return ZPopped{Key: key, Members: members}, err
}

// String prints a score as Redis does.
func (z Z) String() string { return strconv.Quote(z.Member) + ":" + Float(z.Score) }
