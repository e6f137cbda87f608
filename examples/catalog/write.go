package catalog

import (
	"errors"
	"net/http"
	"time"
)

// Every write has the same three steps: read the request, change the database,
// then invalidate what the action table says. If the database does not say
// whether the change was made, the last step is taken all the same, wider.

func (a *App) create(k kindRoutes) action {
	return func(w http.ResponseWriter, r *http.Request) error {
		var body newItem
		if err := decodeBody(w, r, &body); err != nil {
			return err
		}
		if body.Author == "" {
			body.Author = a.session(r)
		}
		item, err := body.check()
		if err != nil {
			return err
		}
		item.PublishedAt = a.now()
		item.UpdatedAt = item.PublishedAt
		if err := a.db.Create(r.Context(), k.kind, item); err != nil {
			return a.unclear(w, r, err, k, item.ID)
		}
		a.invalidate(w, r, Created{k.kind, item.Author, item.Category, item.ID})
		w.Header().Set("Location", k.path+"/"+item.ID)
		answer(w, http.StatusCreated, map[string]any{k.one: item})
		return nil
	}
}

func (a *App) update(k kindRoutes) action {
	return func(w http.ResponseWriter, r *http.Request) error {
		var body Changes
		if err := decodeBody(w, r, &body); err != nil {
			return err
		}
		if err := body.check(); err != nil {
			return err
		}
		before, after, err := a.db.Update(r.Context(), k.kind, r.PathValue("id"), body, a.now())
		if err != nil {
			return a.unclear(w, r, err, k, r.PathValue("id"))
		}
		events := []any{Updated{k.kind, after.Author, after.Category, after.ID}}
		if before.Category != after.Category {
			events = append(events, Updated{k.kind, before.Author, before.Category, before.ID})
		}
		a.invalidate(w, r, events...)
		answer(w, http.StatusOK, map[string]any{k.one: after})
		return nil
	}
}

// check looks at the given fields only.
func (c Changes) check() error {
	if c == (Changes{}) {
		return invalid("name at least one field to change")
	}
	item := c.apply(Item{Version: "0", Category: categories[0], Platform: platforms[0]}, time.Time{})
	if item.Version == "" {
		return invalid("version must not be empty")
	}
	return checkFields(item)
}

func (a *App) rate(k kindRoutes) action {
	return func(w http.ResponseWriter, r *http.Request) error {
		var body struct {
			Rating int `json:"rating"`
		}
		if err := decodeBody(w, r, &body); err != nil {
			return err
		}
		if body.Rating < 1 || body.Rating > 5 {
			return invalid("rating must be a number from 1 to 5")
		}
		item, err := a.db.Rate(r.Context(), k.kind, r.PathValue("id"), body.Rating)
		if err != nil {
			return a.unclear(w, r, err, k, r.PathValue("id"))
		}
		a.invalidate(w, r, Rated{k.kind, item.Author, item.ID})
		answer(w, http.StatusOK, map[string]any{k.one: item})
		return nil
	}
}

func (a *App) download(k kindRoutes) action {
	return func(w http.ResponseWriter, r *http.Request) error {
		item, err := a.db.Download(r.Context(), k.kind, r.PathValue("id"))
		if err != nil {
			return a.unclear(w, r, err, k, r.PathValue("id"))
		}
		a.invalidate(w, r, Downloaded{k.kind, item.Author, item.ID})
		answer(w, http.StatusOK, map[string]any{k.one: item})
		return nil
	}
}

// unclear invalidates whatever a write may have changed if nobody knows whether
// it did, and returns the write's error.
func (a *App) unclear(w http.ResponseWriter, r *http.Request, err error, k kindRoutes, id string) error {
	if errors.Is(err, ErrUnclear) {
		a.invalidate(w, r, Unclear{k.kind, id})
	}
	return err
}
