package catalog_test

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/examples/catalog"
)

// Lists must be what filtering, sorting and cutting in Go gives, on both databases.
func TestListsAgreeWithAModel(t *testing.T) {
	onEach(t, func(t *testing.T, db *catalog.Database) {
		seeded(t, db)
		rnd := rand.New(rand.NewPCG(1, 2))
		for _, kind := range []catalog.Kind{catalog.Extension, catalog.MCP} {
			all := everything(t, db, kind)
			for range 60 {
				q := randomQuery(rnd, all)
				got, page, err := db.List(t.Context(), kind, q)
				require.NoError(t, err)
				want, total := model(all, q)
				assert.EqualValues(t, total, page.Total, "%+v", q)
				assert.Equal(t, ids(want), ids(got), "%+v", q)
			}
		}
	})
}

func everything(t *testing.T, db *catalog.Database, kind catalog.Kind) []catalog.Item {
	t.Helper()
	var all []catalog.Item
	q := defaults()
	for q.Limit = 100; ; q.Page++ {
		items, page, err := db.List(t.Context(), kind, q)
		require.NoError(t, err)
		all = append(all, items...)
		if !page.HasNext {
			return all
		}
	}
}

func randomQuery(rnd *rand.Rand, all []catalog.Item) catalog.ListQuery {
	some := all[rnd.IntN(len(all))]
	q := catalog.ListQuery{
		Sort: []catalog.Sort{catalog.ByDownloads, catalog.Recent}[rnd.IntN(2)],
		Page: 1 + rnd.IntN(3), Limit: 1 + rnd.IntN(30),
	}
	if rnd.IntN(3) == 0 {
		q.Category = some.Category
	}
	if rnd.IntN(3) == 0 {
		q.Platform = some.Platform
	}
	if rnd.IntN(4) == 0 {
		q.Author = some.Author
	}
	if rnd.IntN(2) == 0 {
		words := strings.Fields(some.Description)
		q.Search = strings.ToUpper(words[rnd.IntN(len(words))]) + " " + some.Name[:min(3, len(some.Name))]
	}
	return q
}

func model(all []catalog.Item, q catalog.ListQuery) (page []catalog.Item, total int) {
	var found []catalog.Item
	for _, item := range all {
		if matches(item, q) {
			found = append(found, item)
		}
	}
	slices.SortFunc(found, func(a, b catalog.Item) int {
		first := cmp.Compare(b.Downloads, a.Downloads)
		if q.Sort == catalog.Recent {
			first = b.PublishedAt.Compare(a.PublishedAt)
		}
		return cmp.Or(first, strings.Compare(a.ID, b.ID))
	})
	from := min((q.Page-1)*q.Limit, len(found))
	return found[from:min(from+q.Limit, len(found))], len(found)
}

func matches(item catalog.Item, q catalog.ListQuery) bool {
	text := strings.ToLower(item.Name + " " + item.Author + " " + item.Description)
	for word := range strings.FieldsSeq(strings.ToLower(q.Search)) {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return (q.Category == "" || q.Category == item.Category) &&
		(q.Platform == "" || q.Platform == item.Platform) &&
		(q.Author == "" || q.Author == item.Author)
}

// Ties are broken by bytes; a database's own rules of sorting would put these
// three in another order.
func TestTiesDoNotDependOnTheLocale(t *testing.T) {
	onEach(t, func(t *testing.T, db *catalog.Database) {
		for i, author := range []string{"a_b", "a.b", "a-b"} {
			require.NoError(t, db.Create(t.Context(), catalog.MCP, published("@x/"+string(rune('a'+i)), author)))
		}
		top, err := db.TopUsers(t.Context(), 3)
		require.NoError(t, err)
		assert.Equal(t, []string{"a-b", "a.b", "a_b"}, top)
	})
}
