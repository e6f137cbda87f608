// Package lua runs the scripts and functions of Redis on gopher-lua, with a
// budget of instructions, so that a script that never ends is an error and not
// a hang. It knows nothing of the database: commands go to a function that the
// caller passes in.
//
// It may import client/command and gopher-lua.
package lua
