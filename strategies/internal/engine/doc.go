// Package engine answers for n keys at once from Redis or from their loader,
// and stores what was loaded: ARCHITECTURE.md's algorithm, written once. One key
// is a batch of one.
//
// It knows no types: a value is opaque to it, and a [Codec] makes bytes of it.
// Its pieces, in the order in which a call passes them, with their files:
//
//   - A [Class] makes a query of each key: its entry and the tokens it depends on
//     (class, tokens).
//   - A snapshot is what one MGET says about a query (snapshot, read).
//   - decide says what an entry is worth by its tokens, the clock and the options
//     (decide).
//   - A lookup is one call of a user's: it answers what the snapshots allow and
//     shares or starts loads for the rest (get, lookup, item, execute, refresh).
//   - A run is one call of a loader for the loads that a lookup started. It may
//     take a lease first and, in strict mode, creates tokens that are absent
//     (run, job, place, lease, strict).
//   - What a run returns is stored under its snapshot, late tags included (store,
//     late, encode).
//   - A write replaces the tokens of keys and stores their values under the new
//     ones (write).
//   - Tokens that Redis did not confirm are pending (invalidate, pending).
//   - Every request goes through one function (redis, command, msetex).
//
// The files know each other in one direction only: TestLayersFilesUseWhatIsBelowThem holds their order.
package engine
