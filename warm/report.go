package warm

import (
	"fmt"
	"time"

	"github.com/cldcde/restash/strategies"
)

// Report is what a run did, over all its steps.
type Report struct {
	// Warmed values were loaded and stored, Fresh ones were there already,
	// Absent ones do not exist, Failed ones are in Errors.
	Warmed, Fresh, Absent, Failed int
	// Commands and Trips are billed commands and HTTP round trips.
	Commands, Trips int
	// Bytes stored.
	Bytes int64
	// Elapsed time of the whole run.
	Elapsed time.Duration
	// Errors by step, or by step, a colon, a blank and key.
	Errors map[string]error
}

// String is "warmed 812, fresh 20, failed 0, commands 815, trips 6".
func (r Report) String() string {
	return fmt.Sprintf("warmed %d, fresh %d, failed %d, commands %d, trips %d",
		r.Warmed, r.Fresh, r.Failed, r.Commands, r.Trips)
}

// OK reports whether nothing failed.
func (r Report) OK() bool { return r.Failed == 0 && len(r.Errors) == 0 }

func (r *Report) add(step string, part strategies.WarmReport) {
	r.Warmed += part.Warmed
	r.Fresh += part.Fresh
	r.Absent += part.Absent
	r.Failed += part.Failed
	r.Commands += part.Commands
	r.Trips += part.Trips
	r.Bytes += part.Bytes
	for key, err := range part.Errors {
		r.Errors[step+": "+key] = err
	}
}

// add adds one batch's report to a step's.
func add(total *strategies.WarmReport, part strategies.WarmReport) {
	total.Warmed += part.Warmed
	total.Fresh += part.Fresh
	total.Absent += part.Absent
	total.Failed += part.Failed
	total.Commands += part.Commands
	total.Trips += part.Trips
	total.Bytes += part.Bytes
	for key, err := range part.Errors {
		if total.Errors == nil {
			total.Errors = map[string]error{}
		}
		total.Errors[key] = err
	}
}
