package explain

import (
	"fmt"
	"strings"

	"github.com/cldcde/restash/internal/keyspace"
)

// place is a Redis key of an entry, taken apart.
type place struct {
	space   keyspace.Space
	name    string // of the handle or preset
	version string // fingerprint of the type, or Config.Version
	key     string // as the caller named it
	variant bool
}

// parseKey takes ns:e:name:fp:key apart.
func parseKey(redisKey string) (place, error) {
	parts := strings.SplitN(redisKey, ":", 5)
	if len(parts) != 5 || parts[1] != "e" {
		return place{}, fmt.Errorf("%q is no entry of a cache: those are namespace:e:name:version:key", redisKey)
	}
	space, err := keyspace.New(parts[0])
	if err != nil {
		return place{}, err
	}
	key, _, variant := strings.Cut(parts[4], "%;")
	return place{space, parts[2], parts[3], key, variant}, nil
}

// guard is one token that an entry depends on.
type guard struct {
	id       string // as it stands in the entry's header
	what     string // for people: "tag team:7"
	redisKey string
}

// guards lists every token that may void an entry: those that each entry has,
// and those of the tags that it names.
func (p place) guards(tags []string) []guard {
	var all []guard
	add := func(id, what string, redisKey func(soft bool) string) {
		all = append(all, guard{id, what, redisKey(false)},
			guard{strings.ToUpper(id[:1]) + id[1:], what, redisKey(true)})
	}
	add("g", "the whole namespace", p.space.All)
	if strings.HasPrefix(p.key, "#") { // only the hash is known: no token of the key or its prefixes can be named
		p.key = ""
	}
	add("k", "the key "+p.key, func(soft bool) string { return p.space.Key(p.name, p.key, soft) })
	add("p0", "all of "+p.name, func(soft bool) string { return p.space.Prefix(p.name, "", soft) })
	for i, level := range p.levels() {
		add(fmt.Sprint("p", i+1), "the prefix "+level+" of "+p.name, func(soft bool) string { return p.space.Prefix(p.name, level, soft) })
	}
	for _, tag := range tags {
		add("t"+keyspace.Escape(tag), "tag "+tag, func(soft bool) string { return p.space.Tag(tag, soft) })
	}
	return all
}

func (p place) levels() []string {
	if p.key == "" {
		return nil
	}
	return keyspace.Levels(p.key)
}
