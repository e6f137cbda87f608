package command

// Echo returns message.
func Echo(message string) Command[string] { return read(toString, "ECHO", message) }

// Ping returns PONG.
func Ping() Command[string] { return read(toString, "PING") }
