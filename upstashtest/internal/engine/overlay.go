package engine

import (
	"maps"
	"sync"
)

var (
	overlayOnce sync.Once
	overlayMap  map[string]handler
)

// overlay holds the commands that the engine answers itself. The rest goes to
// miniredis as it is.
func overlay() map[string]handler {
	overlayOnce.Do(func() {
		overlayMap = map[string]handler{}
		for _, family := range []map[string]handler{
			stringCommands(), genericCommands(), serverCommands(), pubsubCommands(),
			scriptCommands(), functionCommands(), jsonCommands(),
			bitmapCommands(), zsetCommands(), hashCommands(),
			geoCommands(), streamCommands(), scanCommands(), dumpCommands(), miscCommands(), searchCommands(), repairCommands(), groupCommands(), hllCommands(), sparseCommands(), vectorCommands(), aclCommands(),
		} {
			maps.Copy(overlayMap, family)
		}
	})
	return overlayMap
}

func zsetCommands() map[string]handler {
	m := map[string]handler{
		"ZADD": cmdZAdd, "ZINCRBY": cmdZAdd, "ZREM": cmdZRem, "ZCARD": cmdZCard,
		"ZSCORE": cmdZScore, "ZMSCORE": cmdZMScore, "ZRANK": cmdZRank, "ZREVRANK": cmdZRank,
		"ZPOPMIN": cmdZPop, "ZPOPMAX": cmdZPop, "ZMPOP": cmdZMPop, "ZRANDMEMBER": cmdZRandMember,
		"ZCOUNT": cmdZCount, "ZLEXCOUNT": cmdZCount,
		"ZREMRANGEBYRANK": cmdZRemRange, "ZREMRANGEBYSCORE": cmdZRemRange, "ZREMRANGEBYLEX": cmdZRemRange,
	}
	for _, name := range []string{"ZRANGE", "ZRANGESTORE", "ZREVRANGE", "ZRANGEBYSCORE", "ZREVRANGEBYSCORE", "ZRANGEBYLEX", "ZREVRANGEBYLEX"} {
		m[name] = cmdZRange
	}
	for _, name := range []string{"ZUNION", "ZINTER", "ZDIFF", "ZUNIONSTORE", "ZINTERSTORE", "ZDIFFSTORE", "ZINTERCARD"} {
		m[name] = cmdZCombine
	}
	return m
}

func jsonCommands() map[string]handler {
	return map[string]handler{
		"JSON.SET": cmdJSONSet, "JSON.GET": cmdJSONGet, "JSON.MGET": cmdJSONMGet, "JSON.MSET": cmdJSONMSet,
		"JSON.MERGE": cmdJSONMerge, "JSON.DEL": cmdJSONDel, "JSON.FORGET": cmdJSONDel,
		"JSON.TYPE": cmdJSONType, "JSON.RESP": cmdJSONResp,
		"JSON.DEBUG MEMORY": cmdJSONMemory, "JSON.DEBUG HELP": cmdJSONHelp,
		"JSON.STRLEN": cmdJSONLen, "JSON.ARRLEN": cmdJSONLen, "JSON.OBJLEN": cmdJSONLen, "JSON.OBJKEYS": cmdJSONLen,
		"JSON.ARRINDEX": cmdJSONArrIndex, "JSON.NUMINCRBY": cmdJSONNum, "JSON.NUMMULTBY": cmdJSONNum,
		"JSON.STRAPPEND": cmdJSONStrAppend, "JSON.TOGGLE": cmdJSONToggle, "JSON.CLEAR": cmdJSONClear,
		"JSON.ARRAPPEND": cmdJSONArrAppend, "JSON.ARRINSERT": cmdJSONArrInsert,
		"JSON.ARRPOP": cmdJSONArrPop, "JSON.ARRTRIM": cmdJSONArrTrim,
	}
}

func geoCommands() map[string]handler {
	return map[string]handler{
		"GEOADD": cmdGeoAdd, "GEOPOS": cmdGeoPos, "GEODIST": cmdGeoDist, "GEOHASH": cmdGeoHash,
		"GEOSEARCH": cmdGeoSearch, "GEOSEARCHSTORE": cmdGeoSearchStore,
		"GEORADIUS": cmdGeoRadius, "GEORADIUS_RO": cmdGeoRadius,
		"GEORADIUSBYMEMBER": cmdGeoRadius, "GEORADIUSBYMEMBER_RO": cmdGeoRadius,
	}
}

func bitmapCommands() map[string]handler {
	return map[string]handler{
		"BITCOUNT": cmdBitCount, "BITPOS": cmdBitPos, "BITOP": cmdBitOp,
		"BITFIELD": cmdBitField, "BITFIELD_RO": cmdBitField,
	}
}

func streamCommands() map[string]handler {
	return map[string]handler{
		"XADD": cmdXAdd, "XTRIM": cmdXTrim, "XDEL": cmdXDel, "XDELEX": cmdXDelEX, "XLEN": cmdXLen,
		"XRANGE": cmdXRange, "XREVRANGE": cmdXRange, "XREAD": cmdXRead, "XREADGROUP": cmdXRead,
		"XACK": cmdXAck, "XACKDEL": cmdXAckDel, "XPENDING": cmdXPending, "XCLAIM": cmdXClaim, "XAUTOCLAIM": cmdXAutoClaim,
		"XGROUP CREATE": cmdXGroup, "XGROUP SETID": cmdXGroup, "XGROUP DESTROY": cmdXGroup,
		"XGROUP CREATECONSUMER": cmdXGroup, "XGROUP DELCONSUMER": cmdXGroup,
		"XINFO STREAM": cmdXInfoStream, "XINFO GROUPS": cmdXInfoGroups, "XINFO CONSUMERS": cmdXInfoConsumers,
	}
}

func sparseCommands() map[string]handler {
	return map[string]handler{
		"ARSET": cmdArSet, "ARMSET": cmdArMSet, "ARGET": cmdArGet, "ARMGET": cmdArGet, "ARGETRANGE": cmdArGetRange,
		"ARSCAN": cmdArScan, "ARGREP": cmdArGrep, "ARDEL": cmdArDel, "ARDELRANGE": cmdArDelRange,
		"ARINSERT": cmdArInsert, "ARRING": cmdArRing, "ARLASTITEMS": cmdArLastItems, "ARNEXT": cmdArNext, "ARSEEK": cmdArSeek,
		"AROP": cmdArOp, "ARCOUNT": cmdArCount, "ARLEN": cmdArCount, "ARINFO": cmdArInfo,
	}
}
