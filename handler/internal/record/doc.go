// Package record captures what a handler writes, sends on what is not to be
// stored while it is written, and has the form in which answers are stored.
package record
