package client_test

import (
	"time"

	"github.com/cldcde/restash/client/command"
)

func sortedSetSamples() []sample {
	both := command.ZKeys{Keys: []string{"z", "z2"}, Weights: []float64{1, 2.5}, Aggregate: command.MAX}
	return []sample{
		call("ZAdd", command.ZAdd("z", []command.Z{{Member: "x", Score: 1.5}, {Member: "y", Score: 1e300}}), `2`),
		call("ZAdd", command.ZAdd("z", []command.Z{{Member: "a", Score: 9}}, command.XX(), command.GT(), command.CH()), `1`),
		call("ZAddIncr", command.ZAddIncr("z", "a", 2, command.NX()), `null`),
		call("ZCard", command.ZCard("z"), `2`),
		call("ZCount", command.ZCount("z", command.NegInf, command.Excl(2)), `1`),
		call("ZDiff", command.ZDiff("z", "z2"), `["a"]`),
		call("ZDiffWithScores", command.ZDiffWithScores("z", "z2"), `["a","1"]`),
		call("ZDiffStore", command.ZDiffStore("dst", "z", "z2"), `1`),
		call("ZIncrBy", command.ZIncrBy("z", 1.5, "a"), `"2.5"`),
		call("ZInter", command.ZInter(both), `["b"]`),
		call("ZInterWithScores", command.ZInterWithScores(both), `["b","5"]`),
		call("ZInterCard", command.ZInterCard(0, "z", "z2"), `1`),
		call("ZInterStore", command.ZInterStore("dst", both), `1`),
		call("ZLexCount", command.ZLexCount("z", command.LexLow, command.LexHigh), `2`),
		call("ZMPopMax", command.ZMPopMax(1, "z"), `["z",[["b","2"]]]`),
		call("ZMPopMin", command.ZMPopMin(2, "missing"), `null`),
		call("ZMScore", command.ZMScore("z", "a", "x"), `["1",null]`),
		call("ZPopMax", command.ZPopMax("z", 1), `["b","inf"]`),
		call("ZPopMin", command.ZPopMin("z", 1), `["a","1"]`),
		call("ZRandMember", command.ZRandMember("z"), `"a"`),
		call("ZRandMemberN", command.ZRandMemberN("z", 2), `["a","b"]`),
		call("ZRandMemberWithScores", command.ZRandMemberWithScores("z", 1), `["a","1"]`),
		call("ZRank", command.ZRank("z", "b"), `1`),
		call("ZRankWithScore", command.ZRankWithScore("z", "b"), `[1,"2"]`),
		call("ZRem", command.ZRem("z", "a"), `1`),
		call("ZRemRangeByLex", command.ZRemRangeByLex("z", command.LexIncl("a"), command.LexExcl("b")), `1`),
		call("ZRemRangeByRank", command.ZRemRangeByRank("z", 0, 0), `1`),
		call("ZRemRangeByScore", command.ZRemRangeByScore("z", command.Incl(1), command.PosInf), `2`),
		call("ZRevRank", command.ZRevRank("z", "x"), `null`),
		call("ZRevRankWithScore", command.ZRevRankWithScore("z", "a"), `[1,"1"]`),
		call("ZScan", command.ZScan("z", "0"), `["0",["a","1"]]`),
		call("ZScore", command.ZScore("z", "a"), `"1"`),
		call("ZUnion", command.ZUnion(command.ZKeys{Keys: []string{"z"}}), `["a","b"]`),
		call("ZUnionWithScores", command.ZUnionWithScores(both), `["a","1","b","5"]`),
		call("ZUnionStore", command.ZUnionStore("dst", both), `2`),
	}
}

func rangeSamples() []sample {
	byScore := command.ZRangeArgs{Start: command.PosInf, Stop: command.Incl(1), By: command.ByScore, Rev: true, Count: 2}
	return []sample{
		call("ZRange", command.ZRange("z", 0, -1), `["a","b"]`),
		call("ZRangeWithScores", command.ZRangeWithScores("z", 0, -1), `["a","1","b","2"]`),
		call("ZRangeArg", command.ZRangeArg("z", byScore), `["b","a"]`),
		call("ZRangeArg", command.ZRangeArg("z", command.ZRangeArgs{Start: command.Rank(0), Stop: command.Rank(1)}), `["a"]`),
		call("ZRangeArgWithScores", command.ZRangeArgWithScores("z", byScore), `["b","2","a","1"]`),
		call("ZRangeStore", command.ZRangeStore("dst", "z", byScore), `2`),
		call("ZRangeByLex", command.ZRangeByLex("z", command.LexIncl("a"), command.LexHigh, command.LIMIT(0, 1)), `["a"]`),
		call("ZRangeByScore", command.ZRangeByScore("z", command.NegInf, command.PosInf, command.Limit{}), `["a","b"]`),
		call("ZRangeByScoreWithScores", command.ZRangeByScoreWithScores("z", command.Incl(1), command.Incl(2), command.LIMIT(0, -1)), `["a","1","b","2"]`),
		call("ZRevRange", command.ZRevRange("z", 0, 0), `["b"]`),
		call("ZRevRangeWithScores", command.ZRevRangeWithScores("z", 0, 0), `["b","2"]`),
		call("ZRevRangeByLex", command.ZRevRangeByLex("z", command.LexHigh, command.LexLow, command.Limit{}), `["b","a"]`),
		call("ZRevRangeByScore", command.ZRevRangeByScore("z", command.PosInf, command.NegInf, command.Limit{}), `["b","a"]`),
		call("ZRevRangeByScoreWithScores", command.ZRevRangeByScoreWithScores("z", command.PosInf, command.NegInf, command.Limit{}), `["b","2","a","1"]`),
	}
}

func geoSamples() []sample {
	rome := command.Point{Longitude: 12.5, Latitude: 41.9}
	area := command.Circle{Radius: 500, Unit: command.Kilometers, Count: 3, Order: command.ASC}
	query := command.GeoQuery{From: &rome, Radius: 500, Unit: command.Kilometers}
	box := command.GeoQuery{FromMember: "Rome", Width: 10, Height: 20.5, Count: 2, Any: true, Order: command.DESC}
	row := `[["Rome","0.1442",3480343273965162,["12.5","41.9"]]]`
	return []sample{
		call("GeoAdd", command.GeoAdd("geo", []command.GeoMember{{Name: "Bari", Point: command.Point{Longitude: 16.87, Latitude: 41.12}}}), `1`),
		call("GeoAdd", command.GeoAdd("geo", []command.GeoMember{{Name: "Rome", Point: rome}}, command.XX(), command.CH()), `0`),
		call("GeoDist", command.GeoDist("geo", "Rome", "Milan", command.Kilometers), `"476.6"`),
		call("GeoHash", command.GeoHash("geo", "Rome", "x"), `["sr2yk3s6z50",null]`),
		call("GeoPos", command.GeoPos("geo", "Rome", "x"), `[["12.5","41.9"],null]`),
		call("GeoRadius", command.GeoRadius("geo", rome, area), row),
		call("GeoRadiusStore", command.GeoRadiusStore("dst", "geo", rome, area), `1`),
		call("GeoRadiusStoreDist", command.GeoRadiusStoreDist("dst", "geo", rome, area), `1`),
		call("GeoRadiusByMember", command.GeoRadiusByMember("geo", "Rome", area), row),
		call("GeoRadiusByMemberStore", command.GeoRadiusByMemberStore("dst", "geo", "Rome", area), `1`),
		call("GeoRadiusByMemberStoreDist", command.GeoRadiusByMemberStoreDist("dst", "geo", "Rome", area), `1`),
		call("GeoRadiusByMemberRO", command.GeoRadiusByMemberRO("geo", "Rome", command.Circle{Radius: 9}), row),
		call("GeoRadiusRO", command.GeoRadiusRO("geo", rome, area), row),
		call("GeoSearch", command.GeoSearch("geo", query), `["Rome","Milan"]`),
		call("GeoSearch", command.GeoSearch("geo", box), `["Rome"]`),
		call("GeoSearchWith", command.GeoSearchWith("geo", query), row),
		call("GeoSearchStore", command.GeoSearchStore("dst", "geo", query), `2`),
		call("GeoSearchStoreDist", command.GeoSearchStoreDist("dst", "geo", query), `2`),
	}
}

func streamSamples() []sample {
	entry := `["1-1",["f","v"]]`
	return []sample{
		call("XAdd", command.XAdd("x", someFields), `"2-0"`),
		call("XAdd", command.XAdd("x", someFields, command.ID("9-*"), command.NOMKSTREAM(), command.Trim{MaxLen: 5, Limit: 10}), `null`),
		call("XAdd", command.XAdd("x", someFields, command.Trim{MinID: "1-0", Exact: true, Refs: command.ACKED}), `"2-0"`),
		call("XTrim", command.XTrim("x", command.Trim{MaxLen: command.KeepNone, Exact: true}), `2`),
		call("XDel", command.XDel("x", "1-1"), `1`),
		call("XDelEx", command.XDelEx("x", command.DELREF, "1-1", "9-9"), `[1,-1]`),
		call("XAckDel", command.XAckDel("x", "g", command.KEEPREF, "1-1"), `[2]`),
		call("XLen", command.XLen("x"), `2`),
		call("XRange", command.XRange("x", command.StreamLow, command.StreamHigh, 0), `[`+entry+`]`),
		call("XRevRange", command.XRevRange("x", command.StreamHigh, command.StreamLow, 1), `[`+entry+`]`),
		call("XRead", command.XRead(2, command.StreamFrom{Key: "x", After: command.FromStart}, command.StreamFrom{Key: "y", After: "1-0"}), `[["x",[`+entry+`]]]`),
		call("XRead", command.XRead(0, command.StreamFrom{Key: "x", After: command.FromNow}), `null`),
		call("XInfoStream", command.XInfoStream("x"), `["length",1,"radix-tree-keys",1,"radix-tree-nodes",2,"last-generated-id","1-1","groups",1,"first-entry",`+entry+`,"last-entry",null]`),
	}
}

func groupSamples() []sample {
	entry := `["1-1",["f","v"]]`
	claim := command.XClaimArgs{Group: "g", Consumer: "c2"}
	return []sample{
		call("XAck", command.XAck("x", "g", "1-1"), `1`),
		call("XReadGroup", command.XReadGroup(command.XReadGroupArgs{Group: "g", Consumer: "c", Count: 1, NoAck: true}, command.StreamFrom{Key: "x", After: command.FromNew}), `[["x",[`+entry+`,["1-2",null]]]]`),
		call("XGroupCreate", command.XGroupCreate("x", "g2", command.FromNow, command.MKSTREAM(), command.ENTRIESREAD(1)), `"OK"`),
		call("XGroupCreateConsumer", command.XGroupCreateConsumer("x", "g", "c9"), `1`),
		call("XGroupDelConsumer", command.XGroupDelConsumer("x", "g", "c"), `1`),
		call("XGroupDestroy", command.XGroupDestroy("x", "g"), `1`),
		call("XGroupSetID", command.XGroupSetID("x", "g", "0"), `"OK"`),
		call("XPending", command.XPending("x", "g"), `[1,"1-1","1-1",[["c","1"]]]`),
		call("XPending", command.XPending("x", "g"), `[0,null,null,null]`),
		call("XPendingRange", command.XPendingRange("x", "g", command.XPendingArgs{Consumer: "c", MinIdle: time.Millisecond}), `[["1-1","c",1500,2]]`),
		call("XClaim", command.XClaim("x", claim, "1-1"), `[`+entry+`,null]`),
		call("XClaimJustID", command.XClaimJustID("x", claim, "1-1"), `["1-1"]`),
		call("XAutoClaim", command.XAutoClaim("x", claim, "0", 5), `["0-0",[`+entry+`],["1-2"]]`),
		call("XAutoClaimJustID", command.XAutoClaimJustID("x", claim, "0", 0), `["0-0",["1-1"],[]]`),
		call("XInfoGroups", command.XInfoGroups("x"), `[["name","g","consumers",1,"pending",1,"last-delivered-id","1-1","entries-read",1,"lag",null]]`),
		call("XInfoConsumers", command.XInfoConsumers("x", "g"), `[["name","c","pending",1,"idle",9104,"inactive",-1]]`),
	}
}

func scriptSamples() []sample {
	return []sample{
		call("Eval", command.Eval[int64]("return redis.call('INCR', KEYS[1])", []string{"n"}), `43`),
		call("Eval", command.Eval[[]string]("return {KEYS[1], ARGV[1]}", []string{"k"}, 7), `["k","7"]`),
		call("EvalRO", command.EvalRO[string]("return ARGV[1]", nil, "x"), `"x"`),
		call("EvalSha", command.EvalSha[any]("0123456789012345678901234567890123456789", nil), `["a",1,null]`),
		call("EvalShaRO", command.EvalShaRO[bool]("0123456789012345678901234567890123456789", nil), `1`),
		call("ScriptExists", command.ScriptExists("0123456789012345678901234567890123456789"), `[0]`),
		call("ScriptFlush", command.ScriptFlush(command.SYNC), `"OK"`),
		call("ScriptKill", command.ScriptKill(), `"OK"`),
		call("ScriptLoad", command.ScriptLoad("return 1"), `"e0e1f9fabfc9d4800c877a703b823ac0578ff8db"`),
		call("FCall", command.FCall[map[string]string]("f", []string{"k"}, "a"), `["a","1"]`),
		call("FCallRO", command.FCallRO[float64]("f", nil), `"1.5"`),
		call("FunctionDelete", command.FunctionDelete("lib"), `"OK"`),
		call("FunctionFlush", command.FunctionFlush(command.ASYNC), `"OK"`),
		call("FunctionKill", command.FunctionKill(), `"OK"`),
		call("FunctionList", command.FunctionList(""), `[]`),
		call("FunctionListWithCode", command.FunctionListWithCode("li*"), `[["library_name","lib","engine","LUA","functions",[["name","f","description",null,"flags",["no-writes"]]],"library_code","code"]]`),
		call("FunctionLoad", command.FunctionLoad("#!lua name=lib"), `"lib"`),
		call("FunctionLoadReplace", command.FunctionLoadReplace("#!lua name=lib"), `"lib"`),
		call("FunctionStats", command.FunctionStats(), `["running_script",null,"engines",["LUA",["libraries_count",1,"functions_count",2]]]`),
	}
}

func serverSamples() []sample {
	return []sample{
		call("Echo", command.Echo("hi"), `"hi"`),
		call("Ping", command.Ping(), `"PONG"`),
		call("Commands", command.Commands(), `[]`),
		call("ConfigGet", command.ConfigGet("notify*"), `["notify-keyspace-events","KEA"]`),
		call("ConfigSet", command.ConfigSet("notify-keyspace-events", "KEA"), `"OK"`),
		call("DBSize", command.DBSize(), `12`),
		call("FlushAll", command.FlushAll(""), `"OK"`),
		call("FlushDB", command.FlushDB(command.ASYNC), `"OK"`),
		call("ServerInfo", command.ServerInfo("server"), `"# Server\r\nredis_version:8.2.0\r\n\r\n# Memory\r\nused_memory:1\r\n"`),
		call("Time", command.Time(), `["1700000000","123456"]`),
		call("Publish", command.Publish("ch", "hi"), `1`),
		call("PubSubChannels", command.PubSubChannels("c*"), `["ch"]`),
		call("PubSubNumPat", command.PubSubNumPat(), `3`),
		call("PubSubNumSub", command.PubSubNumSub("ch"), `["ch",2]`),
	}
}
