package catalog

import (
	"net/http"
)

// checkList refuses bad parameters of a list before anything is looked up.
func checkList(r *http.Request) error {
	_, err := listQuery(r)
	return err
}

func listQuery(r *http.Request) (ListQuery, error) {
	q, err := ParseListQuery(r.URL.Query())
	if err != nil {
		return ListQuery{}, invalid(err.Error())
	}
	return q, nil
}

// checkID refuses what cannot be an id: nothing can be found under it.
func checkID(r *http.Request) error {
	if !idPattern.MatchString(r.PathValue("id")) {
		return ErrNotFound
	}
	return nil
}

func checkName(r *http.Request) error {
	if !namePattern.MatchString(r.PathValue("name")) {
		return ErrNotFound
	}
	return nil
}

func checkUserList(r *http.Request) error {
	if err := checkName(r); err != nil {
		return err
	}
	return checkList(r)
}

func (a *App) list(k kindRoutes) action {
	return func(w http.ResponseWriter, r *http.Request) error {
		q, err := listQuery(r)
		if err != nil {
			return err
		}
		return a.answerList(w, r, k, q)
	}
}

func (a *App) answerList(w http.ResponseWriter, r *http.Request, k kindRoutes, q ListQuery) error {
	items, page, err := a.db.List(r.Context(), k.kind, q)
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, struct {
		Extensions []Item     `json:"extensions,omitzero"`
		McpServers []Item     `json:"mcpServers,omitzero"`
		Pagination Pagination `json:"pagination"`
	}{pick(k.kind == Extension, items), pick(k.kind == MCP, items), page})
	return nil
}

// pick keeps the list of the other kind out of the answer; an empty list of this
// kind stays.
func pick(this bool, items []Item) []Item {
	if this {
		return items
	}
	return nil
}

func (a *App) detail(k kindRoutes) action {
	return func(w http.ResponseWriter, r *http.Request) error {
		item, err := a.db.Item(r.Context(), k.kind, r.PathValue("id"))
		if err != nil {
			return err
		}
		answer(w, http.StatusOK, map[string]any{k.one: item})
		return nil
	}
}

func (a *App) userList(k kindRoutes) action {
	return func(w http.ResponseWriter, r *http.Request) error {
		q, err := listQuery(r)
		if err != nil {
			return err
		}
		q.Author = r.PathValue("name")
		q.Search, q.Category, q.Platform = "", "", "" // no parameters of this route
		if _, err := a.db.User(r.Context(), q.Author); err != nil {
			return err
		}
		return a.answerList(w, r, k, q)
	}
}

func (a *App) userStats(w http.ResponseWriter, r *http.Request) error {
	stats, err := a.db.UserStats(r.Context(), r.PathValue("name"))
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, map[string]any{"stats": stats})
	return nil
}

func (a *App) categories(w http.ResponseWriter, r *http.Request) error {
	list, err := a.db.Categories(r.Context())
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, map[string]any{"categories": list})
	return nil
}

func (a *App) stats(w http.ResponseWriter, r *http.Request) error {
	stats, err := a.db.Stats(r.Context())
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, map[string]any{"stats": stats})
	return nil
}
