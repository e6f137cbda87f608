// Package engine answers for n keys at once from Redis or from their loader,
// and stores what was loaded: ARCHITECTURE.md's algorithm, written once. One key
// is a batch of one.
//
// It knows no types: a value is opaque to it, and a [Codec] makes bytes of it.
// Its pieces, in the order in which a call passes them:
//
//   - A [Class] makes a query of each key: its entry and the tokens it depends on.
//   - A snapshot is what one MGET says about a query.
//   - decide says what an entry is worth by its tokens, the clock and the options.
//   - A lookup is one call of a user's: it answers what the snapshots allow and
//     shares or starts loads for the rest.
//   - A run is one call of a loader for the loads that a lookup started. It may
//     take a lease first and, in strict mode, creates tokens that are absent.
//   - What a run returns is stored under its snapshot, late tags included.
//   - A write replaces the tokens of keys and stores their values under the new ones.
//   - Tokens that Redis did not confirm are pending.
package engine
