package catalog

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/cldcde/restash/handler"
	"github.com/cldcde/restash/invalidate"
)

// vercelTagField is the response field in which Vercel's CDN looks for tags; it
// takes it out before the client sees it.
const vercelTagField = "Vercel-Cache-Tag"

// VercelCDN says how Vercel's CDN hears of invalidations: one call of its REST
// API marks answers stale by their tags, and the next request for one renews it
// behind the stale answer.
type VercelCDN struct {
	// Token is an access token of a Vercel account that may purge the project.
	// Without one the CDN hears of nothing.
	Token string
	// Project is the project's id or name, Team its team's id. An account of one
	// person has no team.
	Project, Team string
	// Target is production or preview; empty means both.
	Target string
	// API is where the call goes; default https://api.vercel.com.
	API string
}

// answerTags are the tags of an answer for a CDN: the names of what an
// invalidation may replace of it, so that either has the same words for it.
func (a *App) answerTags(preset handler.Config, r *http.Request) string {
	targets := []invalidate.Target{invalidate.All(), invalidate.Tags(preset.Tags...)}
	for _, name := range [...]string{"id", "name"} { // a key begins with the values in its path
		if value := r.PathValue(name); value != "" {
			targets = append(targets, invalidate.Prefix(preset, value))
		}
	}
	return strings.Join(a.tagsOf(targets...), ",")
}

// tagsOf are the tags of targets. Single keys have none: what the actions name by
// a key, profiles and featured items, no CDN keeps.
func (a *App) tagsOf(targets ...invalidate.Target) []string {
	namespace := a.store.Namespace()
	plan, err := invalidate.Resolve(namespace, targets...)
	if err != nil {
		a.config.Logger.Warn("the CDN has no tag for an invalidation", "cause", err)
		return nil
	}
	return slices.DeleteFunc(plan.Tokens, func(token string) bool {
		return strings.HasPrefix(token, namespace+":k:")
	})
}

// tagged writes the tags of a preset's answers where a CDN keeps them.
func (a *App) tagged(preset handler.Config, next http.Handler) http.Handler {
	if a.config.CDN.TTL <= 0 || a.config.CDN.TagField == "" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(a.config.CDN.TagField, a.answerTags(preset, r))
		next.ServeHTTP(w, r)
	})
}

// invalidateCDN tells the CDN what an action made invalid, and in a field whether it
// has heard of it.
func (a *App) invalidateCDN(ctx context.Context, w http.ResponseWriter, events []any) {
	target, err := Actions.Targets(events...)
	if err != nil {
		target = invalidate.All() // better too much
	}
	a.cdn.owe(a.tagsOf(target))
	done := "done"
	if !a.cdn.send(ctx) {
		done = "pending"
	}
	w.Header().Set("X-CDN-Invalidation", done)
}

// purges carries the CDN along: it is told behind the answer, whatever the
// order was, that all it has is stale. Orders come from people, and seldom.
func (a *App) purges(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		before := a.store.Stats().Invalidations
		next.ServeHTTP(w, r)
		if a.store.Stats().Invalidations > before {
			a.cdn.owe(a.tagsOf(invalidate.All()))
			a.cdn.send(context.WithoutCancel(r.Context()))
		}
	})
}

// showsPending says in a field how many tags the CDN has not heard of yet.
func (a *App) showsPending(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.cdn != nil {
			w.Header().Set("X-CDN-Pending", strconv.Itoa(a.cdn.pending()))
		}
		next.ServeHTTP(w, r)
	})
}

// call returns the documented call that marks tags stale:
// https://vercel.com/docs/rest-api/edge-cache/invalidate-by-tag
func (v VercelCDN) call() func(ctx context.Context, tags []string) error {
	query := url.Values{"projectIdOrName": {v.Project}}
	if v.Team != "" {
		query.Set("teamId", v.Team)
	}
	address := cmp.Or(strings.TrimSuffix(v.API, "/"), "https://api.vercel.com") + "/v1/edge-cache/invalidate-by-tags?" + query.Encode()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // the token is for this host
	}}
	return func(ctx context.Context, tags []string) error {
		body, err := json.Marshal(struct {
			Tags   []string `json:"tags"`
			Target string   `json:"target,omitempty"`
		}{tags, v.Target})
		if err != nil {
			return err
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
		if err != nil {
			return errors.New("the address of the CDN's API cannot be read")
		}
		request.Header.Set("Authorization", "Bearer "+v.Token)
		request.Header.Set("Content-Type", "application/json")
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		if err := response.Body.Close(); err != nil {
			return err
		}
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("the CDN's API answered %d", response.StatusCode) // its text may repeat what was sent
		}
		return nil
	}
}

func (v VercelCDN) validate() error {
	switch {
	case v.Token != "" && v.Project == "":
		return errors.New("catalog: VercelCDN.Project must be set with its Token")
	case v.Target != "" && v.Target != "production" && v.Target != "preview":
		return errors.New("catalog: VercelCDN.Target must be production, preview or empty")
	}
	return nil
}

// newPurger returns nil if nobody is to be told.
func (a *App) newPurger() *purger {
	if a.config.Vercel.Token == "" || a.config.CDN.TTL <= 0 {
		return nil
	}
	return &purger{
		call: a.config.Vercel.call(),
		// Another instance would fill the CDN from what Redis still holds.
		ready: func() bool { return a.store.Stats().Pending == 0 },
		all:   a.tagsOf(invalidate.All()),
		keep:  a.config.CDN.TTL + a.config.CDN.StaleWhileRevalidate,
		warn: func(err error, left int) {
			a.config.Logger.Warn("CDN invalidations are pending", "tags", left, "cause", err)
		},
	}
}
