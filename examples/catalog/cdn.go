package catalog

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/cldcde/restash/handler"
	"github.com/cldcde/restash/invalidate"
)

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

// invalidate carries out what an action made invalid. The write has committed,
// so a failure here is shown in a header but fails nobody; the Store warns and
// sends again what is pending.
func (a *App) invalidate(w http.ResponseWriter, r *http.Request, events ...any) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), invalidateTimeout)
	defer cancel()
	done := "done"
	if _, err := Actions.Apply(ctx, a.store, events...); err != nil {
		done = "pending"
		a.config.Logger.DebugContext(ctx, "invalidation is pending", "error", err)
	}
	w.Header().Set("X-Cache-Invalidation", done)
	if a.cdn != nil {
		a.invalidateCDN(ctx, w, events)
	}
}
