// Package command holds one typed value per Redis command.
//
// A [Command] is data: its words, how to read the reply, and whether it reads
// or writes and may safely be sent twice. It does no I/O. The same value runs
// at once through client.Do, or is queued by pipeline.Add:
//
//	n, err := client.Do(ctx, c, command.IncrBy("hits", 2))
//	r := pipeline.Add(p, command.IncrBy("hits", 2))
//
// The methods of client.Client and pipeline.Pipeline are generated from the functions of this package. Commands whose reply type is
// free, such as [Eval] and [JSONGet], are generic functions and have no
// methods.
//
// Arguments are strings that may hold any bytes. A constructor that is given
// something it cannot send (a nil value, options that exclude each other, a
// lifetime that the unit cannot express) returns a command whose Err is set;
// it fails when it is run, without anything being sent.
//
// The package imports internal/json only.
package command

//go:generate go run ../../internal/gencommands
