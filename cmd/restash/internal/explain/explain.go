package explain

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/internal/entry"
	"github.com/cldcde/restash/internal/keyspace"
)

// ErrAbsent says that there is nothing under the key.
var ErrAbsent = errors.New("there is no such entry")

// Token is one token that an entry depends on, then and now.
type Token struct {
	ID    string `json:"id"`
	Of    string `json:"of"`
	Then  string `json:"then"` // in the entry, "" if it was absent
	Now   string `json:"now"`  // in Redis
	Valid bool   `json:"valid"`

	soft bool
}

// Entry is an entry decoded. Durations are in milliseconds in JSON.
type Entry struct {
	Key      string    `json:"key"`
	Name     string    `json:"name"`
	Version  string    `json:"version"`
	Readable bool      `json:"readable"` // false for another format
	Negative bool      `json:"negative"`
	StoredAt time.Time `json:"storedAt"`
	FreshTo  time.Time `json:"freshUntil"`
	StaleTo  time.Time `json:"staleUntil"`   // while it is refreshed
	ErrorTo  time.Time `json:"onErrorUntil"` // if its load fails
	GoneAt   time.Time `json:"goneAt"`       // when Redis drops it; zero for never
	LoadMs   int64     `json:"loadMs"`
	Size     int       `json:"size"`
	Tags     []string  `json:"tags"`
	Tokens   []Token   `json:"tokens"`
	Served   Served    `json:"served"`
	Body     string    `json:"-"`
}

// Read decodes the entry under a Redis key and compares its tokens with those in
// Redis. It costs three billed commands in two round trips.
func Read(ctx context.Context, c *client.Client, key string, now time.Time) (Entry, error) {
	at, err := parseKey(key)
	if err != nil {
		return Entry{}, err
	}
	replies, err := c.Batch(ctx, command.Get(key), command.PTTL(key))
	if err != nil {
		return Entry{}, err
	}
	text, err := client.DecodeReply(command.Get(key), replies[0])
	if errors.Is(err, client.ErrNil) {
		return Entry{}, fmt.Errorf("%w: %s", ErrAbsent, key)
	}
	if err != nil {
		return Entry{}, err
	}
	e := Entry{Key: key, Name: at.name, Version: at.version, Size: len(text)}
	if ttl, err := client.DecodeReply(command.PTTL(key), replies[1]); err == nil && ttl > 0 {
		e.GoneAt = now.Add(ttl)
	}
	parsed, err := entry.Parse([]byte(text))
	if err != nil {
		e.Served = Served{Words: "no; it is not an entry of a version that this build reads: the next reader loads it again"}
		return e, nil
	}
	e.fill(parsed)
	if err := e.readTokens(ctx, c, at, parsed); err != nil {
		return Entry{}, err
	}
	e.Served = e.judge(now)
	return e, nil
}

func (e *Entry) fill(parsed entry.Entry) {
	e.Readable, e.Negative = true, parsed.Negative
	e.StoredAt, e.LoadMs = parsed.Stored, parsed.LoadTime.Milliseconds()
	e.FreshTo = parsed.Deadline()
	e.StaleTo = e.FreshTo.Add(parsed.StaleWhileRevalidate)
	e.ErrorTo = e.FreshTo.Add(parsed.StaleIfError)
	for _, tag := range parsed.MissingTags(func(string) bool { return false }) {
		e.Tags = append(e.Tags, keyspace.Unescape(tag))
	}
	if body, err := parsed.Body(entry.Gzip); err == nil {
		e.Body = string(body)
	}
}

// readTokens asks for all tokens with one MGET.
func (e *Entry) readTokens(ctx context.Context, c *client.Client, at place, parsed entry.Entry) error {
	guards := at.guards(e.Tags)
	keys := make([]string, len(guards))
	for i, g := range guards {
		keys[i] = g.redisKey
	}
	values, err := c.MGet(ctx, keys...)
	if err != nil {
		return err
	}
	for i, g := range guards {
		then, _ := parsed.Token(g.id)
		token := Token{ID: g.id, Of: g.what, Then: string(then), Now: values[i].Value, soft: i%2 == 1}
		token.Valid = token.Then == token.Now
		if token.Then != "" || token.Now != "" {
			e.Tokens = append(e.Tokens, token)
		}
	}
	return nil
}
