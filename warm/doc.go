// Package warm fills caches before their readers come.
//
// A [Step] names things to load: the keys of a handle with [Keys], anything
// with [StepFunc], the routes of an application with handler.Warm. [Run] runs
// steps one after the other and adds up what they did. Each step loads through
// the same handle, and so stores under the same keys and in the same shape, as
// the reads that it is meant for: what a step has warmed is a hit.
//
// Values go to Redis in batches of up to 500: n keys cost 2⌈n/500⌉ billed
// commands in as many round trips, and n + ⌈n/500⌉ commands where Redis does not
// know MSETEX. What is still fresh is not loaded.
//
// It imports strategies, pipeline, client and client/command.
package warm
