// Package flight lets concurrent callers of one process share reads and loads
// of a key without ever handing a caller something older than it may see.
//
// The rules, each with the reason it has:
//
//   - A caller joins a read only if that read has not been sent: an answer
//     under way may predate an invalidation that the caller has seen return.
//     While a read is under way later callers form the next one together, so a
//     stampede costs two reads.
//   - A caller joins a load only if its own read saw the same tokens as the
//     load's read. One that could not read joins only loads that began after
//     its own call, and waits a while for the end of an older one: all who
//     wait share the next.
//   - A load can be joined until its result is stored and every read of the
//     key that was sent before then is answered: those reads still say that
//     there is nothing.
//   - A loader that waits for a load which waits for it is told so at once.
//   - An invalidation voids the loads that depend on what it names. They are
//     not stored and not joined; who already waits gets the value.
package flight
