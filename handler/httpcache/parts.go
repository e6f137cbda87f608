package httpcache

import (
	"net/http"
	"strings"

	"github.com/cldcde/restash/handler/internal/record"
	"github.com/cldcde/restash/handler/internal/rfc9111"
)

// Of an answer of which only parts were asked for one part is stored (RFC 9111
// section 3.3). It answers what lies in it, grows by what touches it, and
// gives way to a longer one and to the whole.

// storesPart reports whether a part is worth storing.
func (x *exchange) storesPart(asked, h http.Header) bool {
	p, ok := rfc9111.PartOf(h)
	if !ok || x.whole || !isRange(asked) {
		return false
	}
	have := x.part()
	return have == nil || have.Joins(h) || p.End-p.Start > len(have.Body)
}

// part is the stored part that the request could not do with.
func (x *exchange) part() *record.Response {
	if known := x.Turn.Known; known != nil && known.IsPart() {
		return known
	}
	return nil
}

func isRange(h http.Header) bool { return strings.Join(h["Range"], "") != "" }
