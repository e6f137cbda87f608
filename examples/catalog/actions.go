package catalog

import (
	"slices"

	"github.com/cldcde/restash/handler"
	"github.com/cldcde/restash/invalidate"
	"github.com/cldcde/restash/strategies"
)

// The action table: what each change of the database makes invalid. A change
// is an event; [Actions] turn it into targets after the database has committed,
// and the On functions give the same targets as values.
//
//	action              lists  item  featured  user's list  user's stats  profile  categories  stats
//	OnExtensionCreate   ext    x     -         ext          x             -        x           x
//	OnExtensionUpdate   ext    x     x         ext          -             -        x           -
//	OnExtensionDownload -      x     x         -            x             -        -           -
//	OnMcpCreate         mcp    x     -         mcp          x             -        x           x
//	OnMcpUpdate         mcp    x     x         mcp          -             -        x           -
//	OnMcpDownload       -      x     x         -            x             -        -           -
//	OnRating            kind   x     x         kind         x             -        -           x
//	OnProfileUpdate     -      -     -         -            x             (1)      -           -
//	OnLogin             -      -     -         -            -             x        -           -
//
// (1) The profile itself is written through, so the next reader finds the new one.
//
// A download leaves lists and totals alone on purpose: they would never be
// cached again. Their counters may lag by the lifetime of their preset.

// The events of the platform. Author may be empty.
type (
	// Created is a new item.
	Created struct {
		Kind                 Kind
		Author, Category, ID string
	}
	// Updated is an item whose version, description, category or platform
	// changed. If the category did, there is one for the old and one for the new.
	Updated struct {
		Kind                 Kind
		Author, Category, ID string
	}
	// Downloaded is one more download of an item.
	Downloaded struct {
		Kind       Kind
		Author, ID string
	}
	// Rated is a vote on an item by anybody.
	Rated struct {
		Kind       Kind
		Author, ID string
	}
	// ProfileUpdated is a changed profile.
	ProfileUpdated struct{ Username string }
	// LoggedIn is a login, whose time the profile shows.
	LoggedIn struct{ Username string }
	// Unclear is a write of which nobody knows whether it was made.
	Unclear struct {
		Kind Kind
		ID   string
	}
)

// Actions are the rules of the table.
var Actions = actionRules()

func actionRules() *invalidate.Rules {
	var r invalidate.Rules
	invalidate.On(&r, func(e Created) invalidate.Target {
		k := kindOf(e.Kind)
		return invalidate.Join(
			invalidate.Tags(k.tag, Categories.Tags[0], Statistics.Tags[0]), k.item(e.ID),
			ofUser(e.Author, k.userList, UserStats))
	})
	invalidate.On(&r, func(e Updated) invalidate.Target {
		k := kindOf(e.Kind)
		return invalidate.Join(
			invalidate.Tags(k.tag, Categories.Tags[0]), k.item(e.ID), k.featured(e.ID),
			ofUser(e.Author, k.userList))
	})
	invalidate.On(&r, func(e Downloaded) invalidate.Target {
		k := kindOf(e.Kind)
		return invalidate.Join(k.item(e.ID), k.featured(e.ID), ofUser(e.Author, UserStats))
	})
	invalidate.On(&r, func(e Rated) invalidate.Target {
		k := kindOf(e.Kind)
		return invalidate.Join(
			invalidate.Tags(k.tag, Statistics.Tags[0]), k.item(e.ID), k.featured(e.ID),
			ofUser(e.Author, k.userList, UserStats))
	})
	// The profile's own entry is not among the targets: WriteThrough has replaced it.
	invalidate.On(&r, func(e ProfileUpdated) invalidate.Target { return ofUser(e.Username, UserStats) })
	invalidate.On(&r, func(e LoggedIn) invalidate.Target { return invalidate.Key(UserProfile, e.Username) })
	invalidate.On(&r, func(e Unclear) invalidate.Target {
		k := kindOf(e.Kind)
		return invalidate.Join(
			invalidate.Tags(k.tag, Categories.Tags[0], Statistics.Tags[0], UserStats.Tags[0]), k.item(e.ID), k.featured(e.ID))
	})
	return &r
}

// target is what an event of this package makes invalid. Each has a rule.
func target(event any) invalidate.Target {
	t, err := Actions.Targets(event)
	if err != nil {
		panic(err)
	}
	return t
}

// OnExtensionCreate is for a new extension. username may be empty.
func OnExtensionCreate(username, category, id string) invalidate.Target {
	return target(Created{Extension, username, category, id})
}

// OnMcpCreate is for a new MCP server. username may be empty.
func OnMcpCreate(username, category, id string) invalidate.Target {
	return target(Created{MCP, username, category, id})
}

// OnExtensionUpdate is for an extension whose version, description, category or
// platform changed. If the category did, call it for the old and the new one.
func OnExtensionUpdate(username, category, id string) invalidate.Target {
	return target(Updated{Extension, username, category, id})
}

// OnMcpUpdate is the same for an MCP server.
func OnMcpUpdate(username, category, id string) invalidate.Target {
	return target(Updated{MCP, username, category, id})
}

// OnExtensionDownload is for one more download of an extension.
func OnExtensionDownload(username, id string) invalidate.Target {
	return target(Downloaded{Extension, username, id})
}

// OnMcpDownload is for one more download of an MCP server.
func OnMcpDownload(username, id string) invalidate.Target {
	return target(Downloaded{MCP, username, id})
}

// OnRating is for a vote on an item of either kind by anybody; username is the
// item's author and may be empty.
func OnRating(kind Kind, username, id string) invalidate.Target {
	return target(Rated{kind, username, id})
}

// OnProfileUpdate is for a changed profile.
func OnProfileUpdate(username string) invalidate.Target { return target(ProfileUpdated{username}) }

// OnLogin is for a login, whose time the profile shows.
func OnLogin(username string) invalidate.Target { return target(LoggedIn{username}) }

// item targets the page of one item.
func (k kindRoutes) item(id string) invalidate.Target {
	return invalidate.Prefix(k.detail, id)
}

// featured targets the item on the page of featured ones, if it is there.
func (k kindRoutes) featured(id string) invalidate.Target {
	if !slices.Contains(k.curated, id) {
		return invalidate.Target{}
	}
	return invalidate.Key(Featured, strategies.Key(k.kind, id))
}

// ofUser targets all pages of some presets that belong to one user.
func ofUser(name string, presets ...handler.Config) invalidate.Target {
	if name == "" {
		return invalidate.Target{}
	}
	var targets []invalidate.Target
	for _, p := range presets {
		targets = append(targets, invalidate.Prefix(p, name))
	}
	return invalidate.Join(targets...)
}
