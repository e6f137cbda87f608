package catalog

import (
	"errors"
	"slices"
	"time"
)

// Kind says which of the two lists an item belongs to.
type Kind string

// The two kinds of items.
const (
	// Extension is an editor extension or a command-line assistant.
	Extension Kind = "extension"
	// MCP is a Model Context Protocol server.
	MCP Kind = "mcp"
)

// Errors of the catalogue. The HTTP handlers answer 404 and 409.
var (
	// ErrNotFound says that no such item or user exists.
	ErrNotFound = errors.New("catalog: not found")
	// ErrExists says that an item with this id exists already.
	ErrExists = errors.New("catalog: exists already")
	// ErrConflict says that others made a change meanwhile.
	ErrConflict = errors.New("catalog: changed by others meanwhile")
	// ErrUnclear says that a change was sent to the database and its outcome is
	// not known: what is cached must be thrown away as if it had been made.
	ErrUnclear = errors.New("catalog: outcome of the write is unclear")
)

// categories and platforms are closed sets: a request for another one is refused
// instead of filling the cache with empty lists.
var (
	categories = []string{"agents", "browser", "cloud", "communication", "data", "database",
		"design", "devtools", "finance", "other", "sdk"}
	platforms = []string{"any", "claude", "codex", "cursor", "gemini", "vscode"}
)

// CategoryNames returns all categories in alphabetical order.
func CategoryNames() []string { return slices.Clone(categories) }

// PlatformNames returns all platforms in alphabetical order.
func PlatformNames() []string { return slices.Clone(platforms) }

// Item is an extension or an MCP server as the API shows it.
type Item struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	Version     string    `json:"version"`
	Description string    `json:"description"`
	Author      string    `json:"author"` // a user's name, or empty
	Category    string    `json:"category"`
	Platform    string    `json:"platform"`
	Downloads   int64     `json:"downloads"`
	Rating      float64   `json:"rating"` // mean of all votes, 0 without any, two decimals
	Votes       int64     `json:"votes"`
	PublishedAt time.Time `json:"publishedAt"`
	UpdatedAt   time.Time `json:"updatedAt"`
	// Sample says that dates and votes began as sample data.
	Sample bool `json:"sample"`
}

// Changes names the fields of an item to be changed; nil keeps the old value.
type Changes struct {
	Version     *string `json:"version"`
	Description *string `json:"description"`
	Category    *string `json:"category"`
	Platform    *string `json:"platform"`
}

// apply returns the changed item. Its date moves on even if the clock does not,
// so that it also tells versions apart.
func (c Changes) apply(item Item, now time.Time) Item {
	for _, change := range []struct{ field, value *string }{
		{&item.Version, c.Version}, {&item.Description, c.Description},
		{&item.Category, c.Category}, {&item.Platform, c.Platform},
	} {
		if change.value != nil {
			*change.field = *change.value
		}
	}
	now = now.UTC().Truncate(time.Millisecond)
	if next := item.UpdatedAt.Add(time.Millisecond); now.Before(next) {
		now = next
	}
	item.UpdatedAt = now
	return item
}

// User is a publisher's profile.
type User struct {
	Name        string     `json:"name"`
	DisplayName string     `json:"displayName"`
	Bio         string     `json:"bio"`
	Website     string     `json:"website"`
	JoinedAt    time.Time  `json:"joinedAt"`
	LastLoginAt *time.Time `json:"lastLoginAt"` // null before the first login
	Version     int64      `json:"version"`     // grows with every change
	Sample      bool       `json:"sample"`
}

// UserSummary sums up what a user has published.
type UserSummary struct {
	User        string  `json:"user"`
	DisplayName string  `json:"displayName"`
	Extensions  int64   `json:"extensions"`
	MCPServers  int64   `json:"mcpServers"`
	Downloads   int64   `json:"downloads"`
	Votes       int64   `json:"votes"`
	Rating      float64 `json:"rating"` // mean of all votes, two decimals
}

// Category counts the items of one category.
type Category struct {
	Name       string `json:"name"`
	Extensions int64  `json:"extensions"`
	MCPServers int64  `json:"mcpServers"`
	Total      int64  `json:"total"`
}

// Stats sums up the whole catalogue.
type Stats struct {
	Extensions int64   `json:"extensions"`
	MCPServers int64   `json:"mcpServers"`
	Users      int64   `json:"users"`
	Categories int64   `json:"categories"`
	Downloads  int64   `json:"downloads"`
	Votes      int64   `json:"votes"`
	Rating     float64 `json:"rating"` // mean of all votes, two decimals
}

// Pagination describes one page of a list.
type Pagination struct {
	Page       int   `json:"page"`
	Limit      int   `json:"limit"`
	Total      int64 `json:"total"`
	TotalPages int64 `json:"totalPages"`
	HasNext    bool  `json:"hasNext"`
	HasPrev    bool  `json:"hasPrev"`
}

// ListQuery selects one page of items. All fields but Author and Search must be
// set; [ParseListQuery] fills in the defaults.
type ListQuery struct {
	Search   string // words that must all occur in name, author or description
	Category string // "" for all
	Platform string // "" for all
	Author   string // "" for all
	Sort     Sort
	Page     int // from 1
	Limit    int // items of a page, 1 to [MaxLimit]
}

// Sort is the order of a list.
type Sort string

// The orders of a list. Each has the id as its last criterion, so pages never overlap.
const (
	ByDownloads Sort = "downloads" // most downloads first
	ByRating    Sort = "rating"    // best mean vote first, then most votes
	Recent      Sort = "recent"    // newest first
)

func paginate(q ListQuery, total int64) Pagination {
	pages := (total + int64(q.Limit) - 1) / int64(q.Limit)
	return Pagination{
		Page: q.Page, Limit: q.Limit, Total: total, TotalPages: pages,
		HasNext: int64(q.Page) < pages, HasPrev: q.Page > 1 && total > 0,
	}
}
