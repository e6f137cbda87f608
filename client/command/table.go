package command

import "slices"

// Info describes one function of this package that makes a command. A
// command with several functions, such as SPOP, has several rows.
type Info struct {
	Name      string // the Redis name, in upper case, such as "XINFO STREAM"
	Group     string // the Redis group, such as "sorted-set"
	Func      string // the Go function
	Signature string // how the function is declared
	Since     string // Redis version; "json-2.0" for that of RedisJSON, "upstash" for Upstash's own
	Read      bool   // changes nothing
	Repeat    bool   // may be sent twice, unless an option says otherwise
	Free      bool   // the reply type is free: it runs through client.Do and has no methods
	Stream    bool   // has an endpoint of its own, see client.Client.Subscribe
}

// Table returns all commands that the REST interface serves, by group and
// name. The slice is the caller's.
func Table() []Info { return slices.Clone(table[:]) }
