// Package pipeline sends many commands in one request.
//
// A [Pipeline] is filled and then run by one caller; [NewTx] makes one that
// runs atomically:
//
//	p := pipeline.New(c)
//	n := p.Incr("hits")
//	q := p.Get("user:1")
//	err := p.Exec(ctx)          // only if the batch as a whole failed
//	hits, err := n.Value()      // each command has its own error
//
// To let the commands of callers that run at the same time share requests, see
// Coalesce of client.Config.
//
// The package imports client and client/command.
package pipeline
