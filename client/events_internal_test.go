package client

import (
	"io"
	"strings"
)

// readEvents reads a whole body, as a connection that ends would be read.
func readEvents(body string, limit int) (events []string, err error) {
	r := newEventReader(strings.NewReader(body), limit)
	for {
		event, ok, err := r.next()
		if err == io.EOF {
			return events, nil
		}
		if err != nil {
			return events, err
		}
		if ok {
			events = append(events, event)
		}
	}
}
