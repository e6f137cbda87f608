package strategies

import (
	"slices"

	"github.com/cldcde/restash/strategies/internal/engine"
)

// tag adds the tags of what was loaded. What ends it early leaves the values
// without their tags, and so out of the cache.
func (c *Cache[T]) tag(loads []*engine.Load) {
	of := c.cfg.Advanced.TagsOf.tags
	if of == nil {
		return
	}
	for _, l := range loads {
		c.tagOne(l, of)
	}
}

func (c *Cache[T]) tagOne(l *engine.Load, of func(any) []string) {
	if l.Err != nil {
		return
	}
	noStore := l.NoStore
	l.NoStore = true
	defer func() {
		if p := recover(); p != nil {
			c.class.Say("tags", "value not cached: its tags cannot be computed", "error", panicked(p))
		}
	}()
	l.Tags = append(l.Tags, of(l.Value)...)
	l.NoStore = noStore
}

// tagWrite adds the tags of values that are to be written.
func (c *Cache[T]) tagWrite(o *options, keys []string, value func(key string) any) {
	of := c.cfg.Advanced.TagsOf.tags
	if of == nil {
		return
	}
	byKey, more := make(map[string][]string, len(keys)), o.KeyTags
	for _, key := range keys {
		if more != nil {
			byKey[key] = append(byKey[key], more(key)...)
		}
		byKey[key] = append(byKey[key], of(value(key))...)
	}
	o.KeyTags = func(key string) []string { return byKey[key] }
}

// tagged reports whether the tags of a value are among those known of its key.
func (c *Cache[T]) tagged(value any, o *options, key string) bool {
	of := c.cfg.Advanced.TagsOf.tags
	if of == nil {
		return true
	}
	known := slices.Concat(c.cfg.Tags, o.Tags, o.KeyTags(key))
	return !slices.ContainsFunc(of(value), func(name string) bool { return !slices.Contains(known, name) })
}
