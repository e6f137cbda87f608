// Package page serves what a person sees of restash dev in a browser: the
// catalogue, how each of its requests was answered with and without the cache,
// and switches that take Redis away and bring it back.
package page
