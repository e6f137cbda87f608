package catalog

import (
	"slices"

	"github.com/cldcde/restash/handler"
	"github.com/cldcde/restash/invalidate"
	"github.com/cldcde/restash/strategies"
)

// The action table: what each change of the database makes invalid. The
// functions return values; strategies.Store.Invalidate carries them out after
// the database has committed.
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

// OnExtensionCreate is for a new extension. username may be empty.
func OnExtensionCreate(username, category, id string) invalidate.Target {
	return onCreate(extensionKind, username, category, id)
}

// OnMcpCreate is for a new MCP server. username may be empty.
func OnMcpCreate(username, category, id string) invalidate.Target {
	return onCreate(mcpKind, username, category, id)
}

// OnExtensionUpdate is for an extension whose version, description, category or
// platform changed. If the category did, call it for the old and the new one.
func OnExtensionUpdate(username, category, id string) invalidate.Target {
	return onUpdate(extensionKind, username, category, id)
}

// OnMcpUpdate is the same for an MCP server.
func OnMcpUpdate(username, category, id string) invalidate.Target {
	return onUpdate(mcpKind, username, category, id)
}

// OnExtensionDownload is for one more download of an extension.
func OnExtensionDownload(username, id string) invalidate.Target {
	return onDownload(extensionKind, username, id)
}

// OnMcpDownload is for one more download of an MCP server.
func OnMcpDownload(username, id string) invalidate.Target {
	return onDownload(mcpKind, username, id)
}

// OnRating is for a vote on an item of either kind by anybody; username is the
// item's author and may be empty.
func OnRating(kind Kind, username, id string) invalidate.Target {
	k := kindOf(kind)
	return invalidate.Join(
		invalidate.Tags(k.tag, Statistics.Tags[0]), k.item(id), k.featured(id),
		ofUser(username, k.userList, UserStats))
}

// OnProfileUpdate is for a changed profile. The profile's own entry is not among
// the targets: WriteThrough has replaced it.
func OnProfileUpdate(username string) invalidate.Target {
	return ofUser(username, UserStats)
}

// OnLogin is for a login, whose time the profile shows.
func OnLogin(username string) invalidate.Target {
	return invalidate.Key(UserProfile, username)
}

func onCreate(k kindRoutes, username, _, id string) invalidate.Target {
	return invalidate.Join(
		invalidate.Tags(k.tag, Categories.Tags[0], Statistics.Tags[0]), k.item(id),
		ofUser(username, k.userList, UserStats))
}

func onUpdate(k kindRoutes, username, _, id string) invalidate.Target {
	return invalidate.Join(
		invalidate.Tags(k.tag, Categories.Tags[0]), k.item(id), k.featured(id),
		ofUser(username, k.userList))
}

func onDownload(k kindRoutes, username, id string) invalidate.Target {
	return invalidate.Join(k.item(id), k.featured(id), ofUser(username, UserStats))
}

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
