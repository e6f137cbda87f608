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
	// passes are the keys whose answers may not be stored.
	passes passes
	// mounted says that a middleware serves it; guarded by the registry's lock.
	mounted bool
	count   struct {
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

// presetFor returns the preset of cfg in store, for mounting or for warming. It
// panics if cfg is wrong, as http.ServeMux does, and if another Config has its
// Prefix: the two would answer with each other's data. Functions cannot be
// compared, so a Config with one can be mounted once only.
func presetFor(store *strategies.Store, cfg Config, mount bool) *preset {
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
	p := known[cfg.Name()].Value()
	switch {
	case p == nil:
		p = &preset{cfg: cfg, store: store, cache: strategies.New[*response](store, cfg.class())}
		p.vary.known = cfg.Vary
		known[cfg.Name()] = weak.Make(p)
	case p.cfg.description() != cfg.description():
		panic(fmt.Sprintf("handler: two different Configs have the Prefix %q", cfg.Prefix))
	case mount && p.mounted && cfg.hasFunctions():
		panic(fmt.Sprintf("handler: the Config with the Prefix %q has a function and is used twice: make the middleware once", cfg.Prefix))
	}
	p.mounted = p.mounted || mount
	return p
}

// hasFunctions reports whether two Configs may differ in what cannot be compared.
func (c Config) hasFunctions() bool { return c.Key != nil || c.Skip != nil || c.Identity != nil }

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

// description tells Configs apart that may not share a preset; of functions it
// says whether they are there.
func (c Config) description() string {
	functions := [...]bool{c.Key != nil, c.Skip != nil, c.Identity != nil}
	c.Key, c.Skip, c.Identity = nil, nil, nil
	return fmt.Sprintf("%v %#v", functions, c)
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
