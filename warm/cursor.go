package warm

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// start reads Options.From: the index of the step and the keys to leave out.
func (r *runner) start() (step, offset int, err error) {
	if r.o.From == "" {
		return 0, 0, nil
	}
	escaped, number, _ := strings.Cut(r.o.From, "/")
	name, err := url.PathUnescape(escaped)
	if err == nil {
		offset, err = strconv.Atoi(number)
	}
	if err != nil || offset < 0 {
		return 0, 0, fmt.Errorf("%w: it is %q, want the Next of a report", ErrFrom, r.o.From)
	}
	for i, s := range r.steps {
		if s.name == name {
			return i, offset, nil
		}
	}
	return 0, 0, fmt.Errorf("%w: it names the step %q, which there is not", ErrFrom, name)
}

// next is where a later run goes on: at the first step that has not ended.
func (r *runner) next() string {
	first, _, _ := r.start()
	for i := first; i < len(r.steps); i++ {
		if at, begun := r.ended[i]; !begun || at >= 0 {
			return url.PathEscape(r.steps[i].name) + "/" + strconv.Itoa(at)
		}
	}
	return ""
}
