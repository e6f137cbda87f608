package invalidate

import "strings"

// matchGlob is the glob matching of Redis: *, ?, sets and backslashes. It goes
// back to the last star only, so that no pattern takes longer than the product
// of the two lengths.
func matchGlob(glob, s string) bool {
	starred := false
	var tail, from string // behind the last star, and where its text may end
	for {
		if strings.HasPrefix(glob, "*") {
			glob = glob[1:]
			starred, tail, from = true, glob, s
			continue
		}
		if glob == "" && s == "" {
			return true
		}
		if glob != "" && s != "" {
			if rest, ok := matchOne(glob, s[0]); ok {
				glob, s = rest, s[1:]
				continue
			}
		}
		if !starred || from == "" {
			return false
		}
		from = from[1:] // the star takes one more byte
		glob, s = tail, from
	}
}

// matchOne matches one byte with the first element of a glob, which is no
// star, and returns what follows that element.
func matchOne(glob string, c byte) (rest string, ok bool) {
	switch {
	case glob[0] == '?':
		return glob[1:], true
	case glob[0] == '[':
		return matchSet(glob[1:], c)
	case glob[0] == '\\' && len(glob) > 1:
		return glob[2:], glob[1] == c
	}
	return glob[1:], glob[0] == c
}

// matchSet matches one byte with a set and returns what follows the set.
func matchSet(set string, c byte) (rest string, ok bool) {
	negated := strings.HasPrefix(set, "^")
	set = strings.TrimPrefix(set, "^")
	hit := false
	for len(set) > 0 && set[0] != ']' {
		if set[0] == '\\' && len(set) > 1 {
			set = set[1:]
		} else if len(set) > 2 && set[1] == '-' && set[2] != ']' {
			lo, hi := min(set[0], set[2]), max(set[0], set[2])
			hit = hit || lo <= c && c <= hi
			set = set[3:]
			continue
		}
		hit = hit || set[0] == c
		set = set[1:]
	}
	return strings.TrimPrefix(set, "]"), hit != negated
}
