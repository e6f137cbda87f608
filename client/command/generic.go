package command

import "time"

// Copy copies the value of source to destination, which must not exist, and
// reports whether it did.
func Copy(source, destination string) Command[bool] {
	return write(toBool, "COPY", source, destination)
}

// CopyReplace copies the value of source to destination, whatever is there,
// and reports whether there was a source.
func CopyReplace(source, destination string) Command[bool] {
	return write(toBool, "COPY", source, destination, "REPLACE")
}

// Del deletes keys and returns how many there were.
func Del(keys ...string) Command[int64] {
	return repeat(toInt, "DEL").add(keys...).failIf(len(keys) == 0, "no keys")
}

// Dump returns the value of key in Redis's own serialised form, which is
// binary, or [ErrNil] if there is none.
func Dump(key string) Command[string] { return read(toString, "DUMP", key) }

// Exists returns how many of keys exist; a key named twice counts twice.
func Exists(keys ...string) Command[int64] {
	return read(toInt, "EXISTS").add(keys...).failIf(len(keys) == 0, "no keys")
}

// Expire gives key the lifetime d, rounded up to a second, and reports whether it
// did: the key may be missing, or an option may prevent it. A d of 0 or less
// deletes the key.
func Expire(key string, d time.Duration, opts ...ExpireOption) Command[bool] {
	return with(repeat(toBool, "EXPIRE", key, wholeSeconds(d)), opts)
}

// ExpireAt lets key live until t, rounded down to a second, and reports
// whether it did.
func ExpireAt(key string, t time.Time, opts ...ExpireOption) Command[bool] {
	return with(repeat(toBool, "EXPIREAT", key, integer(t.Unix())), opts)
}

// ExpireTime returns when key expires, to the second: the zero time if it
// does not, [ErrNil] if there is no such key.
func ExpireTime(key string) Command[time.Time] { return read(unixSeconds, "EXPIRETIME", key) }

// Keys returns all keys that match pattern. It walks the whole database; use
// [Scan].
func Keys(pattern string) Command[[]string] { return read(toStrings, "KEYS", pattern) }

// MemoryUsage returns the bytes that key takes, or [ErrNil] if there is no
// such key.
func MemoryUsage(key string) Command[int64] { return readSub(toInt, "MEMORY", "USAGE", key) }

// Persist removes the lifetime of key and reports whether it had one.
func Persist(key string) Command[bool] { return repeat(toBool, "PERSIST", key) }

// PExpire is [Expire] to the millisecond.
func PExpire(key string, d time.Duration, opts ...ExpireOption) Command[bool] {
	return with(repeat(toBool, "PEXPIRE", key, wholeMillis(d)), opts)
}

// PExpireAt is [ExpireAt] to the millisecond.
func PExpireAt(key string, t time.Time, opts ...ExpireOption) Command[bool] {
	return with(repeat(toBool, "PEXPIREAT", key, integer(t.UnixMilli())), opts)
}

// PExpireTime is [ExpireTime] to the millisecond.
func PExpireTime(key string) Command[time.Time] { return read(unixMillis, "PEXPIRETIME", key) }

// PTTL is [TTL] to the millisecond.
func PTTL(key string) Command[time.Duration] { return read(milliseconds, "PTTL", key) }

// RandomKey returns some key, or [ErrNil] if the database is empty.
func RandomKey() Command[string] { return read(toString, "RANDOMKEY") }

// Rename renames key, replacing what newKey held. A missing key is an error.
func Rename(key, newKey string) Command[OK] { return write(toOK, "RENAME", key, newKey) }

// RenameNX renames key if newKey does not exist, and reports whether it did.
func RenameNX(key, newKey string) Command[bool] { return write(toBool, "RENAMENX", key, newKey) }

// Touch marks keys as used and returns how many exist.
func Touch(keys ...string) Command[int64] {
	return read(toInt, "TOUCH").add(keys...).failIf(len(keys) == 0, "no keys")
}

// TTL returns how long key will live, to the second: [NoExpiry] if it does
// not expire, [ErrNil] if there is no such key.
func TTL(key string) Command[time.Duration] { return read(seconds, "TTL", key) }

// Type returns the type of the value at key: string, list, set, zset, hash,
// stream, or none if there is no such key.
func Type(key string) Command[string] { return read(toString, "TYPE", key) }

// Unlink deletes keys, freeing their memory later, and returns how many there
// were.
func Unlink(keys ...string) Command[int64] {
	return repeat(toInt, "UNLINK").add(keys...).failIf(len(keys) == 0, "no keys")
}
