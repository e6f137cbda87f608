package invalidate

// For the tests of the package.
var (
	MatchGlob  = matchGlob
	EscapeGlob = escapeGlob
)
