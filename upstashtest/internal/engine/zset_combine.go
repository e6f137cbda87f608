package engine

import (
	"math"
	"slices"
	"strings"
)

// combination is what ZUNION, ZINTER, ZDIFF and their kin were asked.
type combination struct {
	keys      []string
	weights   []float64
	aggregate string
	scores    bool
	limit     int64
}

func parseCombination(name string, list []string) (o combination, bad Reply) {
	n, bad := wholeNumber(list[0])
	switch {
	case isError(bad):
		return o, bad
	case n < 1:
		return o, errorf("ERR at least 1 input key is needed for '%s' command", lower(name))
	case n > int64(len(list)-1):
		return o, errorReply(msgSyntax)
	}
	o.keys, list = list[1:1+n], list[1+n:]
	o.weights = slices.Repeat([]float64{1}, len(o.keys))
	o.aggregate = "SUM"
	return o, o.parseOptions(name, list)
}

func (o *combination) stopAt(text string) bool {
	n, ok := parseInteger(text)
	o.limit = n
	return ok && n >= 0
}

// weigh reads a weight for each key.
func (o *combination) weigh(list []string) bool {
	for i := range o.weights {
		w, ok := parseFloat(list[i])
		if o.weights[i] = w; !ok {
			return false
		}
	}
	return true
}

// optionsOf are the words that a command of the family knows.
func optionsOf(name string) []string {
	switch name {
	case "ZUNIONSTORE", "ZINTERSTORE":
		return []string{"WEIGHTS", "AGGREGATE"}
	case "ZUNION", "ZINTER":
		return []string{"WEIGHTS", "AGGREGATE", "WITHSCORES"}
	case "ZDIFF":
		return []string{"WITHSCORES"}
	case "ZINTERCARD":
		return []string{"LIMIT"}
	}
	return nil
}

func (o *combination) parseOptions(name string, list []string) Reply {
	for len(list) > 0 {
		used := 0
		switch word := upper(list[0]); {
		case !slices.Contains(optionsOf(name), word):
			return errorReply(msgSyntax)
		case word == "WEIGHTS" && len(list) > len(o.keys):
			if !o.weigh(list[1:]) {
				return errorReply("ERR weight value is not a float")
			}
			used = 1 + len(o.keys)
		case word == "AGGREGATE" && len(list) > 1:
			if o.aggregate = upper(list[1]); !slices.Contains([]string{"SUM", "MIN", "MAX"}, o.aggregate) {
				return errorReply(msgSyntax)
			}
			used = 2
		case word == "WITHSCORES":
			o.scores, used = true, 1
		case word == "LIMIT" && len(list) > 1:
			if !o.stopAt(list[1]) {
				return errorReply("ERR LIMIT can't be negative")
			}
			used = 2
		default:
			return errorReply(msgSyntax)
		}
		list = list[used:]
	}
	return nilReply
}

// sourceScores reads a sorted set, or a set whose members all count 1.
func (e *Engine) sourceScores(key string) (map[string]float64, Reply) {
	switch e.typeOf(key) {
	case "none":
		return nil, nilReply
	case "zset":
		z, _ := e.zset(key)
		return z.scores, nilReply
	case "set":
		scores := map[string]float64{}
		for _, name := range texts(e.raw("SMEMBERS", key)) {
			scores[name] = 1
		}
		return scores, nilReply
	}
	return nil, errorReply(msgWrongType)
}

func cmdZCombine(e *Engine, c *call) Reply {
	list, storing := c.args[1:], strings.HasSuffix(c.info.Name, "STORE")
	if storing {
		list = list[1:]
	}
	o, bad := parseCombination(c.info.Name, list)
	var sets []map[string]float64
	for _, key := range o.keys {
		scores, wrong := e.sourceScores(key)
		if isError(wrong) {
			return wrong // before what is wrong with the options
		}
		sets = append(sets, scores)
	}
	if isError(bad) {
		return bad
	}
	if !strings.HasPrefix(c.info.Name, "ZDIFF") {
		o.smallestFirst(sets)
	}
	var found []member
	switch {
	case strings.HasPrefix(c.info.Name, "ZUNION"):
		found = o.union(sets)
	case strings.HasPrefix(c.info.Name, "ZINTER"):
		found = o.inter(sets)
	default:
		found = difference(sets)
	}
	switch {
	case storing:
		return e.storeMembers(c.args[1], found)
	case c.info.Name == "ZINTERCARD":
		if n := int64(len(found)); o.limit == 0 || n < o.limit {
			return intReply(n)
		}
		return intReply(o.limit)
	}
	slices.SortFunc(found, member.compare)
	return bulks(memberTexts(found, o.scores))
}

// smallestFirst orders the sets as Redis does before it adds: with infinite
// scores the order shows.
func (o combination) smallestFirst(sets []map[string]float64) {
	order := make([]int, len(sets))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return len(sets[a]) - len(sets[b]) })
	oldSets, oldWeights := slices.Clone(sets), slices.Clone(o.weights)
	for i, from := range order {
		sets[i], o.weights[i] = oldSets[from], oldWeights[from]
	}
}

func (o combination) add(a, b float64) float64 {
	switch {
	case o.aggregate == "SUM":
		return number0(a + b)
	case o.aggregate == "MIN" && b < a, o.aggregate == "MAX" && b > a:
		return b
	}
	return a // also where b is no number
}

// number0 takes NaN, as the sum of two infinities is, for 0.
func number0(f float64) float64 {
	if math.IsNaN(f) {
		return 0
	}
	return f
}

func (o combination) union(sets []map[string]float64) []member {
	sum := map[string]float64{}
	for i, set := range sets {
		for name, score := range set {
			score = number0(score * o.weights[i])
			if old, ok := sum[name]; ok {
				score = o.add(old, score)
			}
			sum[name] = score
		}
	}
	return membersOf(sum)
}

func (o combination) inter(sets []map[string]float64) []member {
	sum := map[string]float64{}
next:
	for name, score := range sets[0] {
		score = number0(score * o.weights[0])
		for i, set := range sets[1:] {
			other, ok := set[name]
			if !ok {
				continue next
			}
			score = o.add(score, other*o.weights[i+1])
		}
		sum[name] = score
	}
	return membersOf(sum)
}

func difference(sets []map[string]float64) []member {
	left := map[string]float64{}
next:
	for name, score := range sets[0] {
		for _, set := range sets[1:] {
			if _, ok := set[name]; ok {
				continue next
			}
		}
		left[name] = score
	}
	return membersOf(left)
}

func membersOf(scores map[string]float64) []member {
	ms := make([]member, 0, len(scores))
	for name, score := range scores {
		ms = append(ms, member{name, score})
	}
	return ms
}
