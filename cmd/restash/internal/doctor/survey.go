package doctor

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/cmd/restash/internal/explain"
)

// survey is a sample of the entries of a namespace.
type survey struct {
	entries    []explain.Entry
	namespaces map[string]int // entries seen by namespace
	complete   bool           // the whole database was walked through
}

// scanPages bounds the walk: a page is a billed command.
const scanPages = 20

// takeStock reads a sample of the entries and judges it.
func (x *examination) takeStock(ctx context.Context) {
	keys, s, err := x.findEntries(ctx)
	if err != nil {
		x.note("entries", Skip, "", "they cannot be listed: %v", err)
		return
	}
	for _, key := range keys {
		if e, err := explain.Read(ctx, x.c, key, time.Now()); err == nil {
			s.entries = append(s.entries, e)
		}
	}
	x.entries = s
	if !x.inNamespace(s) {
		return
	}
	x.versions(s)
	x.lifetimes(s)
	x.invalidated(s)
	x.randomKeys(s)
}

func (x *examination) findEntries(ctx context.Context) (keys []string, s *survey, err error) {
	s = &survey{namespaces: map[string]int{}}
	cursor := "0"
	for range scanPages {
		page, err := x.c.Scan(ctx, cursor, command.MATCH("*:e:*"), command.COUNT(1000))
		if err != nil {
			return nil, nil, err
		}
		for _, key := range page.Items {
			namespace, _, _ := strings.Cut(key, ":")
			if s.namespaces[namespace]++; namespace == x.Namespace && len(keys) < x.Sample {
				keys = append(keys, key)
			}
		}
		if cursor = page.Cursor; page.Last() {
			s.complete = true
			break
		}
	}
	return keys, s, nil
}

// inNamespace says whether there is anything to judge.
func (x *examination) inNamespace(s *survey) bool {
	if n := s.namespaces[x.Namespace]; n > 0 {
		x.note("namespace", OK, "", "%s holds %d entries", x.Namespace, n)
		return true
	}
	others := slices.Sorted(maps.Keys(s.namespaces))
	if len(others) > 0 {
		x.note("namespace", Warn, "name the one that readers use, with --namespace or StoreConfig.Namespace: on Vercel it depends on VERCEL_ENV",
			"%s is empty, while there are entries in %s", x.Namespace, strings.Join(others, ", "))
		return false
	}
	x.note("namespace", Skip, "", "%s is empty: no entry to look at", x.Namespace)
	return false
}

// versions looks for entries that readers of this build cannot use, and for
// classes whose type changed.
func (x *examination) versions(s *survey) {
	foreign, byName := 0, map[string]map[string]bool{}
	for _, e := range s.entries {
		if !e.Readable {
			foreign++
		}
		if byName[e.Name] == nil {
			byName[e.Name] = map[string]bool{}
		}
		byName[e.Name][e.Version] = true
	}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		if n := len(byName[name]); n > 1 {
			x.note("versions", Warn, "a deploy changed the type, or two builds run side by side: the older entries are not read and end with their TTL; set Config.Version if both must share",
				"%s has entries of %d types", name, n)
			return
		}
	}
	if foreign > 0 {
		x.note("versions", Warn, "something else writes keys of this form, or an older restash did: readers load these again", "%d of %d entries are in another format", foreign, len(s.entries))
		return
	}
	x.note("versions", OK, "", "one type and format for each class of values")
}

// shortTTL is below what a cache over HTTP is worth.
const shortTTL = 10 * time.Second

func (x *examination) lifetimes(s *survey) {
	var ttls []time.Duration
	for _, e := range s.entries {
		if e.Readable {
			ttls = append(ttls, e.FreshTo.Sub(e.StoredAt))
		}
	}
	if len(ttls) == 0 {
		return
	}
	slices.Sort(ttls)
	if median := ttls[len(ttls)/2]; median < shortTTL {
		x.note("TTL", Warn, "values end before they are asked for again: raise Config.TTL and invalidate by tag on writes", "half of the entries are fresh for %s or less", explain.Span(median))
		return
	}
	x.note("TTL", OK, "", "half of the entries are fresh for %s or more", explain.Span(ttls[len(ttls)/2]))
}

// invalidated counts the entries that a changed token has ended, and names the
// token that ended most.
func (x *examination) invalidated(s *survey) {
	dead, by := 0, map[string]int{}
	for _, e := range s.entries {
		if i := slices.IndexFunc(e.Tokens, func(t explain.Token) bool { return !t.Valid && t.Now != "" }); i >= 0 {
			dead++
			by[e.Tokens[i].Of]++
		}
	}
	if dead*3 > len(s.entries) && len(s.entries) >= 5 {
		worst := slices.MaxFunc(slices.Collect(maps.Keys(by)), func(a, b string) int { return cmp.Compare(by[a], by[b]) })
		x.note("invalidation", Warn, "invalidate what changed and no more: a tag for each thing instead of one for all",
			"%d of %d entries were invalidated before their TTL ended, %d by %s", dead, len(s.entries), by[worst], worst)
		return
	}
	x.note("invalidation", OK, "", "%d of %d entries were invalidated before their TTL ended", dead, len(s.entries))
}

// randomPart is a part of a key that hardly comes twice: a UUID, a time in
// milliseconds or nanoseconds, a long hexadecimal number.
var randomPart = regexp.MustCompile(`(?i)([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b1[5-9][0-9]{11,17}\b|\b[0-9a-f]{24,}\b)`)

func (x *examination) randomKeys(s *survey) {
	counts, random := map[string]int{}, map[string]int{}
	for _, e := range s.entries {
		counts[e.Name]++
		if _, key, _ := strings.Cut(e.Key, ":"+e.Version+":"); randomPart.MatchString(key) {
			random[e.Name]++
		}
	}
	for _, name := range slices.Sorted(maps.Keys(random)) {
		if n := random[name]; n >= 5 && n*2 > counts[name] {
			x.note("keys", Warn, "leave out of the key what differs with every request, such as a time or a request's id (handler.Config.Query lists the parameters that count)",
				"%s", fmt.Sprintf("%d of %d keys of %s hold a random part or a time: they may never be read again", n, counts[name], name))
			return
		}
	}
	x.note("keys", OK, "", "no class whose keys look random")
}

// eviction asks the server, and looks for tokens that were lost.
func (x *examination) eviction(ctx context.Context) {
	next := "turn eviction off, or set StoreConfig.Strict: a lost token would bring an invalidated value back"
	if x.entries != nil {
		for _, e := range x.entries.entries {
			for _, t := range e.Tokens {
				if !t.Valid && t.Now == "" {
					x.note("eviction", Warn, next, "the token of %s is gone, although %s still depends on it", t.Of, e.Key)
					return
				}
			}
		}
	}
	info, err := x.c.ServerInfo(ctx)
	if err != nil {
		x.note("eviction", Skip, "", "INFO failed: %v", err)
		return
	}
	for _, section := range info {
		if policy := section["maxmemory_policy"]; policy != "" && policy != "noeviction" {
			x.note("eviction", Warn, next, "the database evicts keys when it is full (%s)", policy)
			return
		}
		if n := section["evicted_keys"]; n != "" && n != "0" {
			x.note("eviction", Warn, next, "the database has evicted %s keys", n)
			return
		}
	}
	x.note("eviction", OK, "", "no sign of it: see Eviction on the database's page in the console to be sure")
}
