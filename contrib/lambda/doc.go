// Package lambda runs an [net/http.Handler] with a cache on AWS Lambda, and
// finishes what is left after an answer before Lambda freezes the process.
//
// A goroutine that outlives its answer is frozen on Lambda and may go on hours
// later. [Start] registers an internal extension, which holds the freeze back
// until the Store is done: the caller has its answer long before. Make the Store
// with [Executor], so that a stale value is answered at once and refreshed after.
//
// It serves Function URLs with response streaming, and API Gateway's HTTP APIs
// (payload format 2.0), which buffer. Build the program as a file called bootstrap:
//
//	GOOS=linux CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -tags lambda.norpc -o bootstrap
//
// This is a module of its own, because it needs aws-lambda-go. It imports public
// packages of the main module only.
package lambda
