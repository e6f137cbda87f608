package engine

// Match reports whether s matches a Redis glob: * ? [a-c] [^a] and \ before a
// character that stands for itself. It takes time of order len(pattern) ×
// len(s), whatever the pattern.
func Match(pattern, s string) bool {
	star, back := -1, 0 // where to resume: the last * and how much of s it took
	p, i := 0, 0
	for i < len(s) {
		if p < len(pattern) {
			if pattern[p] == '*' {
				star, back = p, i
				p++
				continue
			}
			if width, ok := matchOne(pattern[p:], s[i]); ok {
				p += width
				i++
				continue
			}
		}
		if star < 0 {
			return false
		}
		back++
		p, i = star+1, back
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// matchOne matches the first element of pattern against c and returns how
// long the element is.
func matchOne(pattern string, c byte) (int, bool) {
	switch pattern[0] {
	case '?':
		return 1, true
	case '[':
		return matchClass(pattern, c)
	case '\\':
		if len(pattern) > 1 {
			return 2, pattern[1] == c
		}
	}
	return 1, pattern[0] == c
}

func matchClass(pattern string, c byte) (int, bool) {
	i, not, found := 1, false, false
	if i < len(pattern) && pattern[i] == '^' {
		not = true
		i++
	}
	for ; i < len(pattern) && pattern[i] != ']'; i++ {
		if pattern[i] == '\\' && i+1 < len(pattern) {
			i++
			found = found || pattern[i] == c
			continue
		}
		if i+2 < len(pattern) && pattern[i+1] == '-' {
			lo, hi := min(pattern[i], pattern[i+2]), max(pattern[i], pattern[i+2])
			found = found || lo <= c && c <= hi
			i += 2
			continue
		}
		found = found || pattern[i] == c
	}
	return min(i+1, len(pattern)), found != not
}
