package handler_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/handler"
	"github.com/cldcde/restash/handler/internal/rig"
	"github.com/cldcde/restash/strategies"
)

func TestConditionalRequestsAreAnsweredWith304(t *testing.T) {
	r := rig.New(t)
	var runs atomic.Int64
	mux := rig.Mount(r.Store, "GET /x", rig.ListConfig(), rig.Counting(&runs))
	first := rig.Get(mux, "/x", `If-None-Match: "other"`)
	require.Equal(t, 200, first.Status)
	tag := first.Header.Get("Etag")
	require.Regexp(t, `^"[\w-]{20}"$`, tag)
	for _, condition := range []string{tag, "W/" + tag, `"a", ` + tag, "*"} {
		a := rig.Get(mux, "/x", "If-None-Match: "+condition)
		assert.Equal(t, http.StatusNotModified, a.Status, condition)
		assert.Empty(t, a.Body)
		assert.Equal(t, tag, a.Header.Get("Etag"))
		assert.Empty(t, a.Header.Get("Content-Length"))
		assert.Equal(t, "HIT", a.Cache())
	}
	// If-None-Match goes before If-Modified-Since.
	a := rig.Get(mux, "/x", `If-None-Match: "no"`, "If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT")
	assert.Equal(t, 200, a.Status)
	assert.EqualValues(t, 1, runs.Load())
}

func TestHeadAndRangesComeFromTheStoredWhole(t *testing.T) {
	r := rig.New(t)
	mux := rig.Mount(r.Store, "GET /x", rig.ListConfig(), func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, http.MethodGet, r.Method)
		assert.Empty(t, r.Header.Get("Range"))
		io.WriteString(w, "0123456789")
	})
	head := rig.Ask(mux, http.MethodHead, "/x")
	assert.Equal(t, []any{200, "", "10", "MISS"}, []any{head.Status, head.Body, head.Header.Get("Content-Length"), head.Cache()})
	cases := map[string]struct {
		status int
		body   string
		field  string
	}{
		"bytes=0-1":     {206, "01", "bytes 0-1/10"},
		"bytes=8-":      {206, "89", "bytes 8-9/10"},
		"bytes=-3":      {206, "789", "bytes 7-9/10"},
		"bytes=5-999":   {206, "56789", "bytes 5-9/10"},
		"bytes=10-":     {416, "", "bytes */10"},
		"bytes=0-1,3-4": {200, "0123456789", ""},
		"lines=1-2":     {200, "0123456789", ""},
		"bytes=3-1":     {200, "0123456789", ""},
		"bytes=x":       {200, "0123456789", ""},
	}
	for field, c := range cases {
		a := rig.Get(mux, "/x", "Range: "+field)
		assert.Equal(t, c.status, a.Status, field)
		assert.Equal(t, c.body, a.Body, field)
		assert.Equal(t, c.field, a.Header.Get("Content-Range"), field)
	}
	a := rig.Get(mux, "/x", "Range: bytes=0-1", `If-Range: "old"`)
	assert.Equal(t, 200, a.Status)
	a = rig.Get(mux, "/x", "Range: bytes=0-1", "If-Range: "+head.Header.Get("Etag"))
	assert.Equal(t, 206, a.Status)
}

func TestPanicReachesItsClientAndPoisonsNobody(t *testing.T) {
	r := rig.New(t)
	var runs atomic.Int64
	boom := errors.New("boom")
	mux := rig.Mount(r.Store, "GET /x", rig.ListConfig(), func(w http.ResponseWriter, _ *http.Request) {
		if runs.Add(1) == 1 {
			io.WriteString(w, "half an answer")
			panic(boom)
		}
		io.WriteString(w, "whole")
	})
	assert.PanicsWithValue(t, boom, func() { rig.Get(mux, "/x") })
	a := rig.Get(mux, "/x")
	assert.Equal(t, "whole", a.Body)
	assert.Equal(t, "MISS", a.Cache())
	assert.Equal(t, "HIT", rig.Get(mux, "/x").Cache())
}

func TestPanicWithStaleIfErrorServesStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rig.New(t)
		cfg := handler.Config{Prefix: "sie", TTL: time.Second, StaleIfError: time.Hour}
		var runs atomic.Int64
		mux := rig.Mount(r.Store, "GET /x", cfg, func(w http.ResponseWriter, _ *http.Request) {
			switch runs.Add(1) {
			case 1:
				io.WriteString(w, "good")
			case 2:
				w.WriteHeader(http.StatusBadGateway)
			default:
				panic("boom")
			}
		})
		require.Equal(t, "good", rig.Get(mux, "/x").Body)
		time.Sleep(time.Minute)
		require.Equal(t, "STALE", rig.Get(mux, "/x").Cache())
		a := rig.Get(mux, "/x")
		assert.Equal(t, []any{200, "good", "STALE"}, []any{a.Status, a.Body, a.Cache()})
	})
}

// TestWhoseTimeIsUpIsNotAnsweredByAnEmpty200: whoever stands before the cache,
// such as an http.TimeoutHandler, would take silence for an answer.
func TestWhoseTimeIsUpIsNotAnsweredByAnEmpty200(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rig.New(t)
		mux := rig.Mount(r.Store, "GET /x", rig.ListConfig(), func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(time.Second)
			io.WriteString(w, "late")
		})
		go rig.Get(mux, "/x")
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/x", nil))
		assert.Equal(t, http.StatusServiceUnavailable, w.Code)
		assert.Equal(t, "no-store", w.Header().Get("Cache-Control"))
		time.Sleep(2 * time.Second)
		assert.Equal(t, "HIT", rig.Get(mux, "/x").Cache(), "the one who waited on is answered, and the answer stored")
	})
}

// TestWhoseTimeIsUpLeavesNothingBehind: what the handler still says then went
// to its own client, and is no answer for those who wait nor for the store.
func TestWhoseTimeIsUpLeavesNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rig.New(t)
		mux := rig.Mount(r.Store, "GET /x", rig.ListConfig(), func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(time.Second)
			io.WriteString(w, "late")
		})
		go func() {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			mux.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, "/x", nil))
		}()
		synctest.Wait()
		waited := rig.Get(mux, "/x")
		assert.Equal(t, []any{200, "late"}, []any{waited.Status, waited.Body})
		again := rig.Get(mux, "/x")
		assert.Equal(t, []any{"late", "HIT"}, []any{again.Body, again.Cache()})
	})
}

func TestClientThatLeavesDoesNotStopTheLoad(t *testing.T) {
	r := rig.New(t)
	started, goOn := make(chan struct{}), make(chan struct{})
	var runs atomic.Int64
	mux := rig.Mount(r.Store, "GET /x", rig.ListConfig(), func(w http.ResponseWriter, r *http.Request) {
		runs.Add(1)
		close(started)
		<-goOn
		assert.NoError(t, r.Context().Err())
		io.WriteString(w, "made for nobody")
	})
	ctx, leave := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		mux.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/x", nil).WithContext(ctx))
	})
	<-started
	leave()
	close(goOn)
	wg.Wait()
	assert.Equal(t, "made for nobody", rig.Get(mux, "/x").Body)
	assert.EqualValues(t, 1, runs.Load())
}

func TestMissesCollapse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rig.New(t)
		started, goOn := make(chan struct{}, 100), make(chan struct{})
		var runs atomic.Int64
		mux := rig.Mount(r.Store, "GET /x", rig.ListConfig(), func(w http.ResponseWriter, _ *http.Request) {
			started <- struct{}{}
			<-goOn
			fmt.Fprintf(w, "run %d", runs.Add(1))
		})
		var wg sync.WaitGroup
		answers := make([]rig.Answer, 20)
		for i := range answers {
			wg.Go(func() { answers[i] = rig.Get(mux, "/x") })
		}
		<-started
		synctest.Wait() // all have come
		close(goOn)
		wg.Wait()
		collapsed := 0
		for _, a := range answers {
			assert.Equal(t, "run 1", a.Body)
			if strings.HasSuffix(a.CacheStatus(), "; collapsed") {
				collapsed++
			}
		}
		assert.Positive(t, collapsed)
		assert.EqualValues(t, 1, runs.Load())
	})
}

func TestPrivateAnswersAreNotShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rig.New(t)
		var arrived, runs atomic.Int64
		mux := rig.Mount(r.Store, "GET /x", rig.ListConfig(), func(w http.ResponseWriter, _ *http.Request) {
			n := runs.Add(1)
			for arrived.Load() < 8 && n == 1 {
				time.Sleep(time.Millisecond)
			}
			w.Header().Set("Set-Cookie", fmt.Sprintf("session=%d", n))
			fmt.Fprintf(w, "for %d only", n)
		})
		var wg sync.WaitGroup
		var mu sync.Mutex
		seen := map[string]int{}
		for range 8 {
			wg.Go(func() {
				arrived.Add(1)
				a := rig.Get(mux, "/x")
				mu.Lock()
				defer mu.Unlock()
				seen[a.Body+a.Header.Get("Set-Cookie")]++
			})
		}
		wg.Wait()
		assert.Len(t, seen, 8, "each has an answer of its own")
	})
}

func TestCacheOutageDoesNotStopTheHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rig.New(t)
		stop := r.Srv.Intercept(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			http.Error(w, "down", http.StatusInternalServerError)
		})
		var runs atomic.Int64
		mux := rig.Mount(r.Store, "GET /x", rig.ListConfig(), rig.Counting(&runs))
		for range 8 {
			a := rig.Get(mux, "/x")
			assert.Equal(t, 200, a.Status)
		}
		a := rig.Get(mux, "/x")
		assert.Equal(t, "BYPASS", a.Cache())
		assert.Contains(t, a.CacheStatus(), "fwd=bypass")
		assert.Contains(t, a.CacheStatus(), "detail=breaker")
		assert.EqualValues(t, 9, runs.Load(), "the handler runs once a request")
		stop()
	})
}

func TestNilClientAlwaysLoads(t *testing.T) {
	store, err := strategies.NewStore(nil, strategies.StoreConfig{})
	require.NoError(t, err)
	defer store.Close(t.Context())
	var runs atomic.Int64
	mux := rig.Mount(store, "GET /x", rig.ListConfig(), rig.Counting(&runs))
	for range 2 {
		a := rig.Get(mux, "/x")
		assert.Equal(t, "BYPASS", a.Cache())
		assert.Contains(t, a.CacheStatus(), "detail=disabled")
	}
	assert.EqualValues(t, 2, runs.Load())
}

func TestFieldsOfAnOuterMiddlewareStay(t *testing.T) {
	r := rig.New(t)
	inner := rig.Mount(r.Store, "GET /x", rig.ListConfig(), func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Accept")
		w.Header().Set("X-Changed", "by the handler")
		io.WriteString(w, "x")
	})
	var n atomic.Int64
	outer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
		w.Header().Set("X-Changed", "outside")
		w.Header().Set("Vary", "Origin")
		inner.ServeHTTP(w, r)
	})
	for _, state := range []string{"MISS", "HIT", "HIT"} {
		origin := fmt.Sprint("https://", n.Add(1), ".example")
		a := rig.Get(outer, "/x", "Origin: "+origin)
		assert.Equal(t, state, a.Cache())
		assert.Equal(t, origin, a.Header.Get("Access-Control-Allow-Origin"), "each request's own")
		assert.Equal(t, "by the handler", a.Header.Get("X-Changed"))
		assert.Equal(t, []string{"Origin", "Accept"}, a.Header["Vary"])
	}
}

// What a middleware outside says against storing holds as if the handler had
// said it (faults A3).
func TestAnOuterMiddlewareForbidsStoring(t *testing.T) {
	for _, field := range []string{"Cache-Control: private, no-store", "Cache-Control: private", "Cache-Control: no-cache", "Set-Cookie: a=b"} {
		for name, cache := range both(rig.ListConfig()) {
			r := rig.New(t)
			inner := cache(r.Store)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Last-Modified", "Mon, 01 Jan 2024 00:00:00 GMT")
				io.WriteString(w, "alice's page")
			}))
			outer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				key, value, _ := strings.Cut(field, ": ")
				w.Header().Set(key, value)
				inner.ServeHTTP(w, r)
			})
			for range 2 {
				a := rig.Get(outer, "/x")
				assert.NotEqual(t, "HIT", a.Cache(), "%s, %s", name, field)
				key, value, _ := strings.Cut(field, ": ")
				assert.Equal(t, []string{value}, a.Header[key])
			}
		}
	}
	r := rig.New(t)
	inner := handler.Cache(r.Store, rig.ListConfig())(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Del("Cache-Control")
		io.WriteString(w, "everybody's page")
	}))
	outer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		inner.ServeHTTP(w, r)
	})
	rig.Get(outer, "/x")
	assert.Equal(t, "HIT", rig.Get(outer, "/x").Cache(), "the handler may take it back")
}

func TestVersionsDoNotShare(t *testing.T) {
	r := rig.New(t)
	cfg := rig.ListConfig()
	var runs atomic.Int64
	rig.Get(rig.Mount(r.Store, "GET /x", cfg, rig.Counting(&runs)), "/x")
	cfg.Version = "deploy 2"
	assert.Equal(t, "MISS", rig.Get(rig.Mount(rig.NewStore(t, r.Srv), "GET /x", cfg, rig.Counting(&runs)), "/x").Cache())
}

func TestDefect08NoAnswerIsReplayedToOthersAndTheHandlerRunsOnce(t *testing.T) {
	r := rig.New(t)
	var runs atomic.Int64
	cfg := rig.ListConfig()
	cfg.Prefix, cfg.Public = "users", false
	mux := rig.Mount(r.Store, "GET /x", cfg, func(w http.ResponseWriter, r *http.Request) {
		runs.Add(1)
		http.SetCookie(w, &http.Cookie{Name: "session", Value: fmt.Sprint(runs.Load())})
		fmt.Fprintf(w, "hello %s", r.Header.Get("Cookie"))
	})
	ada, bob := rig.Get(mux, "/x", "Cookie: u=ada"), rig.Get(mux, "/x", "Cookie: u=bob")
	assert.Equal(t, []string{"hello u=ada", "hello u=bob"}, []string{ada.Body, bob.Body})
	first, second := rig.Get(mux, "/x"), rig.Get(mux, "/x")
	assert.Equal(t, []string{"MISS", "BYPASS"}, []string{first.Cache(), second.Cache()}, "not every answer says HIT")
	assert.NotEqual(t, first.Header.Get("Set-Cookie"), second.Header.Get("Set-Cookie"))

	// A store that fails does not run the handler again.
	runs.Store(0)
	stop := r.Srv.Intercept(func(w http.ResponseWriter, req *http.Request, next http.Handler) {
		body, _ := io.ReadAll(req.Body)
		if strings.Contains(string(body), `"SET"`) {
			http.Error(w, `{"error":"ERR no"}`, http.StatusInternalServerError)
			return
		}
		req.Body = io.NopCloser(strings.NewReader(string(body)))
		next.ServeHTTP(w, req)
	})
	defer stop()
	plain := rig.Mount(r.Store, "GET /y", rig.ListConfig(), rig.Counting(&runs))
	a := rig.Get(plain, "/y")
	assert.Equal(t, []any{200, "MISS"}, []any{a.Status, a.Cache()})
	assert.Contains(t, a.CacheStatus(), "detail=cache-error")
	assert.EqualValues(t, 1, runs.Load())
}

func TestDefect04QueriesHaveKeysOfTheirOwn(t *testing.T) {
	r := rig.New(t)
	mux := rig.Mount(r.Store, "GET /x", rig.ListConfig(), func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.URL.RawQuery)
	})
	queries := []string{"", "search=a", "search=b", "search=a&page=2", "search=a%26page%3D2", "search=a:page:2", "search=%5Bobject+Object%5D"}
	seen := map[string]bool{}
	for _, q := range queries {
		a := rig.Get(mux, "/x?"+q)
		assert.Equal(t, "MISS", a.Cache(), q)
		assert.False(t, seen[a.Body], "%q has the answer of another query", q)
		seen[a.Body] = true
	}
	for _, q := range queries {
		assert.Equal(t, "HIT", rig.Get(mux, "/x?"+q).Cache(), q)
	}
}
