package strategies_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/invalidate"
	"github.com/cldcde/restash/strategies"
)

// The database of the stress is a file for each key, to which every change
// appends the eight bytes of its value: a value's place is its number in the
// file, by which both processes agree on the order of changes.

const recordSize = 8

func (j stressJob) path(key int) string { return filepath.Join(j.Dir, fmt.Sprint("v", key)) }

// latest returns the newest value of a key and its place.
func (j stressJob) latest(key int) (value uint64, place int, err error) {
	f, err := os.Open(j.path(key))
	if errors.Is(err, os.ErrNotExist) {
		return 0, 0, nil
	}
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() < recordSize {
		return 0, 0, err
	}
	place = int(info.Size() / recordSize)
	var record [recordSize]byte
	_, err = f.ReadAt(record[:], int64(place-1)*recordSize)
	return binary.BigEndian.Uint64(record[:]), place, err
}

// append commits a value and returns its place.
func (j stressJob) append(key int, value uint64) (place int, err error) {
	f, err := os.OpenFile(j.path(key), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var record [recordSize]byte
	binary.BigEndian.PutUint64(record[:], value)
	if _, err := f.Write(record[:]); err != nil {
		return 0, err
	}
	end, err := f.Seek(0, 1) // where this write ended, whatever came after it
	return int(end / recordSize), err
}

// places fills in where the values that were read stand in the database.
func (j stressJob) places(t *testing.T, history []event) []event {
	known := make([]map[uint64]int, j.Keys)
	for key := range known {
		raw, err := os.ReadFile(j.path(key))
		if !errors.Is(err, os.ErrNotExist) {
			require.NoError(t, err)
		}
		known[key] = map[uint64]int{0: 0}
		for i := 0; i+recordSize <= len(raw); i += recordSize {
			known[key][binary.BigEndian.Uint64(raw[i:])] = i/recordSize + 1
		}
	}
	for i, e := range history {
		if e.Act != reads {
			continue
		}
		place, ok := known[e.Key][e.Value]
		require.Truef(t, ok, "key %d never had the value %d", e.Key, e.Value)
		history[i].Place = place
	}
	return history
}

// worker does the operations of a stress with this package, or with DEL and SET.
type worker struct {
	j      stressJob
	t      *testing.T
	c      *client.Client
	store  *strategies.Store
	cache  *strategies.Cache[uint64]
	values atomic.Uint64
}

func (j stressJob) worker(t *testing.T, c *client.Client) *worker {
	store, err := strategies.NewStore(c, strategies.StoreConfig{Logger: quiet, Strict: j.Strict, Budget: j.Budget, Executor: strategies.Pool(8)})
	require.NoError(t, err)
	w := &worker{j: j, t: t, c: c, store: store}
	w.cache = strategies.New[uint64](store, strategies.Config{Name: "v", TTL: 50 * time.Millisecond, StaleWhileRevalidate: time.Hour})
	w.values.Store(uint64(os.Getpid()) << 32)
	return w
}

func (w *worker) end(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := w.store.Close(ctx); !errors.Is(err, strategies.ErrPending) {
		assert.NoError(t, err)
	}
}

func (w *worker) load(_ context.Context, key string) (uint64, error) {
	var n int
	if _, err := fmt.Sscan(key, &n); err != nil {
		return 0, err
	}
	value, _, err := w.j.latest(n)
	time.Sleep(time.Duration(rand.IntN(4_000)) * time.Microsecond)
	return value, err
}

// read asks for one key, or for three at once. Half of the keys have a tag.
func (w *worker) read(l *eventLog, key int, rnd *rand.Rand) {
	ctx, cancel := deadline(rnd)
	defer cancel()
	start := time.Now()
	if w.j.Naive {
		value, from, err := w.naive(ctx, key)
		w.noteRead(l, key, value, from, err, start)
		return
	}
	var st strategies.Status
	opts := []strategies.Option{strategies.Report(&st), strategies.Tags(stressTag(key))}
	if rnd.IntN(4) > 0 {
		value, err := w.cache.Get(ctx, stressKey(key), w.load, opts...)
		w.noteRead(l, key, value, st.State.String(), err, start)
		return
	}
	// Keys of one tag, so that the call's tags are those of each key.
	keys := []string{stressKey(key), stressKey((key + 2) % w.j.Keys), stressKey((key + 4) % w.j.Keys)}
	values, err := w.cache.GetMany(ctx, keys, func(ctx context.Context, keys []string) (map[string]uint64, error) {
		found := map[string]uint64{}
		for _, k := range keys {
			value, err := w.load(ctx, k)
			if err != nil {
				return nil, err
			}
			found[k] = value
		}
		return found, nil
	}, opts...)
	for i, k := range keys {
		if value, ok := values[k]; ok {
			w.noteRead(l, (key+2*i)%w.j.Keys, value, st.State.String(), err, start)
		}
	}
}

func (w *worker) noteRead(l *eventLog, key int, value uint64, from string, err error, start time.Time) {
	switch {
	case err == nil:
		l.add(event{Act: reads, Key: key, Value: value, From: from}, start)
	case !errors.Is(err, context.DeadlineExceeded):
		w.t.Errorf("the loader succeeds, and a caller got %v", err)
	}
}

// stressTag is one of two; keys that differ by an even number share it.
func stressTag(key int) string { return fmt.Sprint("half:", key%2) }

// change appends a new value to the database.
func (w *worker) change(l *eventLog, key int, value uint64) int {
	start := time.Now()
	place, err := w.j.append(key, value)
	if assert.NoError(w.t, err) {
		l.add(event{Act: changes, Key: key, Place: place}, start)
	}
	return place
}

// invalidate changes a key and invalidates it, alone or with all of its tag.
func (w *worker) invalidate(l *eventLog, key int, tag bool) {
	place := w.change(l, key, w.values.Add(1))
	floors := map[int]int{key: place}
	target := invalidate.Key(w.cache, stressKey(key))
	if tag {
		target = invalidate.Tags(stressTag(key))
		for other := key % 2; other < w.j.Keys; other += 2 {
			_, at, err := w.j.latest(other)
			assert.NoError(w.t, err)
			floors[other] = at
		}
	}
	start := time.Now()
	if w.j.Naive {
		if _, err := w.c.Del(context.Background(), naiveKey(key)); err == nil {
			l.add(event{Act: confirm, Key: key, Place: place}, start)
		}
		return
	}
	if _, err := w.store.Invalidate(context.Background(), target); err == nil {
		for k, at := range floors {
			l.add(event{Act: confirm, Key: k, Place: at}, start)
		}
	}
}

// write changes a key through the cache.
func (w *worker) write(l *eventLog, key int) {
	if w.j.Naive {
		w.invalidate(l, key, false)
		return
	}
	value := w.values.Add(1)
	var place int
	var saved time.Time
	err := w.cache.WriteThrough(context.Background(), stressKey(key), value, func(_ context.Context, v uint64) (uint64, error) {
		place = w.change(l, key, v)
		saved = time.Now()
		return v, nil
	}, strategies.Tags(stressTag(key)))
	if err == nil {
		l.add(event{Act: confirm, Key: key, Place: place}, saved)
	}
}

func naiveKey(key int) string { return fmt.Sprint("naive:", key) }

// naive is cache-aside with DEL and SET, as most caches do it.
func (w *worker) naive(ctx context.Context, key int) (value uint64, from string, err error) {
	got, err := client.Do(ctx, w.c, command.MGet(naiveKey(key)))
	if err != nil {
		return 0, "", err
	}
	if got[0].OK {
		_, err := fmt.Sscan(got[0].Value, &value)
		return value, strategies.Hit.String(), err
	}
	value, err = w.load(ctx, stressKey(key))
	if err != nil {
		return 0, "", err
	}
	_, err = w.c.Set(ctx, naiveKey(key), value, command.EX(time.Hour))
	return value, strategies.Miss.String(), err
}
