package catalog

import (
	"context"
	"net/http"

	"github.com/cldcde/restash/handler"
	"github.com/cldcde/restash/strategies"
)

// featuredItems reads all curated items in one round trip; the missing ones are
// loaded with one query. The answer is a HIT only if all were in the cache.
func (a *App) featuredItems(w http.ResponseWriter, r *http.Request) error {
	for _, k := range kinds {
		if k.featType == r.PathValue("type") {
			return a.answerFeatured(w, r, k)
		}
	}
	return ErrNotFound
}

func (a *App) answerFeatured(w http.ResponseWriter, r *http.Request, k kindRoutes) error {
	var status strategies.Status
	keys := k.featuredKeys()
	found, err := a.featured.GetMany(r.Context(), keys, a.loadFeatured(k), strategies.Report(&status))
	if err != nil {
		return err
	}
	items := make([]Item, 0, len(keys))
	for _, key := range keys { // in the curated order; one that was taken down is left out
		if item, ok := found[key]; ok {
			items = append(items, item)
		}
	}
	handler.WriteStatus(w, status)
	askEachTime(w)
	answer(w, http.StatusOK, map[string]any{"featured": items})
	return nil
}

func (k kindRoutes) featuredKeys() []string {
	keys := make([]string, len(k.curated))
	for i, id := range k.curated {
		keys[i] = strategies.Key(k.kind, id)
	}
	return keys
}

// loadFeatured loads the items of some keys.
func (a *App) loadFeatured(k kindRoutes) strategies.BatchLoader[Item] {
	return func(ctx context.Context, keys []string) (map[string]Item, error) {
		byKey := make(map[string]string, len(k.curated))
		for i, key := range k.featuredKeys() {
			byKey[key] = k.curated[i]
		}
		ids := make([]string, len(keys))
		for i, key := range keys {
			ids[i] = byKey[key]
		}
		items, err := a.db.Items(ctx, k.kind, ids)
		if err != nil {
			return nil, err
		}
		found := make(map[string]Item, len(items))
		for _, key := range keys {
			if item, ok := items[byKey[key]]; ok {
				found[key] = item
			}
		}
		return found, nil
	}
}
