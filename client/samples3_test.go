package client_test

import "github.com/cldcde/restash/client/command"

type doc struct {
	Name string `json:"name"`
}

func jsonSamples() []sample {
	return []sample{
		call("JSONArrAppend", command.JSONArrAppend("j", "$.a", "x", 1, nil), `[3]`),
		call("JSONArrIndex", command.JSONArrIndex("j", "$.a", "x"), `[0,null]`),
		call("JSONArrIndexRange", command.JSONArrIndexRange("j", "$.a", 1, 0, -1), `[-1]`),
		call("JSONArrInsert", command.JSONArrInsert("j", "$.a", 0, doc{"R&D"}), `[2]`),
		call("JSONArrLen", command.JSONArrLen("j", ".a"), `2`),
		call("JSONArrPop", command.JSONArrPop[doc]("j", "$.a", -1), `["{\"name\":\"Ada\"}",null]`),
		call("JSONArrTrim", command.JSONArrTrim("j", "$.a", 0, 1), `[2]`),
		call("JSONClear", command.JSONClear("j", "$"), `1`),
		call("JSONDebugHelp", command.JSONDebugHelp(), `["MEMORY <key> [path]"]`),
		call("JSONDebugMemory", command.JSONDebugMemory("j", "$"), `[128]`),
		call("JSONDel", command.JSONDel("j", "$.a"), `1`),
		call("JSONForget", command.JSONForget("j", "$"), `1`),
		call("JSONGet", command.JSONGet[[]doc]("j", "$"), `"[{\"name\":\"Ada\"}]"`),
		call("JSONGet", command.JSONGet[doc]("missing"), `null`),
		call("JSONMerge", command.JSONMerge("j", "$", map[string]any{"a": nil}), `"OK"`),
		call("JSONMGet", command.JSONMGet[[]int]("$.a", "j", "missing"), `["[1,2]",null]`),
		call("JSONMSet", command.JSONMSet(command.JSONEntry{Key: "j", Path: "$", Value: doc{"Ada"}}), `"OK"`),
		call("JSONNumIncrBy", command.JSONNumIncrBy("j", "$.n", 1.5), `"[2.5,null]"`),
		call("JSONNumMultBy", command.JSONNumMultBy("j", ".n", 2), `"5"`),
		call("JSONObjKeys", command.JSONObjKeys("j", "$"), `[["a","b"],null]`),
		call("JSONObjKeys", command.JSONObjKeys("j", "."), `["a","b"]`),
		call("JSONObjLen", command.JSONObjLen("j", "$"), `[2]`),
		call("JSONResp", command.JSONResp("j", "$"), `[["{","a",["[",1,"x"]]]`),
		call("JSONSet", command.JSONSet("j", "$", doc{"<Ada>"}, command.NX()), `null`),
		call("JSONStrAppend", command.JSONStrAppend("j", "$.name", "x"), `[4]`),
		call("JSONStrLen", command.JSONStrLen("j", "$.name"), `[3]`),
		call("JSONToggle", command.JSONToggle("j", "$.on"), `[1,null]`),
		call("JSONType", command.JSONType("j", "$"), `["object"]`),
	}
}

func searchSamples() []sample {
	two := 2.0
	return []sample{
		call("SearchAggregate", command.SearchAggregate("i", "{}", map[string]any{"avg": map[string]any{"$avg": map[string]string{"field": "price"}}}), `["avg",["value","49.99"]]`),
		call("SearchAliasAdd", command.SearchAliasAdd("a", "i"), `2`),
		call("SearchAliasDel", command.SearchAliasDel("a"), `1`),
		call("SearchCount", command.SearchCount("i", map[string]bool{"inStock": true}), `7`),
		call("SearchCreate", command.SearchCreate("i", command.SearchIndex{
			On: "JSON", Prefixes: []string{"product:"}, Language: "german", SkipInitialScan: true, ExistsOK: true,
			Schema: []command.SearchField{{Name: "name", Type: "TEXT", NoStem: true, NoTokenize: true, From: "title"}, {Name: "price", Type: "F64", Fast: true}},
		}), `1`),
		call("SearchCreate", command.SearchCreate("e", command.SearchIndex{
			Stream: "events", Schema: []command.SearchField{{Name: "level", Type: "KEYWORD"}},
		}), `0`),
		call("SearchDescribe", command.SearchDescribe("i"), `["name","i","type","JSON","prefixes",["product:"],"language","english","indexSize",1234,"pendingUpdates",0,"schema",[["name","TEXT"],["price","F64","FAST"]]]`),
		call("SearchDrop", command.SearchDrop("i"), `1`),
		call("SearchListAliases", command.SearchListAliases(), `[["a","i"]]`),
		call("SearchListIndexes", command.SearchListIndexes("p*"), `[["name","i","type","JSON"]]`),
		call("SearchQuery", command.SearchQuery("i", map[string]string{"name": "wireless"}, command.SearchArgs{
			Limit: 5, Offset: 10, OrderBy: "price", Order: command.ASC, Select: []string{"name"}, Highlight: []string{"name"}, Tags: [2]string{"<b>", "</b>"},
		}), `[["k1",1.25,[["$","{\"name\":\"x\"}"]]]]`),
		call("SearchQuery", command.SearchQuery("i", "{}", command.SearchArgs{
			NoContent: true, Score: []command.ScoreField{{Field: "n", Modifier: "LOG", Factor: &two, Missing: &two}}, ScoreMode: "MULTIPLY", Combine: "SUM",
		}), `[["k1",0.5]]`),
		call("SearchQuery", command.SearchQuery("missing", "{}", command.SearchArgs{}), `null`),
		call("SearchReindex", command.SearchReindex("i"), `1`),
		call("SearchWaitIndexing", command.SearchWaitIndexing("i"), `0`),
	}
}
