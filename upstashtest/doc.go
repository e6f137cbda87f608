// Package upstashtest is an Upstash Redis that fits in a test: a server of the
// REST protocol in process, without Docker, without an account and without a
// Redis. It answers as the documentation says, counts what Upstash would bill,
// and can be hostile on purpose.
//
// [Run] starts one for a test, [New] for a program; the zero [Config] is ready
// for use. What it does where the real service's behaviour is not documented
// stands in FIDELITY.md beside this file.
//
// It may import client/command, miniredis and ojg, and its own internal
// packages.
package upstashtest
