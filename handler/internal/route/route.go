package route

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
	"weak"

	"github.com/cldcde/restash/handler/internal/record"
	"github.com/cldcde/restash/strategies"
)

// Settings are what a Config says that holds for each of its requests.
type Settings struct {
	// Class is the class of values that stores the answers.
	Class strategies.Config
	// Description tells Configs apart that may not share a route. Functions
	// cannot be compared: where Functions is set the route is mounted once.
	Description string
	Functions   bool

	// TTL is the lifetime that the route gives its answers, 0 if they say it.
	TTL       time.Duration
	MaxBody   int
	TagFields []string // of an answer, taken out before the client sees it
	ShowKey   bool
	// MaxVariants is how many variants of one key are stored within an hour.
	MaxVariants int
	// NeverReplay are response fields that are not stored, besides those that
	// are known to speak to one client.
	NeverReplay []string
	Detach      bool
	// Ranges says to clients that they may ask for ranges of a stored answer.
	Ranges bool
}

// Route is what all uses of one Config with one Store share: the handle that
// stores responses, and the counters.
type Route struct {
	Settings
	Store *strategies.Store
	Cache *strategies.Cache[*record.Response]
	Count Counters
	// history is that of the Store.
	history *History
	// passes are the keys whose answers may not be stored.
	passes passes
	// variants are those that were stored lately.
	variants variants
	// said are the tags that were warned of.
	said sync.Map
	// mounted says that a middleware serves it; guarded by the registry's lock.
	mounted bool
}

// Name is the name of the route in metrics.
func (r *Route) Name() string { return r.Class.Name }

// registry finds the route of a Config again, so that warming and serving, or
// two mounts, use the same one. It keeps nothing alive.
var registry struct {
	mu     sync.Mutex
	stores map[weak.Pointer[strategies.Store]]*known
}

// known is what is known of one Store.
type known struct {
	routes  map[string]weak.Pointer[Route]
	history *History
}

// For returns the route of s in store, for mounting or for warming. It panics if
// another Config has its name, as http.ServeMux does: the two would answer with
// each other's data.
func For(store *strategies.Store, s Settings, mount bool) *Route {
	if store == nil {
		panic("handler: the Store is nil; strategies.NewStore(nil, ...) makes one that always loads")
	}
	registry.mu.Lock()
	defer registry.mu.Unlock()
	known := knownOf(store)
	r := known.routes[s.Class.Name].Value()
	switch {
	case r == nil:
		s.Class.Advanced.Codec = record.Codec{}
		r = &Route{Settings: s, Store: store, Cache: strategies.New[*record.Response](store, s.Class), history: known.history}
		known.routes[s.Class.Name] = weak.Make(r)
	case r.Description != s.Description:
		panic(fmt.Sprintf("handler: two different Configs have the Prefix %q", s.Class.Name))
	case mount && r.mounted && s.Functions:
		panic(fmt.Sprintf("handler: the Config with the Prefix %q has a function and is used twice: make the middleware once", s.Class.Name))
	}
	r.mounted = r.mounted || mount
	return r
}

// knownOf is called with the registry's lock held.
func knownOf(store *strategies.Store) *known {
	if registry.stores == nil {
		registry.stores = map[weak.Pointer[strategies.Store]]*known{}
	}
	w := weak.Make(store)
	if of := registry.stores[w]; of != nil {
		return of
	}
	of := &known{routes: map[string]weak.Pointer[Route]{}, history: &History{}}
	registry.stores[w] = of
	runtime.AddCleanup(store, func(w weak.Pointer[strategies.Store]) {
		registry.mu.Lock()
		defer registry.mu.Unlock()
		delete(registry.stores, w)
	}, w)
	return of
}

func historyOf(store *strategies.Store) *History {
	registry.mu.Lock()
	defer registry.mu.Unlock()
	return knownOf(store).history
}

// All are the routes of a Store that are in use, by name.
func All(store *strategies.Store) []*Route {
	registry.mu.Lock()
	defer registry.mu.Unlock()
	var all []*Route
	for _, w := range knownOf(store).routes {
		if r := w.Value(); r != nil {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b *Route) int { return strings.Compare(a.Name(), b.Name()) })
	return all
}
