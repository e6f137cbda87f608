package route

import (
	"sync"
	"time"
)

// variants counts the variants that were stored of each key lately, so that
// clients with ever other field values cannot fill Redis with one URL.
type variants struct {
	mu   sync.Mutex
	keys map[string]*stored
}

type stored struct {
	since time.Time
	names map[string]bool
}

const (
	// variantsFor is how long a variant counts.
	variantsFor = time.Hour
	// maxVariantKeys bounds the memory; what is forgotten is counted anew.
	maxVariantKeys = 4096
)

// admit reports whether one more variant of a key is stored.
func (v *variants) admit(key, name string, most int, now time.Time) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	s := v.keys[key]
	if s == nil || now.Sub(s.since) > variantsFor {
		s = &stored{since: now, names: map[string]bool{}}
		v.add(key, s)
	}
	if !s.names[name] && len(s.names) >= most {
		return false
	}
	s.names[name] = true
	return true
}

func (v *variants) add(key string, s *stored) {
	if v.keys == nil {
		v.keys = map[string]*stored{}
	}
	for k := range v.keys {
		if len(v.keys) < maxVariantKeys {
			break
		}
		delete(v.keys, k)
	}
	v.keys[key] = s
}
