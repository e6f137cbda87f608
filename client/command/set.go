package command

// SAdd adds members to the set at key and returns how many are new.
func SAdd(key string, members ...any) Command[int64] {
	return repeat(toInt, "SADD", key).values(members).failIf(len(members) == 0, "no members")
}

// SCard returns the number of members of the set at key.
func SCard(key string) Command[int64] { return read(toInt, "SCARD", key) }

// SDiff returns the members of the first set that are in none of the others.
func SDiff(keys ...string) Command[[]string] {
	return read(toStrings, "SDIFF").add(keys...).failIf(len(keys) == 0, "no keys")
}

// SDiffCard returns how many members of the first set are in none of the
// others; it stops counting at limit, unless that is 0.
func SDiffCard(limit int, keys ...string) Command[int64] {
	return read(toInt, "SDIFFCARD").cardinality(limit, keys)
}

// SDiffStore stores the result of [SDiff] at destination and returns its
// size.
func SDiffStore(destination string, keys ...string) Command[int64] {
	return write(toInt, "SDIFFSTORE", destination).add(keys...).failIf(len(keys) == 0, "no keys")
}

// SInter returns the members that all sets have.
func SInter(keys ...string) Command[[]string] {
	return read(toStrings, "SINTER").add(keys...).failIf(len(keys) == 0, "no keys")
}

// SInterCard returns how many members all sets have; it stops counting at
// limit, unless that is 0.
func SInterCard(limit int, keys ...string) Command[int64] {
	return read(toInt, "SINTERCARD").cardinality(limit, keys)
}

func (c Command[T]) cardinality(limit int, keys []string, words ...string) Command[T] {
	c = c.add(count(len(keys))).add(keys...).failIf(len(keys) == 0, "no keys").failIf(limit < 0, "the limit is negative")
	return c.add(words...).add("LIMIT", count(limit))
}

// SInterStore stores the result of [SInter] at destination and returns its
// size.
func SInterStore(destination string, keys ...string) Command[int64] {
	return write(toInt, "SINTERSTORE", destination).add(keys...).failIf(len(keys) == 0, "no keys")
}

// SIsMember reports whether member is in the set at key.
func SIsMember(key string, member any) Command[bool] {
	return read(toBool, "SISMEMBER", key).value(member)
}

// SMembers returns all members of the set at key, in no order.
func SMembers(key string) Command[[]string] { return read(toStrings, "SMEMBERS", key) }

// SMIsMember reports for each of members whether it is in the set at key.
func SMIsMember(key string, members ...any) Command[[]bool] {
	return read(toBools, "SMISMEMBER", key).values(members).failIf(len(members) == 0, "no members")
}

// SMove moves member from the set at source to the one at destination, and
// reports whether it was there.
func SMove(source, destination string, member any) Command[bool] {
	return write(toBool, "SMOVE", source, destination).value(member)
}

// SPop removes a random member of the set at key and returns it, or [ErrNil]
// if the set is empty.
func SPop(key string) Command[string] { return write(toString, "SPOP", key) }

// SPopN removes up to n random members of the set at key and returns them.
func SPopN(key string, n int) Command[[]string] {
	return write(toStrings, "SPOP", key, count(n))
}

// SRandMember returns a random member of the set at key, or [ErrNil] if the
// set is empty.
func SRandMember(key string) Command[string] { return read(toString, "SRANDMEMBER", key) }

// SRandMemberN returns up to n different random members of the set at key; if
// n is negative, exactly -n that may be equal.
func SRandMemberN(key string, n int) Command[[]string] {
	return read(toStrings, "SRANDMEMBER", key, count(n))
}

// SRem removes members from the set at key and returns how many were there.
func SRem(key string, members ...any) Command[int64] {
	return repeat(toInt, "SREM", key).values(members).failIf(len(members) == 0, "no members")
}

// SScan returns one page of the members of the set at key. Start with cursor
// "0" and go on with the page's cursor until that is "0" again; a member may
// come twice. client.SScanAll walks all pages.
func SScan(key, cursor string, opts ...ScanOption) Command[Page[string]] {
	return with(read(toStringPage, "SSCAN", key, cursor), opts)
}

// SUnion returns the members that any of the sets has.
func SUnion(keys ...string) Command[[]string] {
	return read(toStrings, "SUNION").add(keys...).failIf(len(keys) == 0, "no keys")
}

// SUnionCard returns how many members all sets have together; it stops
// counting at limit, unless that is 0.
func SUnionCard(limit int, keys ...string) Command[int64] {
	return read(toInt, "SUNIONCARD").cardinality(limit, keys)
}

// SUnionCardApprox is [SUnionCard] by estimate: cheaper for large sets, and
// wrong by about one percent.
func SUnionCardApprox(limit int, keys ...string) Command[int64] {
	return read(toInt, "SUNIONCARD").cardinality(limit, keys, "APPROX")
}

// SUnionStore stores the result of [SUnion] at destination and returns its
// size.
func SUnionStore(destination string, keys ...string) Command[int64] {
	return write(toInt, "SUNIONSTORE", destination).add(keys...).failIf(len(keys) == 0, "no keys")
}
