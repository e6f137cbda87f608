package engine

// ParseRESP is for the tests that talk to a real Redis.
var ParseRESP = parseRESP
