package keyspace_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cldcde/restash/internal/keyspace"
)

// The short ways give what the long ones do, and take no memory where the key is
// canonical, as those of strategies.Key are.
func TestCanonicalShortWay(t *testing.T) {
	alphabet := []string{"", "a", "%", "%2F", "%2f", "%41", "%_", "%!", "é", ":", "%25", "~", "%;", "#", "%E", "\xff"}
	for _, a := range alphabet {
		for _, b := range alphabet {
			for _, c := range alphabet {
				s := a + b + c
				assert.Equal(t, keyspace.Escape(keyspace.Unescape(s)), keyspace.Canonical(s), "%q", s)
				want, sofar := []string{}, ""
				for i, segment := range strings.Split(s, ":") {
					if i > 0 {
						sofar += ":"
					}
					sofar += keyspace.Escape(keyspace.Unescape(segment))
					if want = append(want, sofar); len(want) == keyspace.MaxPrefix {
						break
					}
				}
				assert.Equal(t, want, keyspace.Levels(s), "%q", s)
			}
		}
	}
	key := "user%2F1:a-b:%_"
	assert.LessOrEqual(t, testing.AllocsPerRun(100, func() { keyspace.Levels(key) }), 1.0)
}
