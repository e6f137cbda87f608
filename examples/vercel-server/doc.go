// Command vercel-server is the sample platform as a server on Vercel, by the
// framework preset "go": one process answers every route, streams what it
// writes, and needs no bridge between HTTP and events. The functions in api/ are
// the same platform the older way.
package main
