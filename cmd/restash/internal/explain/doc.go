// Package explain decodes an entry of a cache and says whether it would be
// served, and if not, why.
package explain
