package httpcache

import (
	"sync"

	"github.com/cldcde/restash/handler/internal/rfc9111"
	"github.com/cldcde/restash/internal/keyspace"
)

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
	list := rfc9111.Union(rfc9111.Union(v.known, v.keys[key]), names)
	if len(list) > rfc9111.MaxVary {
		list = rfc9111.Union(names, nil)
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
