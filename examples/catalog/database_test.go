package catalog_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/examples/catalog"
)

func seeded(t *testing.T, db *catalog.Database) {
	t.Helper()
	n, err := db.Seed(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1127, n)
}

func defaults() catalog.ListQuery {
	return catalog.ListQuery{Sort: catalog.ByDownloads, Page: 1, Limit: 20}
}

func ids(items []catalog.Item) []string {
	list := make([]string, len(items))
	for i, item := range items {
		list[i] = item.ID
	}
	return list
}

func TestSeedIsCompleteRepeatableAndLeavesChangesAlone(t *testing.T) {
	onEach(t, func(t *testing.T, db *catalog.Database) {
		ctx := t.Context()
		seeded(t, db)
		stats, err := db.Stats(ctx)
		require.NoError(t, err)
		assert.EqualValues(t, 247, stats.Extensions)
		assert.EqualValues(t, 880, stats.MCPServers)
		assert.EqualValues(t, 11, stats.Categories)

		version := "9.9.9"
		_, _, err = db.Update(ctx, catalog.Extension, "openai-codex", catalog.Changes{Version: &version}, time.Now())
		require.NoError(t, err)
		require.NoError(t, db.Migrate(ctx), "migrating twice changes nothing")
		n, err := db.Seed(ctx)
		require.NoError(t, err)
		assert.Zero(t, n)
		item, err := db.Item(ctx, catalog.Extension, "openai-codex")
		require.NoError(t, err)
		assert.Equal(t, version, item.Version)
	})
}

func TestItemsAreMarkedAsSampleDataUntilUsersPublish(t *testing.T) {
	onEach(t, func(t *testing.T, db *catalog.Database) {
		seeded(t, db)
		item, err := db.Item(t.Context(), catalog.Extension, "anthropic-ai-claude-code")
		require.NoError(t, err)
		assert.True(t, item.Sample)
		assert.Equal(t, "@anthropic-ai/claude-code", item.Name)
		assert.Equal(t, "Extension @anthropic-ai/claude-code in devtools for claude, published by anthropic-ai.", item.Description)
		user, err := db.User(t.Context(), "anthropic-ai")
		require.NoError(t, err)
		assert.True(t, user.Sample)

		item = published("@ada/engine", "ada")
		require.NoError(t, db.Create(t.Context(), catalog.Extension, item))
		got, err := db.Item(t.Context(), catalog.Extension, item.ID)
		require.NoError(t, err)
		assert.Equal(t, item, got)
		assert.False(t, got.Sample)
	})
}

func published(name, author string) catalog.Item {
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	return catalog.Item{ID: strings.NewReplacer("@", "", "/", "-").Replace(name), Name: name, Version: "1.0.0",
		Description: "An engine, 100% new_", Author: author, Category: "devtools", Platform: "any",
		PublishedAt: now, UpdatedAt: now}
}

func TestSampleDataIsTheSameEverywhere(t *testing.T) {
	onEach(t, func(t *testing.T, db *catalog.Database) {
		seeded(t, db)
		item, err := db.Item(t.Context(), catalog.MCP, "playwright-mcp")
		require.NoError(t, err)
		assert.Equal(t, "2025-05-09T12:43:00Z", item.PublishedAt.Format(time.RFC3339))
		assert.EqualValues(t, 289, item.Votes)
		assert.InDelta(t, 4.81, item.Rating, 1e-9)
	})
}

func TestSortsGiveThreeDifferentFirstPages(t *testing.T) {
	onEach(t, func(t *testing.T, db *catalog.Database) {
		seeded(t, db)
		first := map[catalog.Sort][]catalog.Item{}
		for _, sort := range []catalog.Sort{catalog.ByDownloads, catalog.ByRating, catalog.Recent} {
			q := defaults()
			q.Sort = sort
			items, page, err := db.List(t.Context(), catalog.Extension, q)
			require.NoError(t, err)
			assert.EqualValues(t, 247, page.Total)
			require.Len(t, items, 20)
			first[sort] = items
		}
		assert.Equal(t, "anthropic-ai-claude-code", first[catalog.ByDownloads][0].ID)
		assert.NotEqual(t, ids(first[catalog.ByDownloads]), ids(first[catalog.ByRating]))
		assert.NotEqual(t, ids(first[catalog.ByDownloads]), ids(first[catalog.Recent]))
		assert.NotEqual(t, ids(first[catalog.ByRating]), ids(first[catalog.Recent]))
		for i := 1; i < 20; i++ {
			assert.GreaterOrEqual(t, first[catalog.ByDownloads][i-1].Downloads, first[catalog.ByDownloads][i].Downloads)
			assert.GreaterOrEqual(t, first[catalog.ByRating][i-1].Rating, first[catalog.ByRating][i].Rating)
			assert.False(t, first[catalog.Recent][i-1].PublishedAt.Before(first[catalog.Recent][i].PublishedAt))
		}
	})
}

func TestPagesAddUpToTheWholeList(t *testing.T) {
	onEach(t, func(t *testing.T, db *catalog.Database) {
		seeded(t, db)
		for _, sort := range []catalog.Sort{catalog.ByDownloads, catalog.ByRating, catalog.Recent} {
			seen := map[string]bool{}
			q := defaults()
			q.Sort, q.Limit = sort, 100
			for q.Page = 1; ; q.Page++ {
				items, page, err := db.List(t.Context(), catalog.MCP, q)
				require.NoError(t, err)
				for _, item := range items {
					assert.False(t, seen[item.ID], "%s is on two pages", item.ID)
					seen[item.ID] = true
				}
				assert.Equal(t, q.Page > 1, page.HasPrev)
				assert.EqualValues(t, 9, page.TotalPages)
				if !page.HasNext {
					break
				}
			}
			assert.Len(t, seen, 880)
		}
		q := defaults()
		q.Page = 10_000
		items, page, err := db.List(t.Context(), catalog.MCP, q)
		require.NoError(t, err)
		assert.Empty(t, items)
		assert.NotNil(t, items, "an empty list is [] in JSON")
		assert.False(t, page.HasNext)
	})
}

func TestFiltersAndSearch(t *testing.T) {
	onEach(t, func(t *testing.T, db *catalog.Database) {
		seeded(t, db)
		require.NoError(t, db.Create(t.Context(), catalog.Extension, published("@ada/engine", "ada")))
		list := func(change func(q *catalog.ListQuery)) []catalog.Item {
			q := defaults()
			q.Limit = 100
			change(&q)
			items, page, err := db.List(t.Context(), catalog.Extension, q)
			require.NoError(t, err)
			assert.EqualValues(t, len(items), min(page.Total, 100))
			return items
		}
		assert.Len(t, list(func(q *catalog.ListQuery) { q.Category = "agents" }), 51)
		for _, item := range list(func(q *catalog.ListQuery) { q.Platform = "codex" }) {
			assert.Equal(t, "codex", item.Platform)
		}
		assert.Len(t, list(func(q *catalog.ListQuery) { q.Author = "github" }), 3)
		assert.Contains(t, ids(list(func(q *catalog.ListQuery) { q.Search = "CLAUDE anthropic-ai code" })), "anthropic-ai-claude-code")
		assert.Equal(t, []string{"ada-engine"}, ids(list(func(q *catalog.ListQuery) { q.Search = "100%" })))
		assert.Equal(t, []string{"ada-engine"}, ids(list(func(q *catalog.ListQuery) { q.Search = "new_" })))
		assert.Empty(t, list(func(q *catalog.ListQuery) { q.Search = "%" + "engine" }), "a user's % has no meaning")
		assert.Empty(t, list(func(q *catalog.ListQuery) { q.Search = "'; DROP TABLE items; --" }))
	})
}

func TestRatingsAndDownloadsAddUpUnderConcurrency(t *testing.T) {
	onEach(t, func(t *testing.T, db *catalog.Database) {
		ctx := t.Context()
		item := published("@ada/engine", "ada")
		require.NoError(t, db.Create(ctx, catalog.MCP, item))
		var all sync.WaitGroup
		for n := range 20 {
			all.Go(func() {
				_, err := db.Rate(ctx, catalog.MCP, item.ID, 4+n%2)
				assert.NoError(t, err)
				_, err = db.Download(ctx, catalog.MCP, item.ID)
				assert.NoError(t, err)
			})
		}
		all.Wait()
		got, err := db.Item(ctx, catalog.MCP, item.ID)
		require.NoError(t, err)
		assert.EqualValues(t, 20, got.Downloads)
		assert.EqualValues(t, 20, got.Votes)
		assert.InDelta(t, 4.5, got.Rating, 1e-9)
		stats, err := db.UserStats(ctx, "ada")
		require.NoError(t, err)
		assert.Equal(t, catalog.UserSummary{User: "ada", DisplayName: "ada", MCPServers: 1, Downloads: 20, Votes: 20, Rating: 4.5}, stats)
	})
}

func TestUpdateLosesNoChangeOfAnother(t *testing.T) {
	onEach(t, func(t *testing.T, db *catalog.Database) {
		ctx := t.Context()
		item := published("@ada/engine", "ada")
		require.NoError(t, db.Create(ctx, catalog.Extension, item))
		version, category := "2.0.0", "sdk"
		var both sync.WaitGroup
		for _, c := range []catalog.Changes{{Version: &version}, {Category: &category}} {
			both.Go(func() {
				_, _, err := db.Update(ctx, catalog.Extension, item.ID, c, item.UpdatedAt)
				assert.NoError(t, err)
			})
		}
		both.Wait()
		got, err := db.Item(ctx, catalog.Extension, item.ID)
		require.NoError(t, err)
		assert.Equal(t, version, got.Version)
		assert.Equal(t, category, got.Category)
		assert.True(t, got.UpdatedAt.After(item.UpdatedAt))
	})
}

func TestUnknownAndTakenNames(t *testing.T) {
	onEach(t, func(t *testing.T, db *catalog.Database) {
		ctx := t.Context()
		_, err := db.Item(ctx, catalog.Extension, "nobody")
		require.ErrorIs(t, err, catalog.ErrNotFound)
		_, err = db.Rate(ctx, catalog.Extension, "nobody", 5)
		require.ErrorIs(t, err, catalog.ErrNotFound)
		_, err = db.Download(ctx, catalog.Extension, "nobody")
		require.ErrorIs(t, err, catalog.ErrNotFound)
		_, _, err = db.Update(ctx, catalog.Extension, "nobody", catalog.Changes{}, time.Now())
		require.ErrorIs(t, err, catalog.ErrNotFound)
		_, err = db.User(ctx, "nobody")
		require.ErrorIs(t, err, catalog.ErrNotFound)
		_, err = db.UserStats(ctx, "nobody")
		require.ErrorIs(t, err, catalog.ErrNotFound)
		_, err = db.SaveProfile(ctx, catalog.User{Name: "nobody"})
		require.ErrorIs(t, err, catalog.ErrConflict)
		require.ErrorIs(t, db.Login(ctx, "nobody", time.Now()), catalog.ErrNotFound)
		require.NoError(t, db.Create(ctx, catalog.Extension, published("@ada/engine", "ada")))
		require.ErrorIs(t, db.Create(ctx, catalog.Extension, published("@ada/engine", "eve")), catalog.ErrExists)
		_, err = db.User(ctx, "eve")
		require.ErrorIs(t, err, catalog.ErrNotFound, "a refused item leaves no user behind")
		require.NoError(t, db.Create(ctx, catalog.MCP, published("@ada/engine", "ada")), "the other kind has ids of its own")
	})
}

func TestUsers(t *testing.T) {
	onEach(t, func(t *testing.T, db *catalog.Database) {
		ctx := t.Context()
		seeded(t, db)
		top, err := db.TopUsers(ctx, 3)
		require.NoError(t, err)
		assert.Equal(t, []string{"anthropic-ai", "openai", "playwright"}, top)
		found, err := db.Users(ctx, append(top, "nobody"))
		require.NoError(t, err)
		assert.Len(t, found, 3)
		user := found["openai"]
		assert.Nil(t, user.LastLoginAt)
		user.DisplayName, user.Bio = "Ada Ünal", "writes"
		old := user
		user, err = db.SaveProfile(ctx, user)
		require.NoError(t, err)
		assert.Equal(t, old.Version+1, user.Version)
		_, err = db.SaveProfile(ctx, old)
		require.ErrorIs(t, err, catalog.ErrConflict, "read before the last change")
		at := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
		require.NoError(t, db.Login(ctx, "openai", at))
		user.LastLoginAt = &at
		user.Version++
		got, err := db.User(ctx, "openai")
		require.NoError(t, err)
		assert.Equal(t, user, got)
	})
}

func TestCategoriesCountEverythingOnce(t *testing.T) {
	onEach(t, func(t *testing.T, db *catalog.Database) {
		seeded(t, db)
		list, err := db.Categories(t.Context())
		require.NoError(t, err)
		require.Len(t, list, 11)
		assert.Equal(t, catalog.Category{Name: "agents", Extensions: 51, MCPServers: 63, Total: 114}, list[0])
		var total int64
		for _, c := range list {
			total += c.Total
		}
		assert.EqualValues(t, 1127, total)
	})
}

func TestInstancesThatStartTogetherMigrateAndSeedOnce(t *testing.T) {
	db := openPostgres(t)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			instance, err := catalog.NewDatabase(db, catalog.Postgres)
			if assert.NoError(t, err) {
				instance.PrepareOnUse()
				stats, err := instance.Stats(t.Context())
				assert.NoError(t, err)
				assert.EqualValues(t, 247, stats.Extensions)
			}
		})
	}
	all.Wait()
}

func TestNewDatabaseNamesWhatIsWrong(t *testing.T) {
	_, err := catalog.NewDatabase(nil, catalog.SQLite)
	require.ErrorContains(t, err, "DB")
	_, err = catalog.NewDatabase(openSQLite(t), "oracle")
	require.ErrorContains(t, err, "oracle")
}

func TestEmptyDatabaseHasEveryCategoryAndNoNaN(t *testing.T) {
	onEach(t, func(t *testing.T, db *catalog.Database) {
		list, err := db.Categories(t.Context())
		require.NoError(t, err)
		require.Len(t, list, 11)
		assert.Equal(t, catalog.Category{Name: "agents"}, list[0])
		stats, err := db.Stats(t.Context())
		require.NoError(t, err)
		assert.Equal(t, catalog.Stats{}, stats)
		found, err := db.Items(t.Context(), catalog.MCP, nil)
		require.NoError(t, err)
		assert.Empty(t, found)
	})
}
