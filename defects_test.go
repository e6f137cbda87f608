package restash_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// defects are faults of the caching layer that this module replaces, each of
// which must be impossible here. A test called TestDefect01... proves it.
var defects = map[int]string{
	1:  "entries expired at exactly the TTL, so the stale window never existed",
	2:  "warming wrote other keys and another shape than the routes read",
	3:  "a failing loader ran twice and counted as a failure of the cache",
	4:  "keys printed objects as [object Object], and parts could collide",
	5:  "a background refresh forgot the tags and died without a word",
	6:  "patterns used KEYS, and a user's text could act as a glob",
	7:  "tag sets grew for ever, and invalidation raced with loads",
	8:  "every answer said HIT, handlers ran twice, and private answers were replayed",
	9:  "the breaker did not count consecutively and never closed after bad trials",
	10: "metrics were of one instance only",
}

var defectTest = regexp.MustCompile(`^TestDefect(\d{2})\w+$`)

func TestDefectsEachHasItsTest(t *testing.T) {
	found := map[int][]string{}
	sources(t, "_test.go", func(path string) {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, decl := range file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Recv != nil || fn.Body == nil || len(fn.Body.List) == 0 {
				continue
			}
			if m := defectTest.FindStringSubmatch(fn.Name.Name); m != nil {
				number, err := strconv.Atoi(m[1])
				require.NoError(t, err)
				found[number] = append(found[number], path+": "+fn.Name.Name)
			}
		}
	})
	for number, fault := range defects {
		assert.NotEmptyf(t, found[number], "no test TestDefect%02d...: %s", number, fault)
		t.Logf("defect %d: %v", number, found[number])
	}
}
