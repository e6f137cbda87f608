package engine

import (
	"math"
	"regexp"
	"slices"
	"strings"
)

// cmdArGet is ARGET and ARMGET.
func cmdArGet(e *Engine, c *call) Reply {
	slots, bad := parseIndexes(c.args[2:])
	if isError(bad) {
		return bad
	}
	a, bad := e.filled(c.args[1])
	switch {
	case isError(bad):
		return bad
	case c.info.Name == "ARGET":
		return a.get(slots[0])
	}
	r := array()
	for _, i := range slots {
		r.Array = append(r.Array, a.get(i))
	}
	return r
}

// maxItems is the most that ARGETRANGE returns.
const maxItems = 1_000_000

func cmdArGetRange(e *Engine, c *call) Reply {
	ends, bad := parseIndexes(c.args[2:4])
	if isError(bad) {
		return bad
	}
	low, high := min(ends[0], ends[1]), max(ends[0], ends[1])
	if high-low >= maxItems {
		return errorf("ERR range exceeds maximum of %d items", maxItems)
	}
	a, bad := e.filled(c.args[1])
	if isError(bad) {
		return bad
	}
	r := array()
	for i := low; ; i++ {
		r.Array = append(r.Array, a.get(i))
		if i == high {
			break
		}
	}
	if ends[0] > ends[1] {
		slices.Reverse(r.Array)
	}
	return r
}

// parseEdges reads the bounds of a search: indexes, - for the first and + for
// the last.
func parseEdges(low, high string) (from, to uint64, bad Reply) {
	ok1, ok2 := true, true
	if low != "-" {
		from, ok1 = parseIndex(low)
	}
	if to = maxIndex; high != "+" {
		to, ok2 = parseIndex(high)
	}
	switch {
	case !ok1 || !ok2:
		return 0, 0, badIndex
	case from > to:
		return 0, 0, errorReply("ERR start index is greater than end index")
	}
	return from, to, nilReply
}

// parseLimit reads a limit that is at least 1.
func parseLimit(word string) (int, Reply) {
	n, ok := parseInteger(word)
	if !ok || n < 1 {
		return 0, errorReply("ERR LIMIT must be a positive integer")
	}
	return int(min(n, math.MaxInt32)), nilReply
}

func cmdArScan(e *Engine, c *call) Reply {
	from, to, bad := parseEdges(c.args[2], c.args[3])
	if isError(bad) {
		return bad
	}
	limit := math.MaxInt
	switch {
	case len(c.args) == 6 && upper(c.args[4]) == "LIMIT":
		if limit, bad = parseLimit(c.args[5]); isError(bad) {
			return bad
		}
	case len(c.args) > 4:
		return errorReply(msgSyntax)
	}
	a, bad := e.filled(c.args[1])
	if isError(bad) {
		return bad
	}
	r := array()
	for _, i := range a.between(from, to) {
		if len(r.Array) == limit {
			break
		}
		r.Array = append(r.Array, array(indexReply(i), a.get(i)))
	}
	return r
}

// grep is what ARGREP looks for.
type grep struct {
	tests          []func(v string) bool
	kinds, wanted  []string
	all            bool // AND
	noCase, values bool
	limit          int
}

const (
	maxPredicates = 250
	maxRE         = 2048
)

// predicates are the ways to compare of ARGREP.
var predicates = []string{"EXACT", "MATCH", "GLOB", "RE"}

func parseGrep(list []string) (g grep, bad Reply) {
	g.limit = math.MaxInt
	for i := 0; i < len(list); i++ {
		word, more := upper(list[i]), i+1 < len(list)
		switch {
		case more && slices.Contains(predicates, word):
			i++
			g.kinds, g.wanted = append(g.kinds, word), append(g.wanted, list[i])
		case word == "AND" || word == "OR":
			g.all = word == "AND"
		case word == "NOCASE":
			g.noCase = true
		case word == "WITHVALUES":
			g.values = true
		case more && word == "LIMIT":
			i++
			if g.limit, bad = parseLimit(list[i]); isError(bad) {
				return g, bad
			}
		default:
			return g, errorReply(msgSyntax)
		}
	}
	if len(g.kinds) == 0 || len(g.kinds) > maxPredicates {
		return g, errorf("ERR ARGREP takes 1 to %d predicates", maxPredicates)
	}
	return g, g.compile()
}

func (g *grep) compile() Reply {
	for i, kind := range g.kinds {
		want := g.wanted[i]
		if kind == "RE" {
			if len(want) > maxRE {
				return errorf("ERR regular expression is longer than %d bytes", maxRE)
			}
			if g.noCase {
				want = "(?i)" + want
			}
			re, err := regexp.Compile(want)
			if err != nil {
				return errorReply("ERR invalid regular expression")
			}
			g.tests = append(g.tests, re.MatchString)
			continue
		}
		fold := func(s string) string { return s }
		if g.noCase {
			fold = strings.ToLower
		}
		want = fold(want)
		g.tests = append(g.tests, map[string]func(v string) bool{
			"EXACT": func(v string) bool { return fold(v) == want },
			"MATCH": func(v string) bool { return strings.Contains(fold(v), want) },
			"GLOB":  func(v string) bool { return Match(want, fold(v)) },
		}[kind])
	}
	return nilReply
}

func (g *grep) hits(v string) bool {
	for _, test := range g.tests {
		if test(v) != g.all {
			return !g.all
		}
	}
	return g.all
}

func cmdArGrep(e *Engine, c *call) Reply {
	from, to, bad := parseEdges(c.args[2], c.args[3])
	if isError(bad) {
		return bad
	}
	g, bad := parseGrep(c.args[4:])
	if isError(bad) {
		return bad
	}
	a, bad := e.filled(c.args[1])
	if isError(bad) {
		return bad
	}
	r := array()
	for _, i := range a.between(from, to) {
		if len(r.Array) == g.limit {
			break
		}
		switch {
		case !g.hits(a.at[i]):
		case g.values:
			r.Array = append(r.Array, array(indexReply(i), a.get(i)))
		default:
			r.Array = append(r.Array, indexReply(i))
		}
	}
	return r
}

// cmdArOp computes over a range. What is no number is left out.
func cmdArOp(e *Engine, c *call) Reply {
	from, to, bad := parseEdges(c.args[2], c.args[3])
	if isError(bad) {
		return bad
	}
	op := upper(c.args[4])
	if known := arOps[op] || op == "USED" || op == "MATCH"; !known || (op == "MATCH") != (len(c.args) == 6) || len(c.args) > 6 {
		return errorReply(msgSyntax)
	}
	a, bad := e.filled(c.args[1])
	if isError(bad) {
		return bad
	}
	slots := a.between(from, to)
	switch op {
	case "USED":
		return intReply(int64(len(slots)))
	case "MATCH":
		n := int64(0)
		for _, i := range slots {
			if a.at[i] == c.args[5] {
				n++
			}
		}
		return intReply(n)
	}
	var numbers []float64
	for _, i := range slots {
		if f, ok := parseFloat(a.at[i]); ok {
			numbers = append(numbers, f)
		}
	}
	return aggregate(op, numbers)
}

var arOps = map[string]bool{"SUM": true, "MIN": true, "MAX": true, "AND": true, "OR": true, "XOR": true}

func aggregate(op string, numbers []float64) Reply {
	if len(numbers) == 0 {
		return nilReply
	}
	sum, bits := numbers[0], int64(numbers[0])
	for _, f := range numbers[1:] {
		switch op {
		case "SUM":
			sum += f
		case "MIN":
			sum = min(sum, f)
		case "MAX":
			sum = max(sum, f)
		case "AND":
			bits &= int64(f)
		case "OR":
			bits |= int64(f)
		default:
			bits ^= int64(f)
		}
	}
	switch op {
	case "SUM", "MIN", "MAX":
		return bulk(formatScore(sum))
	}
	return intReply(bits)
}
