package client

import "time"

// Trace is a set of functions that are called as requests go on. Each may be
// nil. They run in the goroutine of the call, several at once if calls do,
// and must not block. None is given arguments, values or the token.
type Trace struct {
	// Start is called before the first attempt.
	Start func(StartInfo)
	// Retry is called when an attempt failed and another will be made after
	// Wait.
	Retry func(RetryInfo)
	// Done is called once per Start, when the call is over.
	Done func(DoneInfo)
	// StreamOpen is called when a stream got its first sign of life from the
	// server, and again after each interruption.
	StreamOpen func(command string)
	// Thaw is called when idle connections are dropped because the process
	// seems to have been frozen; gap is how long the client was not used.
	Thaw func(gap time.Duration)
}

// StartInfo is what [Trace].Start is told.
type StartInfo struct {
	Command  string // the name, "pipeline" or "multi-exec"
	Commands int    // how many commands the request carries
	Bytes    int    // size of the request body
}

// RetryInfo is what [Trace].Retry is told.
type RetryInfo struct {
	Command string
	Attempt int           // how many attempts were made so far
	Status  int           // HTTP status, 0 if there was no answer
	Sent    Sent          // what is known of the failed attempt
	Wait    time.Duration // until the next attempt
	Err     error         // nil if the status was the reason
}

// DoneInfo is what [Trace].Done is told.
type DoneInfo struct {
	Command  string
	Commands int
	Attempts int
	Status   int
	BytesIn  int // size of the answer's body
	Bytes    int // size of the request body, of one attempt
	Elapsed  time.Duration
	Err      error // an *Error if the call failed as a whole
}

func (t *Trace) start(i StartInfo) {
	if t != nil && t.Start != nil {
		t.Start(i)
	}
}

func (t *Trace) retry(i RetryInfo) {
	if t != nil && t.Retry != nil {
		t.Retry(i)
	}
}

func (t *Trace) done(i DoneInfo) {
	if t != nil && t.Done != nil {
		t.Done(i)
	}
}

func (t *Trace) thaw(gap time.Duration) {
	if t != nil && t.Thaw != nil {
		t.Thaw(gap)
	}
}

func (t *Trace) streamOpen(command string) {
	if t != nil && t.StreamOpen != nil {
		t.StreamOpen(command)
	}
}
