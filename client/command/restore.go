package command

import "time"

// RestoreArgs varies [Restore].
type RestoreArgs struct {
	TTL     time.Duration // rounded up to a millisecond; 0 for none
	At      time.Time     // instead of TTL: when the key expires
	Replace bool          // whatever is at the key
	Idle    time.Duration // how long the key counts as unused; 0 for not at all
}

// Restore creates key from what [Dump] returned.
func Restore(key, dump string, args RestoreArgs) Command[OK] {
	ms := wholeMillis(args.TTL)
	if !args.At.IsZero() {
		ms = integer(args.At.UnixMilli())
	}
	c := write(toOK, "RESTORE", key, ms, dump)
	c = c.failIf(args.TTL != 0 && !args.At.IsZero(), "TTL and At exclude each other")
	if args.Replace {
		c = c.add("REPLACE")
	}
	if !args.At.IsZero() {
		c = c.add("ABSTTL")
	}
	if args.Idle > 0 {
		c = c.add("IDLETIME", integer(int64(args.Idle/time.Second)))
	}
	return c
}
