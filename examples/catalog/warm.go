package catalog

import (
	"context"
	"fmt"
	"net/http"

	"github.com/cldcde/restash/handler"
	"github.com/cldcde/restash/handler/ops"
	"github.com/cldcde/restash/warm"
)

// How much of the catalogue is worth loading before anybody asks.
const (
	warmPages = 3  // first pages of each list in each order
	warmItems = 30 // most popular items of a kind in each order
	warmUsers = 25 // users with the most downloads
)

var sorts = []Sort{ByDownloads, ByRating, Recent}

// Plan returns the warm-up with a name, so that of all instances one at a time
// runs it; see [warm.Plan.Run]. The cron route does.
func (a *App) Plan() warm.Plan { return warm.Plan{Name: "catalog", Steps: a.WarmPlan()} }

// WarmPlan returns what is loaded before anybody asks, the most wanted first:
// popular extensions and MCP servers by downloads, by rating and by date, then
// featured items, categories, totals, and the pages of the top users. The steps
// use the routes' own presets and handles, so they store exactly what the routes read.
func (a *App) WarmPlan() []warm.Step {
	var steps []warm.Step
	for _, k := range kinds {
		steps = append(steps, handler.Warm(a.preset(k.list), a, k.hotLists()...))
	}
	for _, k := range kinds {
		steps = append(steps, handler.WarmFunc(a.preset(k.detail), a, a.hotItems(k)))
	}
	for _, k := range kinds {
		steps = append(steps, warm.Keys("featured "+k.featType, a.featured, k.featuredKeys(), a.loadFeatured(k)))
	}
	return append(steps,
		handler.Warm(a.preset(Categories), a, "/api/categories"),
		handler.Warm(a.preset(Statistics), a, "/api/stats"),
		warm.KeysFunc("top user profiles", a.users, a.hotUsers, a.db.Users),
		handler.WarmFunc(a.preset(UserStats), a, a.ofHotUsers("stats")),
		handler.WarmFunc(a.preset(UserExtensions), a, a.ofHotUsers(extensionKind.userPath)),
		handler.WarmFunc(a.preset(UserMcp), a, a.ofHotUsers(mcpKind.userPath)))
}

// Warm runs the steps of the plan, whoever else may do so: see [warm.RunWith].
func (a *App) Warm(ctx context.Context, options warm.Options) (warm.Report, error) {
	return warm.RunWith(ctx, a.store, options, a.WarmPlan()...)
}

// WarmedURLs returns the paths that are in the cache after [App.Warm].
func (a *App) WarmedURLs(ctx context.Context) ([]string, error) {
	all := []string{"/api/categories", "/api/stats"}
	lists := []func(context.Context) ([]string, error){
		a.ofHotUsers(""), a.ofHotUsers("stats"),
		a.ofHotUsers(extensionKind.userPath), a.ofHotUsers(mcpKind.userPath),
	}
	for _, k := range kinds {
		all = append(all, k.hotLists()...)
		all = append(all, "/api/featured/"+k.featType)
		lists = append(lists, a.hotItems(k))
	}
	for _, list := range lists {
		urls, err := list(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, urls...)
	}
	return all, nil
}

// hotLists are the first pages of the whole list in each order, and the first
// page of each category.
func (k kindRoutes) hotLists() []string {
	var urls []string
	for page := 1; page <= warmPages; page++ {
		for _, sort := range sorts {
			urls = append(urls, fmt.Sprintf("%s?sort=%s&page=%d", k.path, sort, page))
		}
	}
	for _, category := range categories {
		urls = append(urls, k.path+"?category="+category)
	}
	return urls
}

// hotItems are the pages of items that are first in any order.
func (a *App) hotItems(k kindRoutes) func(context.Context) ([]string, error) {
	return func(ctx context.Context) ([]string, error) {
		var urls []string
		seen := map[string]bool{}
		for _, sort := range sorts {
			ids, err := a.db.TopItems(ctx, k.kind, sort, warmItems)
			if err != nil {
				return nil, err
			}
			for _, id := range ids {
				if !seen[id] {
					seen[id] = true
					urls = append(urls, k.path+"/"+id)
				}
			}
		}
		return urls, nil
	}
}

func (a *App) hotUsers(ctx context.Context) ([]string, error) { return a.db.TopUsers(ctx, warmUsers) }

// ofHotUsers are the top users' own pages; part is the last part of their path.
func (a *App) ofHotUsers(part string) func(context.Context) ([]string, error) {
	return func(ctx context.Context) ([]string, error) {
		names, err := a.hotUsers(ctx)
		urls := make([]string, len(names))
		for i, name := range names {
			urls[i] = "/api/users/" + name
			if part != "" {
				urls[i] += "/" + part
			}
		}
		return urls, err
	}
}

// cron runs the plan within the function's time. A run that ended early answers
// 202, and its report says where the next one is to begin: ?from=...
func (a *App) cron() http.Handler {
	limit := a.config.WarmTimeout * 9 / 10 // a batch that was begun is finished
	run := ops.Cron(a.store, a.Plan(), limit, ops.Secret(a.config.CronSecret))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), a.config.WarmTimeout)
		defer cancel()
		run.ServeHTTP(w, r.WithContext(ctx))
	})
}
