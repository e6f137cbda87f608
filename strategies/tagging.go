package strategies

import (
	"slices"

	"github.com/cldcde/restash/strategies/internal/engine"
)

// tag adds the tags of what was loaded. What ends it early leaves the values
// without their tags, and so out of the cache.
func (c *Cache[T]) tag(loads []*engine.Load) {
	if c.cfg.Advanced.TagsOf.tags == nil {
		return
	}
	for _, l := range loads {
		c.tagOne(l)
	}
}

func (c *Cache[T]) tagOne(l *engine.Load) {
	if l.Err != nil {
		return
	}
	noStore := l.NoStore
	l.NoStore = true
	if tags, ok := c.tagsOf(l.Value); ok {
		l.Tags = append(l.Tags, tags...)
		l.NoStore = noStore
	}
}

// tagsOf computes the tags of a value; not ok means that the user's function
// panicked, which must not cost more than the cache.
func (c *Cache[T]) tagsOf(value any) (tags []string, ok bool) {
	defer func() {
		if p := recover(); p != nil {
			c.class.Say("tags", "value not cached: its tags cannot be computed", "error", panicked(p))
		}
	}()
	return c.cfg.Advanced.TagsOf.tags(value), true
}

// tagWrite adds the tags of values that are to be written. Where they cannot be
// computed the write goes on and nothing is stored.
func (c *Cache[T]) tagWrite(o *options, keys []string, value func(key string) any) {
	if c.cfg.Advanced.TagsOf.tags == nil {
		return
	}
	byKey, more := make(map[string][]string, len(keys)), o.KeyTags
	for _, key := range keys {
		if more != nil {
			byKey[key] = append(byKey[key], more(key)...)
		}
		tags, ok := c.tagsOf(value(key))
		if !ok {
			o.TTL = 0
		}
		byKey[key] = append(byKey[key], tags...)
	}
	o.KeyTags = func(key string) []string { return byKey[key] }
}

// tagged reports whether the tags of a value are among those known of its key.
func (c *Cache[T]) tagged(value any, o *options, key string) bool {
	if c.cfg.Advanced.TagsOf.tags == nil {
		return true
	}
	known := slices.Concat(c.cfg.Tags, o.Tags, o.KeyTags(key))
	tags, ok := c.tagsOf(value)
	return ok && !slices.ContainsFunc(tags, func(name string) bool { return !slices.Contains(known, name) })
}
