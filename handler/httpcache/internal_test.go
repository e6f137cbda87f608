package httpcache

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cldcde/restash/handler/internal/rfc9111"
)

func TestLearnedListsGrow(t *testing.T) {
	v := varyLists{known: []string{"A"}}
	assert.Equal(t, []string{"A"}, v.of("k"))
	assert.Equal(t, []string{"A", "C"}, v.learn("k", []string{"C"}))
	assert.Equal(t, []string{"A", "B", "C"}, v.learn("k", []string{"B"}))
	assert.Equal(t, []string{"A", "B", "C"}, v.of("k"))
	assert.Equal(t, []string{"A"}, v.of("another"))
	many := make([]string, rfc9111.MaxVary)
	for i := range many {
		many[i] = string(rune('a' + i))
	}
	assert.Equal(t, many, v.learn("k", many), "too many together: the last word counts")
	for i := range 2 * maxLists {
		v.learn(strconv.Itoa(i), many[:1])
	}
	assert.LessOrEqual(t, len(v.keys), maxLists)
}

func TestConfigSaysWhichFieldIsWrong(t *testing.T) {
	for field, cfg := range map[string]Config{
		"Tags": {Tags: []string{"a{b"}}, "Advanced.MaxBody": {Advanced: Advanced{MaxBody: -1}},
		"Prefix": {Prefix: strings.Repeat("x", 129)}, "Vary": {Vary: strings.Split("a b c d e f g h i j k l m n o p q", " ")},
	} {
		assert.ErrorContains(t, cfg.check(), field)
	}
	assert.Equal(t, "http", Config{}.Name())
}
