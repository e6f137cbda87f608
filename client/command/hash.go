package command

// HDel deletes fields of the hash at key and returns how many there were.
func HDel(key string, fields ...string) Command[int64] {
	return repeat(toInt, "HDEL", key).add(fields...).failIf(len(fields) == 0, "no fields")
}

// HExists reports whether the hash at key has field.
func HExists(key, field string) Command[bool] { return read(toBool, "HEXISTS", key, field) }

// HGet returns the value of field in the hash at key, or [ErrNil] if there is
// none.
func HGet(key, field string) Command[string] { return read(toString, "HGET", key, field) }

// HGetAll returns all fields of the hash at key; the map of a missing key is
// empty.
func HGetAll(key string) Command[map[string]string] { return read(toMap, "HGETALL", key) }

// HIncrBy adds n to the number in field and returns the sum.
func HIncrBy(key, field string, n int64) Command[int64] {
	return write(toInt, "HINCRBY", key, field, integer(n))
}

// HIncrByFloat adds f to the number in field and returns the sum.
func HIncrByFloat(key, field string, f float64) Command[float64] {
	return write(toFloat, "HINCRBYFLOAT", key, field, Float(f))
}

// HKeys returns the names of the fields of the hash at key.
func HKeys(key string) Command[[]string] { return read(toStrings, "HKEYS", key) }

// HLen returns the number of fields of the hash at key.
func HLen(key string) Command[int64] { return read(toInt, "HLEN", key) }

// HMGet returns the values of fields in their order; those of missing fields
// are not OK.
func HMGet(key string, fields ...string) Command[[]Maybe[string]] {
	return read(toMaybeStrings, "HMGET", key).add(fields...).failIf(len(fields) == 0, "no fields")
}

// HMSet sets fields of the hash at key. [HSet] also says how many are new.
func HMSet(key string, fields map[string]any) Command[OK] {
	return repeat(toOK, "HMSET", key).mapping(fields)
}

// HRandField returns the name of a random field of the hash at key, or
// [ErrNil] if there is none.
func HRandField(key string) Command[string] { return read(toString, "HRANDFIELD", key) }

// HRandFieldN returns the names of up to n different random fields of the
// hash at key; if n is negative, exactly -n that may be equal.
func HRandFieldN(key string, n int) Command[[]string] {
	return read(toStrings, "HRANDFIELD", key, count(n))
}

// HRandFieldWithValues is [HRandFieldN] with the values.
func HRandFieldWithValues(key string, n int) Command[[]Pair] {
	return read(toPairs, "HRANDFIELD", key, count(n), "WITHVALUES")
}

// HScan returns one page of the fields of the hash at key, see [SScan].
// client.HScanAll walks all pages.
func HScan(key, cursor string, opts ...ScanOption) Command[Page[Pair]] {
	return with(read(toPairPage, "HSCAN", key, cursor), opts)
}

// HSet sets fields of the hash at key and returns how many are new.
func HSet(key string, fields map[string]any) Command[int64] {
	return repeat(toInt, "HSET", key).mapping(fields)
}

// HSetNX sets field to value if it does not exist, and reports whether it
// did.
func HSetNX(key, field string, value any) Command[bool] {
	return write(toBool, "HSETNX", key, field).value(value)
}

// HStrLen returns the length in bytes of the value of field, 0 if there is
// none.
func HStrLen(key, field string) Command[int64] { return read(toInt, "HSTRLEN", key, field) }

// HVals returns the values of all fields of the hash at key.
func HVals(key string) Command[[]string] { return read(toStrings, "HVALS", key) }
