package warm

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/cldcde/restash/strategies"
)

// Report is what a run did, over all its steps.
type Report struct {
	// Namespace that was filled: readers in another one find nothing of it.
	Namespace string
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
	// Next is where a run that ended early is to go on, see Options.From; ""
	// after one that reached its end.
	Next string
}

// String is "warmed 812, fresh 20, failed 0, commands 815, trips 6".
func (r Report) String() string {
	return fmt.Sprintf("warmed %d, fresh %d, failed %d, commands %d, trips %d",
		r.Warmed, r.Fresh, r.Failed, r.Commands, r.Trips)
}

// OK reports whether nothing failed.
func (r Report) OK() bool { return r.Failed == 0 && len(r.Errors) == 0 }

// MarshalJSON writes the report as an object: namespace, warmed, fresh, absent,
// failed, commands, trips, bytes, elapsedMs, errors by key as text, and next.
func (r Report) MarshalJSON() ([]byte, error) {
	errors := make(map[string]string, len(r.Errors))
	for key, err := range r.Errors {
		errors[key] = err.Error()
	}
	return json.Marshal(struct {
		Namespace string            `json:"namespace,omitempty"`
		Warmed    int               `json:"warmed"`
		Fresh     int               `json:"fresh"`
		Absent    int               `json:"absent"`
		Failed    int               `json:"failed"`
		Commands  int               `json:"commands"`
		Trips     int               `json:"trips"`
		Bytes     int64             `json:"bytes"`
		ElapsedMS int64             `json:"elapsedMs"`
		Errors    map[string]string `json:"errors,omitempty"`
		Next      string            `json:"next,omitempty"`
	}{r.Namespace, r.Warmed, r.Fresh, r.Absent, r.Failed, r.Commands, r.Trips, r.Bytes, r.Elapsed.Milliseconds(), errors, r.Next})
}

func (r *Report) add(part strategies.WarmReport) {
	r.Warmed += part.Warmed
	r.Fresh += part.Fresh
	r.Absent += part.Absent
	r.Failed += part.Failed
	r.Commands += part.Commands
	r.Trips += part.Trips
	r.Bytes += part.Bytes
}
