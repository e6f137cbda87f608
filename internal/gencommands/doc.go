// Command gencommands writes what follows from the commands of package
// client/command: the methods of client.Client and pipeline.Pipeline, one file
// per Redis group, and the table of all commands.
//
//	go run ./internal/gencommands          writes the files
//	go run ./internal/gencommands -check   fails if they are stale
//
// It reads Go source only: every exported function that returns a Command is
// a command. Its Redis name and kind stand in its call of read, write or
// repeat. commands.tsv beside it lists the commands that the REST interface
// serves; a command without a function, or a function without a command, is an
// error. It imports no other package of this module.
package main
