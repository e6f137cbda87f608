package client_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
)

// sample is one call of a command with a reply as the server documents it: in
// JSON, with strings as they are.
type sample struct {
	fn    string // the function of package command
	reply string
	cmd   command.Cmd
	// run sends the command and prints what the caller gets.
	run func(ctx context.Context, c *client.Client) (string, error)
}

func call[T any](fn string, cmd command.Command[T], reply string) sample {
	return sample{fn: fn, reply: reply, cmd: cmd, run: func(ctx context.Context, c *client.Client) (string, error) {
		v, err := client.Do(ctx, c, cmd)
		if errors.Is(err, client.ErrNil) {
			return "nil", nil
		}
		return show(v), err
	}}
}

// show prints a value with its type, times in UTC.
func show(v any) string {
	if t, ok := v.(time.Time); ok {
		return t.UTC().Format(time.RFC3339Nano)
	}
	if l, ok := v.([]command.Maybe[time.Time]); ok {
		s := ""
		for _, m := range l {
			s += fmt.Sprintf("{%s %t}", m.Value.UTC().Format(time.RFC3339Nano), m.OK)
		}
		return s
	}
	if s, ok := v.(string); ok {
		return fmt.Sprintf("string %q", s)
	}
	return fmt.Sprintf("%T %+v", v, v)
}

func samples() []sample {
	var all []sample
	for _, group := range [][]sample{
		stringSamples(), bitSamples(), genericSamples(), hashSamples(), hashTTLSamples(), listSamples(), setSamples(),
		sortedSetSamples(), rangeSamples(), geoSamples(), streamSamples(), groupSamples(), scriptSamples(),
		serverSamples(), jsonSamples(), searchSamples(), arraySamples(), vectorSamples(),
	} {
		all = append(all, group...)
	}
	return all
}

var (
	someTime   = time.Unix(4102444800, 0) // 2100-01-01
	someFields = map[string]any{"b": 2, "a": "x"}
)

func stringSamples() []sample {
	return []sample{
		call("Append", command.Append("s", "xy"), `5`),
		call("Decr", command.Decr("n"), `41`),
		call("DecrBy", command.DecrBy("n", 2), `40`),
		call("DelEx", command.DelEx("s", command.IFEQ("abc")), `1`),
		call("Digest", command.Digest("s"), `"b6acb9d84a38ff74"`),
		call("Get", command.Get("s"), `"abc"`),
		call("GetDel", command.GetDel("s"), `"abc"`),
		call("GetEx", command.GetEx("s", command.EX(time.Minute)), `"abc"`),
		call("GetEx", command.GetEx("s", command.PERSIST()), `null`),
		call("GetRange", command.GetRange("s", 0, 1), `"ab"`),
		call("GetSet", command.GetSet("s", 1), `"abc"`),
		call("Incr", command.Incr("n"), `43`),
		call("IncrBy", command.IncrBy("n", 9007199254740993), `9007199254740993`),
		call("IncrByFloat", command.IncrByFloat("n", 0.5), `"10.5"`),
		call("MGet", command.MGet("s", "missing"), `["abc",null]`),
		call("MSet", command.MSet(someFields), `"OK"`),
		call("MSetEX", command.MSetEX(someFields, command.PX(time.Minute)), `1`),
		call("MSetEX", command.MSetEX(someFields, command.NX(), command.EXAT(someTime)), `0`),
		call("MSetEX", command.MSetEX(someFields, command.XX(), command.KeepTTL()), `1`),
		call("MSetNX", command.MSetNX(someFields), `1`),
		call("PSetEX", command.PSetEX("s", 1500*time.Millisecond, "v"), `"OK"`),
		call("Set", command.Set("s", "v"), `"OK"`),
		call("Set", command.Set("s", "v", command.EX(time.Minute), command.NX()), `null`),
		call("Set", command.Set("s", "v", command.PXAT(someTime), command.XX()), `"OK"`),
		call("Set", command.Set("s", "v", command.KeepTTL(), command.IFEQ("abc")), `"OK"`),
		call("Set", command.Set("s", "v", command.IFNE("abc")), `null`),
		call("Set", command.Set("s", "v", command.EXAT(someTime), command.IFDEQ("b6acb9d84a38ff74")), `"OK"`),
		call("Set", command.Set("s", "v", command.IFDNE("b6acb9d84a38ff74")), `"OK"`),
		call("SetGet", command.SetGet("s", "v", command.PX(time.Second)), `"abc"`),
		call("SetEX", command.SetEX("s", time.Minute, "v"), `"OK"`),
		call("SetNX", command.SetNX("s", "v"), `0`),
		call("SetNX", command.SetNX("s", "v", command.EX(1500*time.Millisecond)), `null`),
		call("SetRange", command.SetRange("s", 1, "zz"), `3`),
		call("StrLen", command.StrLen("s"), `3`),
	}
}

func bitSamples() []sample {
	return []sample{
		call("BitCount", command.BitCount("s"), `10`),
		call("BitCountRange", command.BitCountRange("s", 0, -1, command.BYTE), `10`),
		call("BitCountRange", command.BitCountRange("s", 0, 5, command.BIT), `3`),
		call("BitField", command.BitField("bits", command.BitOverflow(command.FAIL),
			command.BitIncr("u2", "#1", 5), command.BitGet("i8", "0"), command.BitSet("u4", "4", 3)), `[null,1,0]`),
		call("BitFieldRO", command.BitFieldRO("bits", command.BitGet("u4", "0")), `[5]`),
		call("BitOp", command.BitOp(command.AND, "dst", "s", "n"), `3`),
		call("BitOp", command.BitOp(command.DIFF1, "dst", "s", "n"), `3`),
		call("BitPos", command.BitPos("s", true), `1`),
		call("BitPosRange", command.BitPosRange("s", false, 0, -1, command.BIT), `-1`),
		call("GetBit", command.GetBit("s", 1), `1`),
		call("SetBit", command.SetBit("bits", 7, true), `0`),
		call("PFAdd", command.PFAdd("pf", "a", "b"), `1`),
		call("PFCount", command.PFCount("pf"), `2`),
		call("PFMerge", command.PFMerge("dst", "pf"), `"OK"`),
	}
}

func genericSamples() []sample {
	return []sample{
		call("Copy", command.Copy("s", "dst"), `1`),
		call("CopyReplace", command.CopyReplace("s", "dst"), `1`),
		call("Del", command.Del("s", "missing"), `1`),
		call("Dump", command.Dump("s"), `"\u0000\u0003abc"`),
		call("Exists", command.Exists("s", "s", "missing"), `2`),
		call("Expire", command.Expire("s", time.Minute), `1`),
		call("Expire", command.Expire("s", time.Minute, command.XX(), command.GT()), `0`),
		call("ExpireAt", command.ExpireAt("s", someTime, command.NX()), `1`),
		call("ExpireTime", command.ExpireTime("s"), `4102444800`),
		call("ExpireTime", command.ExpireTime("s"), `-1`),
		call("Keys", command.Keys("*"), `["s"]`),
		call("MemoryUsage", command.MemoryUsage("s"), `56`),
		call("Persist", command.Persist("s"), `0`),
		call("PExpire", command.PExpire("s", 1500*time.Millisecond, command.LT()), `1`),
		call("PExpireAt", command.PExpireAt("s", someTime), `1`),
		call("PExpireTime", command.PExpireTime("s"), `4102444800123`),
		call("PTTL", command.PTTL("s"), `1500`),
		call("RandomKey", command.RandomKey(), `"s"`),
		call("Rename", command.Rename("s", "dst"), `"OK"`),
		call("RenameNX", command.RenameNX("s", "dst"), `1`),
		call("Restore", command.Restore("dst", "\x00\x03abc", command.RestoreArgs{TTL: time.Second, Replace: true}), `"OK"`),
		call("Restore", command.Restore("dst", "\x00\x03abc", command.RestoreArgs{At: someTime, Idle: time.Minute}), `"OK"`),
		call("Scan", command.Scan("0", command.MATCH("s*"), command.COUNT(10), command.TYPE("string")), `["18446744073709551615",["s"]]`),
		call("Touch", command.Touch("s", "n"), `2`),
		call("TTL", command.TTL("s"), `60`),
		call("TTL", command.TTL("s"), `-1`),
		call("TTL", command.TTL("missing"), `-2`),
		call("Type", command.Type("s"), `"string"`),
		call("Unlink", command.Unlink("s"), `1`),
	}
}

func hashSamples() []sample {
	return []sample{
		call("HDel", command.HDel("h", "a", "x"), `1`),
		call("HExists", command.HExists("h", "a"), `1`),
		call("HGet", command.HGet("h", "a"), `"1"`),
		call("HGetAll", command.HGetAll("h"), `["a","1","b","2"]`),
		call("HIncrBy", command.HIncrBy("h", "a", 2), `3`),
		call("HIncrByFloat", command.HIncrByFloat("h", "a", 0.5), `"1.5"`),
		call("HKeys", command.HKeys("h"), `["a","b"]`),
		call("HLen", command.HLen("h"), `2`),
		call("HMGet", command.HMGet("h", "a", "x"), `["1",null]`),
		call("HMSet", command.HMSet("h", someFields), `"OK"`),
		call("HRandField", command.HRandField("h"), `"a"`),
		call("HRandFieldN", command.HRandFieldN("h", 2), `["a","b"]`),
		call("HRandFieldWithValues", command.HRandFieldWithValues("h", -2), `["a","1","a","1"]`),
		call("HScan", command.HScan("h", "0", command.COUNT(10)), `["0",["a","1","b","2"]]`),
		call("HSet", command.HSet("h", someFields), `0`),
		call("HSetStruct", command.HSetStruct("h", struct {
			A int `redis:"a"`
		}{1}), `1`),
		call("HSetNX", command.HSetNX("h", "a", 1), `0`),
		call("HStrLen", command.HStrLen("h", "a"), `1`),
		call("HVals", command.HVals("h"), `["1","2"]`),
	}
}

func hashTTLSamples() []sample {
	return []sample{
		call("HExpire", command.HExpire("h", time.Minute, []string{"a", "x"}, command.NX()), `[1,-2]`),
		call("HExpireAt", command.HExpireAt("h", someTime, []string{"a"}), `[1]`),
		call("HExpireTime", command.HExpireTime("h", "a", "b", "x"), `[4102444800,-1,-2]`),
		call("HGetDel", command.HGetDel("h", "a", "x"), `["1",null]`),
		call("HGetEx", command.HGetEx("h", []string{"a"}, command.EX(time.Minute)), `["1"]`),
		call("HPersist", command.HPersist("h", "a"), `[-1]`),
		call("HPExpire", command.HPExpire("h", time.Second, []string{"a"}, command.GT()), `[2]`),
		call("HPExpireAt", command.HPExpireAt("h", someTime, []string{"a"}, command.LT()), `[0]`),
		call("HPExpireTime", command.HPExpireTime("h", "a"), `[4102444800123]`),
		call("HPTTL", command.HPTTL("h", "a", "b"), `[1500,-1]`),
		call("HSetEx", command.HSetEx("h", someFields, command.FXX(), command.PX(time.Second)), `1`),
		call("HTTL", command.HTTL("missing", "a"), `null`),
	}
}

func listSamples() []sample {
	return []sample{
		call("LIndex", command.LIndex("l", -1), `"c"`),
		call("LInsertAfter", command.LInsertAfter("l", "a", "z"), `4`),
		call("LInsertBefore", command.LInsertBefore("l", "a", "z"), `4`),
		call("LLen", command.LLen("l"), `3`),
		call("LMove", command.LMove("l", "dst", command.LEFT, command.RIGHT), `"a"`),
		call("LMPop", command.LMPop(command.LEFT, 2, "missing", "l"), `["l",["a","b"]]`),
		call("LPop", command.LPop("l"), `"a"`),
		call("LPopN", command.LPopN("l", 2), `["a","b"]`),
		call("LPos", command.LPos("l", "b", command.LPosArgs{}), `1`),
		call("LPos", command.LPos("l", "b", command.LPosArgs{Rank: -1, MaxLen: 10}), `null`),
		call("LPosN", command.LPosN("l", "b", 0, command.LPosArgs{Rank: 1}), `[1]`),
		call("LPush", command.LPush("l", "x", 1), `5`),
		call("LPushX", command.LPushX("l", "x"), `4`),
		call("LRange", command.LRange("l", 0, -1), `["a","b","c"]`),
		call("LRem", command.LRem("l", 0, "a"), `1`),
		call("LSet", command.LSet("l", 0, "z"), `"OK"`),
		call("LTrim", command.LTrim("l", 0, 1), `"OK"`),
		call("RPop", command.RPop("l"), `"c"`),
		call("RPopN", command.RPopN("l", 2), `["c","b"]`),
		call("RPopLPush", command.RPopLPush("l", "dst"), `"c"`),
		call("RPush", command.RPush("l", "x"), `4`),
		call("RPushX", command.RPushX("l", "x"), `4`),
	}
}

func setSamples() []sample {
	return []sample{
		call("SAdd", command.SAdd("set", "x", 1), `2`),
		call("SCard", command.SCard("set"), `2`),
		call("SDiff", command.SDiff("set", "set2"), `["a"]`),
		call("SDiffStore", command.SDiffStore("dst", "set", "set2"), `1`),
		call("SInter", command.SInter("set", "set2"), `["b"]`),
		call("SInterCard", command.SInterCard(5, "set", "set2"), `1`),
		call("SInterStore", command.SInterStore("dst", "set", "set2"), `1`),
		call("SIsMember", command.SIsMember("set", "a"), `1`),
		call("SMembers", command.SMembers("set"), `["a","b"]`),
		call("SMIsMember", command.SMIsMember("set", "a", "x"), `[1,0]`),
		call("SMove", command.SMove("set", "dst", "a"), `1`),
		call("SPop", command.SPop("set"), `"a"`),
		call("SPopN", command.SPopN("set", 2), `["a","b"]`),
		call("SRandMember", command.SRandMember("set"), `"a"`),
		call("SRandMemberN", command.SRandMemberN("set", -2), `["a","a"]`),
		call("SRem", command.SRem("set", "a"), `1`),
		call("SScan", command.SScan("set", "0", command.MATCH("*")), `["0",["a","b"]]`),
		call("SDiffCard", command.SDiffCard(0, "set", "set2"), `1`),
		call("SUnionCard", command.SUnionCard(2, "set", "set2"), `2`),
		call("SUnionCardApprox", command.SUnionCardApprox(0, "set", "set2"), `3`),
		call("SUnion", command.SUnion("set", "set2"), `["a","b","c"]`),
		call("SUnionStore", command.SUnionStore("dst", "set", "set2"), `3`),
	}
}
