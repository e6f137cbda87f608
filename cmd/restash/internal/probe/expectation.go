package probe

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// expectation is what the documentation says of an answer.
type expectation struct {
	text   string // for people
	open   bool   // it says nothing
	status string // "" for any
	body   *regexp.Regexp
	value  any  // of the member "result", or the whole body
	whole  bool // value is the body
	set    bool // the order of value means nothing
	failed string
}

// parseAnswer reads what follows "<": ?, or STATUS JSON, or STATUS ~ REGEXP.
// The status * is any.
func (e *expectation) parseAnswer(text string) error {
	e.text = text
	if text == "?" {
		e.open = true
		return nil
	}
	status, rest, _ := strings.Cut(text, " ")
	if status != "*" {
		e.status = status
	}
	if pattern, found := strings.CutPrefix(rest, "~"); found {
		return e.matches(pattern)
	}
	e.whole = true
	return decode([]byte(rest), &e.value)
}

// parseResult reads what follows "=>": ?, or ! and how an error begins, or
// ~ REGEXP, or the JSON of the result, in any order after {set}.
func (e *expectation) parseResult(text string) error {
	e.text = text
	if text == "?" {
		e.open = true
		return nil
	}
	if begins, found := strings.CutPrefix(text, "! "); found {
		e.status, e.failed = "400", begins
		return nil
	}
	e.status = "200"
	if pattern, found := strings.CutPrefix(text, "~ "); found {
		return e.matches(`^\{"result":` + pattern + `\}$`)
	}
	rest, set := strings.CutPrefix(text, "{set} ")
	e.set = set
	return decode([]byte(rest), &e.value)
}

func (e *expectation) matches(pattern string) (err error) {
	e.body, err = regexp.Compile(strings.TrimSpace(pattern))
	return err
}

// met reports whether an answer is as expected.
func (e *expectation) met(status int, body []byte) bool {
	if e.open {
		return true
	}
	if e.status != "" && e.status != fmt.Sprint(status) {
		return false
	}
	if e.body != nil {
		return e.body.Match(bytes.TrimSpace(body))
	}
	var got any
	if decode(body, &got) != nil {
		return false
	}
	if e.whole {
		return reflect.DeepEqual(got, e.value)
	}
	object, _ := got.(map[string]any)
	if e.failed != "" {
		text, _ := object["error"].(string)
		return strings.HasPrefix(text, e.failed)
	}
	result, found := object["result"]
	return found && equal(result, e.value, e.set)
}

func equal(a, b any, set bool) bool {
	if set {
		a, b = sorted(a), sorted(b)
	}
	return reflect.DeepEqual(a, b)
}

// sorted orders a list by the text of its items.
func sorted(v any) any {
	items, ok := v.([]any)
	if !ok {
		return v
	}
	return slices.SortedFunc(slices.Values(items), func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
}

// decode keeps the digits of numbers: 1 and 1.0 differ.
func decode(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return d.Decode(into)
}
