package engine

func serverCommands() map[string]handler {
	return map[string]handler{
		"SELECT": cmdSelect, "COMMAND": cmdCommand, "FLUSHALL": cmdFlush, "FLUSHDB": cmdFlush,
	}
}

// cmdSelect knows database 0 only: Upstash has one.
func cmdSelect(_ *Engine, c *call) Reply {
	if c.args[1] != "0" {
		return errorReply("ERR DB index is out of range")
	}
	return okReply()
}

// cmdCommand is empty on Upstash.
func cmdCommand(*Engine, *call) Reply { return array() }

func cmdFlush(e *Engine, c *call) Reply {
	if len(c.args) > 2 {
		return errorReply(msgSyntax)
	}
	if len(c.args) == 2 {
		if word := upper(c.args[1]); word != "SYNC" && word != "ASYNC" {
			return errorReply(msgSyntax)
		}
	}
	return e.raw("FLUSHALL")
}
