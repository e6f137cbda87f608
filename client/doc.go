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
