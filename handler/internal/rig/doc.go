// Package rig is what the tests of handler, httpcache and ops stand on: a Redis in
// the process with a Store on it, and requests whose answers can be asked how
// they came about.
package rig
