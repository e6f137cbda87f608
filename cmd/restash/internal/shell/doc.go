// Package shell is the part of `restash cli` that knows what may be typed: it
// completes commands, hints at their arguments, and keeps the history.
package shell
