// Package client speaks the REST interface of Upstash Redis: one command, a
// batch, a transaction or a stream per HTTP request.
//
//	c, err := client.FromEnv()
//	name, err := c.Get(ctx, "user:1")
//	if errors.Is(err, client.ErrNil) { ... }
//
// Every command of package command is a method of [Client]; those with a free
// reply type, and commands of your own, run through [Do].
//
// # Failures
//
// Every error of this package is an [*Error] and matches one of the
// sentinels where callers branch: [ErrNil], [ErrAuth], [ErrTransport] and so
// on. [Unavailable] says whether there was a usable answer at all.
//
// A command is sent again only if it surely was not executed (the connection
// was refused, status 429) or if executing it twice does no harm, which each
// command knows of itself. [Error].Sent tells what is known of a command that
// failed. All of a call, retries included, happens within [Config].Timeout
// and the caller's context.
//
// # Lost answers
//
// What a caller learns when the answer to a command got lost:
//
//   - a command that changes nothing, and SET, MSET, HMSET and others that answer
//     OK: it is sent again, and the second answer is as good as the first;
//   - DEL, SADD, SREM, ZADD, ZREM, HSET, HDEL, EXPIRE, SETBIT and others that leave
//     the same when they run twice and answer what they changed: they are sent
//     again, and an answer that may be the second run's (0, nil, any bit of SETBIT,
//     an error) comes with [ErrRepeated]. [command.Command.ForEffect] says that only
//     what the command leaves counts;
//   - INCR, LPUSH, XADD, SET with NX and whatever else counts or decides: never sent
//     again; the error's Sent is [SentUnknown];
//   - EVAL, FCALL and their kin: never sent again, and an error is the script's own;
//   - a batch or transaction is as safe as its least safe command, and each reply
//     is marked by itself.
//
// # Read your writes
//
// A client hands the sync token of each answer to its next request, so that a
// replica serves no older state than the client has seen. [Client.SyncToken]
// and [Client.SetSyncToken] carry it to another process.
//
// # Testing
//
// Set [Config].HTTPClient. httpmock.Activate replaces http.DefaultTransport,
// which this package does not use: call httpmock.ActivateNonDefault with the
// client that you pass in Config. upstashtest.Reply(v) is a responder that
// answers v in the encoding that was asked for. Package upstashtest also has a
// whole server.
//
// The package imports client/command, internal/json and go-retryablehttp.
package client
