package engine

import (
	"log/slog"
	"sync"
	"time"
)

type backoff struct {
	until time.Time
	next  time.Duration
}

// recentMap remembers what was lately used: when half its bound is full the
// older half is forgotten. It is safe for concurrent use.
type recentMap[V any] struct {
	mu       sync.Mutex
	half     int
	new, old map[string]V
}

func newRecentMap[V any](bound int) *recentMap[V] {
	return &recentMap[V]{half: bound / 2, new: map[string]V{}}
}

func (m *recentMap[V]) get(key string) (V, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if v, ok := m.new[key]; ok {
		return v, true
	}
	v, ok := m.old[key]
	if ok {
		m.put(key, v)
	}
	return v, ok
}

func (m *recentMap[V]) set(key string, v V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.put(key, v)
}

func (m *recentMap[V]) put(key string, v V) {
	if _, there := m.new[key]; !there && len(m.new) >= m.half {
		m.old, m.new = m.new, map[string]V{}
	}
	m.new[key] = v
}

func (m *recentMap[V]) drop(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.new, key)
	delete(m.old, key)
}

// limitedLog lets one warning of a kind through in ten seconds.
type limitedLog struct {
	log  *slog.Logger
	mu   sync.Mutex
	last map[string]time.Time
	held map[string]int
}

const logEvery = 10 * time.Second

func newLimitedLog(l *slog.Logger) *limitedLog {
	return &limitedLog{log: l, last: map[string]time.Time{}, held: map[string]int{}}
}

func (l *limitedLog) warn(kind, msg string, args ...any) {
	l.mu.Lock()
	now := time.Now()
	if last, seen := l.last[kind]; seen && now.Sub(last) < logEvery {
		l.held[kind]++
		l.mu.Unlock()
		return
	}
	held := l.held[kind]
	l.last[kind], l.held[kind] = now, 0
	l.mu.Unlock()
	if held > 0 {
		args = append(args, "suppressed", held)
	}
	l.log.Warn(msg, args...)
}
