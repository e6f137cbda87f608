package catalog

import (
	"context"
	"errors"
	"net/http"

	"github.com/cldcde/restash/handler"
	"github.com/cldcde/restash/strategies"
)

// profile answers from a typed handle: what is cached is the User, not the bytes
// of an answer, so that saveProfile can replace it.
func (a *App) profile(w http.ResponseWriter, r *http.Request) error {
	if err := checkName(r); err != nil {
		return err
	}
	var status strategies.Status
	user, err := a.users.Get(r.Context(), r.PathValue("name"), a.db.User, strategies.Report(&status))
	if err != nil {
		return err
	}
	handler.WriteStatus(w, status)
	askEachTime(w)
	answer(w, http.StatusOK, map[string]any{"user": user})
	return nil
}

// profileFields is what a user may change.
type profileFields struct {
	DisplayName *string `json:"displayName"`
	Bio         *string `json:"bio"`
	Website     *string `json:"website"`
}

func (a *App) saveProfile(w http.ResponseWriter, r *http.Request) error {
	var body profileFields
	if err := decodeBody(w, r, &body); err != nil {
		return err
	}
	if err := body.check(); err != nil {
		return err
	}
	name := r.PathValue("name")
	user, err := a.writeProfile(r.Context(), name, body)
	pending := errors.Is(err, strategies.ErrPending)
	if err == nil || pending || errors.Is(err, ErrUnclear) {
		a.invalidate(w, r, ProfileUpdated{name})
	}
	if err != nil && !pending {
		return err
	}
	if pending {
		w.Header().Set("X-Cache-Invalidation", "pending")
	}
	answer(w, http.StatusOK, map[string]any{"user": user})
	return nil
}

// writeProfile saves to the database and the cache. If somebody else changed the
// profile after it was read, it starts over from theirs.
func (a *App) writeProfile(ctx context.Context, name string, body profileFields) (User, error) {
	for attempt := 1; ; attempt++ {
		user, err := a.db.User(ctx, name) // never from the cache: a change builds on what is stored
		if err != nil {
			return User{}, err
		}
		err = a.users.WriteThrough(ctx, name, body.apply(user), func(ctx context.Context, changed User) (User, error) {
			var err error
			user, err = a.db.SaveProfile(ctx, changed)
			return user, err
		})
		if !errors.Is(err, ErrConflict) || attempt == 3 {
			return user, err
		}
	}
}

func (f profileFields) apply(user User) User {
	for _, change := range []struct{ field, value *string }{
		{&user.DisplayName, f.DisplayName}, {&user.Bio, f.Bio}, {&user.Website, f.Website},
	} {
		if change.value != nil {
			*change.field = *change.value
		}
	}
	return user
}

func (f profileFields) check() error {
	if f == (profileFields{}) {
		return invalid("name at least one field to change")
	}
	user := f.apply(User{DisplayName: "x"})
	for _, field := range []struct {
		name, value string
		longest     int
	}{{"displayName", user.DisplayName, 100}, {"bio", user.Bio, 500}, {"website", user.Website, 200}} {
		if problem := badText(field.value, field.longest); problem != "" {
			return invalid(field.name + " " + problem)
		}
	}
	if user.DisplayName == "" {
		return invalid("displayName must not be empty")
	}
	return nil
}
