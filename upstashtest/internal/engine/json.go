package engine

import "strings"

// A JSON document lives in miniredis as a string with a mark in front, so that
// DEL, EXPIRE, RENAME, COPY, SCAN and FLUSHALL work on it without bookkeeping.
const (
	jsonMark = "\x00restash:json\x00"
	jsonType = "ReJSON-RL"
)

func isJSONText(s string) bool { return strings.HasPrefix(s, jsonMark) }

func (e *Engine) isJSON(key string) bool { return isJSONText(text(e.raw("GET", key))) }

// refuseJSON keeps the commands of strings away from JSON documents.
func (e *Engine) refuseJSON(c *call) Reply {
	switch c.info.Group {
	case "string", "bitmap", "hyperloglog":
	default:
		return nilReply
	}
	switch c.info.Name {
	case "SET", "SETEX", "PSETEX", "SETNX", "MSET", "MSETNX", "MGET", "DELEX":
		return nilReply
	}
	for _, key := range c.info.Keys(c.args) {
		if e.isJSON(key) {
			return errorReply(msgWrongType)
		}
	}
	return nilReply
}
