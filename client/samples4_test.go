package client_test

import "github.com/cldcde/restash/client/command"

func arraySamples() []sample {
	span := command.ArraySpan{Start: 1, End: 18446744073709551614}
	grep := command.ArrayGrep{
		ArraySpan: command.ArraySpan{End: command.LastIndex}, All: true, NoCase: true, Limit: 5,
		Where: []command.ArrayPredicate{command.ArrayExact("a"), command.ArrayContains("b"), command.ArrayGlob("c*"), command.ArrayRegexp("^d")},
	}
	return []sample{
		call("ARSet", command.ARSet("ar", 9223372036854775808, "a", 2), `2`),
		call("ARMSet", command.ARMSet("ar", command.ArrayValue{Index: 0, Value: "a"}, command.ArrayValue{Index: 7, Value: 1.5}), `1`),
		call("ARGet", command.ARGet("ar", 3), `"c"`),
		call("ARGet", command.ARGet("ar", 4), `null`),
		call("ARMGet", command.ARMGet("ar", 0, 4), `["a",null]`),
		call("ARGetRange", command.ARGetRange("ar", command.ArraySpan{Start: 2, End: 0}), `["c",null,"a"]`),
		call("ARScan", command.ARScan("ar", span, 10), `[[1,"b"],["18446744073709551614","z"]]`),
		call("ARGrep", command.ARGrep("ar", grep), `[3,9007199254740993]`),
		call("ARGrepValues", command.ARGrepValues("ar", grep), `[[3,"d"]]`),
		call("ARDel", command.ARDel("ar", 1, 2), `2`),
		call("ARDelRange", command.ARDelRange("ar", command.ArraySpan{End: 9}, span), `3`),
		call("ARInsert", command.ARInsert("ar", "a", "b"), `"18446744073709551614"`),
		call("ARRing", command.ARRing("ar", 100, "a"), `99`),
		call("ARLastItems", command.ARLastItems("ar", 2), `["a",null]`),
		call("ARLastItemsRev", command.ARLastItemsRev("ar", 2), `["b","a"]`),
		call("ARNext", command.ARNext("ar"), `5`),
		call("ARNext", command.ARNext("full"), `null`),
		call("ARSeek", command.ARSeek("ar", 5), `1`),
		call("ARNumber", command.ARNumber("ar", span, command.ArraySum), `"2.5"`),
		call("ARNumber", command.ARNumber("ar", span, command.ArrayMax), `null`),
		call("ARBits", command.ARBits("ar", span, command.ArrayXor), `6`),
		call("ARUsed", command.ARUsed("ar", span), `6`),
		call("ARMatch", command.ARMatch("ar", span, "a"), `1`),
		call("ARCount", command.ARCount("ar"), `3`),
		call("ARLen", command.ARLen("ar"), `"18446744073709551615"`),
		call("ARInfo", command.ARInfo("ar"), `["len",5,"count",3,"slice-size",64,"slices",1,"directory-size",1,"super-dir-entries",0,"next-insert-index",5]`),
		call("ARInfoFull", command.ARInfoFull("ar"), `["len",5,"dense-slices",1]`),
	}
}

func vectorSamples() []sample {
	return []sample{
		call("VectorCreate", command.VectorCreate("vec", command.VectorIndex{Dim: 2, Metric: command.Cosine}), `1`),
		call("VectorCreate", command.VectorCreate("vec", command.VectorIndex{Dim: 2, Metric: command.DotProduct, ExistsOK: true}), `0`),
		call("VectorAdd", command.VectorAdd("vec", "a", []float32{1, -0.5}), `1`),
		call("VectorGet", command.VectorGet("vec", "a"), `["1","-0.5"]`),
		call("VectorGet", command.VectorGet("vec", "missing"), `null`),
		call("VectorQuery", command.VectorQuery("vec", []float32{1, 0}, command.VectorSearch{TopK: 3, Profile: command.Precise}), `[["a","0.95"],["b","0.5"]]`),
		call("VectorDel", command.VectorDel("vec", "a"), `1`),
		call("VectorCount", command.VectorCount("vec"), `1`),
		call("VectorInfo", command.VectorInfo("vec"), `["dimension",2,"metric","COSINE"]`),
		call("VectorInfo", command.VectorInfo("missing"), `null`),
		call("VectorDrop", command.VectorDrop("vec"), `1`),
	}
}
