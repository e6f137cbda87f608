package handler

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"weak"

	"github.com/cldcde/restash/internal/keyspace"
	"github.com/cldcde/restash/strategies"
)

// preset is what all uses of one Config with one Store share: the handle that
// stores responses, the learned Vary lists, and the counters.
type preset struct {
	cfg   Config
	store *strategies.Store
	cache *strategies.Cache[*response]
	vary  varyLists
	count struct {
		hits, stale, misses, bypass atomic.Int64
		passed, oversized           atomic.Int64
		validated, collapsed        atomic.Int64
		cut                         atomic.Int64
	}
}

// registry finds the preset of a Config again, so that warming and serving,
// or two routes, use the same one. It keeps nothing alive.
var registry struct {
	mu     sync.Mutex
	stores map[weak.Pointer[strategies.Store]]map[string]weak.Pointer[preset]
}

// presetFor returns the preset of cfg in store. It panics if cfg is wrong, as
// http.ServeMux does.
func presetFor(store *strategies.Store, cfg Config) *preset {
	if store == nil {
		panic("handler: the Store is nil; strategies.NewStore(nil, ...) makes one that always loads")
	}
	if err := cfg.check(); err != nil {
		panic(err.Error())
	}
	cfg = cfg.withDefaults()
	registry.mu.Lock()
	defer registry.mu.Unlock()
	known := presetsOf(store)
	id := cfg.identity()
	if p := known[id].Value(); p != nil {
		return p
	}
	p := &preset{cfg: cfg, store: store, cache: strategies.New[*response](store, cfg.class())}
	p.vary.known = cfg.Advanced.Vary
	known[id] = weak.Make(p)
	return p
}

// presetsOf is called with the registry's lock held.
func presetsOf(store *strategies.Store) map[string]weak.Pointer[preset] {
	if registry.stores == nil {
		registry.stores = map[weak.Pointer[strategies.Store]]map[string]weak.Pointer[preset]{}
	}
	w := weak.Make(store)
	known := registry.stores[w]
	if known == nil {
		known = map[string]weak.Pointer[preset]{}
		registry.stores[w] = known
		runtime.AddCleanup(store, func(w weak.Pointer[strategies.Store]) {
			registry.mu.Lock()
			defer registry.mu.Unlock()
			delete(registry.stores, w)
		}, w)
	}
	return known
}

// presets are the presets of a Store that are in use, by name.
func presets(store *strategies.Store) []*preset {
	registry.mu.Lock()
	defer registry.mu.Unlock()
	var all []*preset
	for _, w := range registry.stores[weak.Make(store)] {
		if p := w.Value(); p != nil {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b *preset) int { return strings.Compare(a.cfg.Name(), b.cfg.Name()) })
	return all
}

// identity tells Configs apart that may not share a preset. Key functions
// cannot be compared; their keys are strings all the same.
func (c Config) identity() string {
	keyed := c.Key != nil
	c.Key = nil
	return fmt.Sprintf("%t %+v", keyed, c)
}

// class is the handle's Config.
func (c Config) class() strategies.Config {
	s := strategies.Config{
		Name: c.Name(), TTL: c.TTL,
		StaleWhileRevalidate: c.StaleWhileRevalidate, StaleIfError: c.StaleIfError,
		Version:  formatName + "-" + plainName(c.Version),
		Advanced: strategies.Advanced{Codec: codec{}, HardTimeout: c.Advanced.Timeout},
	}
	if !c.preset() {
		s.TTL = maxAgeOfMarker // every load sets its own
	}
	return s
}

// varyLists remembers by which request fields the answers of a key differ.
type varyLists struct {
	known []string // of every key

	mu   sync.Mutex
	keys map[string][]string
}

// maxLists bounds the memory of learned lists; what is forgotten costs one
// command when it is asked for again.
const maxLists = 4096

func (v *varyLists) of(key string) []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	if list, ok := v.keys[keyspace.Normalize(key)]; ok {
		return list
	}
	return v.known
}

// learn adds names to the list of a key and returns it.
func (v *varyLists) learn(key string, names []string) []string {
	key = keyspace.Normalize(key) // a client's URL may be very long
	v.mu.Lock()
	defer v.mu.Unlock()
	list := union(union(v.known, v.keys[key]), names)
	if len(list) > maxVary {
		list = union(names, nil)
	}
	if v.keys == nil {
		v.keys = map[string][]string{}
	}
	for k := range v.keys {
		if len(v.keys) < maxLists {
			break
		}
		delete(v.keys, k)
	}
	v.keys[key] = list
	return list
}
