// Package upstashtest is an Upstash Redis that fits in a test: a server of the
// REST protocol in process, without Docker, without an account and without a
// Redis. It answers as the documentation says, counts what Upstash would bill,
// and can be hostile on purpose.
//
// [Run] starts one for a test, [New] for a program; the zero [Config] is ready
// for use. A server is ready in well under a millisecond, so that each test
// can have its own.
//
// # Testing your code
//
// Three recipes, each an example below.
//
// A unit test. Start a server, hand its URL, token and HTTP client to the code
// under test, and look into the database with [Server.Do]. With
// Config.InMemory there is no socket, and the test may run in a bubble of
// testing/synctest: an hour of TTL passes in no time.
//
//	srv := upstashtest.Run(t, func(c *upstashtest.Config) { c.InMemory = true })
//	c, err := client.New(client.Config{URL: srv.URL, Token: srv.Token, HTTPClient: srv.HTTPClient()})
//
// A fault test. [Server.Faults] takes a schedule of what goes wrong and when:
// delays, statuses, connections reset before or after the command ran, cut or
// garbled answers, streams that drop. [Config].ReplicaLag makes reads stale,
// [Server.Evict] and [Limits] take keys away or refuse writes, and
// [Server.Intercept] does what you can think of. The same seed gives the same
// faults.
//
//	srv.Faults(1, upstashtest.Fault{Do: upstashtest.ResetAfter(), Skip: 2, Times: 1})
//
// A bill test. What costs money on Upstash is commands, those inside scripts
// included; what costs time is round trips. [Server.ExpectBill] pins both:
//
//	defer srv.ExpectBill(t, 1, 1)() // a cache hit: one command, one trip
//
// Code that needs no database at all can have its answers from [Reply], with
// or without github.com/jarcoal/httpmock.
//
// # How true it is
//
// Commands run on miniredis and on an overlay of our own; one script of
// commands is compared with a real Redis reply by reply, and the official
// TypeScript SDK talks to the server in its tests. Where the real service's
// behaviour is not documented a choice was made. All such choices, and what is
// not emulated (SEARCH.*, for one), stand in FIDELITY.md beside this file. The
// package redisengine puts a real Redis or Valkey behind the same protocol.
//
// It may import client/command, miniredis and ojg, and its own internal
// packages.
package upstashtest
