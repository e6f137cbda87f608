package adapters_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/handler"
	"github.com/cldcde/restash/invalidate"
	"github.com/cldcde/restash/strategies"
)

// behaviour is one thing that clients of a route may see. Its requests go to the
// route bare and behind the cache, on the same router: what the clients see has to
// be the same.
type behaviour struct {
	name   string
	config func(*handler.Config)
	// serve answers with the identity that the router's own way gives.
	serve func(w http.ResponseWriter, r *http.Request, id string)
	do    func(t *testing.T, c *clientOf)
	// states are the X-Cache of the answers behind the cache, if they are certain.
	states string
	// runs are those of the handler behind the cache, if they are certain.
	runs int64
	// unless names a router that does not have this.
	unless string
}

// page answers with who is asked for, in 200 bytes and more.
func page(w http.ResponseWriter, r *http.Request, id string) {
	fmt.Fprintf(w, "%s of %s ", id, lastOf(r.URL.Path))
	io.WriteString(w, strings.Repeat(id, 60))
}

// lastOf is the identity in a path: what stands before differs between the two routes.
func lastOf(path string) string { return path[strings.LastIndex(path, "/"):] }

// tagged is a page with an entity tag, as http.ServeContent answers for it.
func tagged(w http.ResponseWriter, r *http.Request, id string) {
	w.Header().Set("Etag", `"of-`+id+`"`)
	w.Header().Set("Content-Type", "text/plain")
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader("0123456789 of "+id))
}

// with answers with a header and a status.
func with(status int, fields ...string) func(http.ResponseWriter, *http.Request, string) {
	return func(w http.ResponseWriter, r *http.Request, id string) {
		for i := 0; i < len(fields); i += 2 {
			w.Header().Set(fields[i], fields[i+1])
		}
		w.WriteHeader(status)
		if status != http.StatusNoContent {
			io.WriteString(w, id)
		}
	}
}

// asks makes requests one after the other: "GET 1" and fields, one a line.
func asks(requests ...string) func(*testing.T, *clientOf) {
	return func(t *testing.T, c *clientOf) {
		for _, request := range requests {
			c.ask(t.Context(), request)
		}
	}
}

func behaviours() []behaviour {
	twice := asks("GET 1", "GET 1")
	private := func(c *handler.Config) { c.Public = false }
	short := func(c *handler.Config) { c.TTL, c.StaleWhileRevalidate = 30*time.Millisecond, time.Minute }
	return []behaviour{
		{name: "a page", do: twice, states: "MISS HIT", runs: 1},
		{name: "two pages", do: asks("GET 1", "GET 2", "GET 1", "GET 2"), states: "MISS MISS HIT HIT", runs: 2},
		{name: "an identity of other letters", do: asks("GET %C3%A4%20b", "GET %C3%A4%20b"), states: "MISS HIT"},
		{name: "HEAD behind GET", do: asks("GET 1", "HEAD 1"), states: "MISS HIT", runs: 1},
		{name: "HEAD first", do: asks("HEAD 1", "GET 1", "GET 1")},
		{name: "POST goes by", do: asks("POST 1", "POST 1", "GET 1"), states: "BYPASS BYPASS MISS", runs: 3},
		{name: "parameters that count", config: func(c *handler.Config) { c.Query = handler.Query{"page": "1"} },
			do: asks("GET 1?page=2", "GET 1?page=3", "GET 1?page=2", "GET 1?page=1", "GET 1"), states: "MISS MISS HIT MISS HIT", runs: 3},
		{name: "parameters that do not", do: asks("GET 1?utm=a", "GET 1?utm=b"), states: "MISS HIT", runs: 1},
		{name: "If-None-Match", serve: tagged, do: asks("GET 1", "GET 1\nIf-None-Match: \"of-1\"", "GET 1\nIf-None-Match: \"of-2\""), states: "MISS HIT HIT", runs: 1},
		{name: "If-None-Match first", serve: tagged, do: asks("GET 1\nIf-None-Match: \"of-1\"", "GET 1"), states: "MISS HIT", runs: 1},
		{name: "a range", serve: tagged, do: asks("GET 1", "GET 1\nRange: bytes=2-5", "GET 1\nRange: bytes=-1", "GET 1\nRange: bytes=99-"), runs: 1},
		{name: "404", serve: with(404), do: twice, states: "MISS MISS", runs: 2},
		{name: "404 kept", serve: with(404), config: func(c *handler.Config) { c.Negative = time.Minute }, do: twice, states: "MISS HIT", runs: 1},
		{name: "500", serve: with(500), do: twice, states: "MISS MISS", runs: 2},
		{name: "204", serve: with(204, "X-Own", "1"), do: twice},
		{name: "a redirect", serve: with(302, "Location", "/elsewhere"), do: twice},
		{name: "an answer with Set-Cookie", serve: with(200, "Set-Cookie", "session=secret"), do: asks("GET 1", "GET 1", "GET 2"), runs: 3},
		{name: "an answer that says private", serve: with(200, "Cache-Control", "private"), do: twice, runs: 2},
		{name: "an answer that says no-store", serve: with(200, "Cache-Control", "no-store"), do: asks("GET 1", "GET 1", "GET 1"), runs: 3},
		{name: "a request with a cookie", config: private, do: asks("GET 1\nCookie: a=b", "GET 1\nCookie: a=b", "GET 1"), states: "BYPASS BYPASS MISS", runs: 3},
		{name: "a request with credentials", config: private, do: asks("GET 1\nAuthorization: Bearer a", "GET 1", "GET 1\nAuthorization: Bearer b"), states: "BYPASS MISS BYPASS", runs: 3},
		{name: "each user has their own", config: func(c *handler.Config) {
			c.Public, c.Identity = false, func(r *http.Request) string { return r.Header.Get("Authorization") }
		}, serve: func(w http.ResponseWriter, r *http.Request, id string) {
			fmt.Fprint(w, id, " for ", r.Header.Get("Authorization"))
		}, do: asks("GET 1\nAuthorization: ada", "GET 1\nAuthorization: bob", "GET 1\nAuthorization: ada", "GET 1\nAuthorization: bob"), states: "MISS MISS HIT HIT", runs: 2},
		{name: "a language selects", config: func(c *handler.Config) { c.Vary = []string{"Accept-Language"} },
			serve: func(w http.ResponseWriter, r *http.Request, id string) {
				fmt.Fprint(w, id, " in ", r.Header.Get("Accept-Language"))
			},
			do: asks("GET 1\nAccept-Language: de", "GET 1\nAccept-Language: en", "GET 1\nAccept-Language: de"), states: "MISS MISS HIT", runs: 2},
		{name: "a large page", serve: func(w http.ResponseWriter, _ *http.Request, id string) {
			io.WriteString(w, strings.Repeat(id+" and so on ", 30_000))
		}, do: twice, states: "MISS HIT", runs: 1},
		{name: "a page too large", serve: func(w http.ResponseWriter, _ *http.Request, id string) {
			for range 100 {
				io.WriteString(w, strings.Repeat(id, 20_000))
			}
		}, do: twice, states: "MISS BYPASS", runs: 2},
		{name: "a type that is guessed", serve: func(w http.ResponseWriter, _ *http.Request, id string) { io.WriteString(w, "<html><p>"+id) }, do: twice, states: "MISS HIT"},
		{name: "trailers", serve: func(w http.ResponseWriter, _ *http.Request, id string) {
			w.Header().Set("Trailer", "X-Sum")
			io.WriteString(w, id)
			w.Header().Set("X-Sum", id)
		}, do: twice, states: "MISS HIT"},
		{name: "the first line comes before the last", serve: func(w http.ResponseWriter, r *http.Request, id string) {
			io.WriteString(w, id+" first\n")
			http.NewResponseController(w).Flush()
			select {
			case <-time.After(200 * time.Millisecond):
			case <-r.Context().Done():
			}
			io.WriteString(w, "last\n")
		}, do: func(t *testing.T, c *clientOf) { c.early(t, "GET 1") }},
		{name: "a panic", serve: func(http.ResponseWriter, *http.Request, string) { panic("on purpose") }, do: twice, runs: 2},
		{name: "a panic behind the first bytes", serve: func(w http.ResponseWriter, _ *http.Request, id string) {
			io.WriteString(w, strings.Repeat(id, 100_000))
			panic("on purpose")
		}, do: twice, runs: 2, unless: "gin"}, // which ends such an answer as if it were whole
		{name: "a handler that ends its goroutine", serve: func(http.ResponseWriter, *http.Request, string) { runtime.Goexit() }, do: twice},
		{name: "a page goes stale and comes fresh", config: short, do: func(t *testing.T, c *clientOf) {
			c.ask(t.Context(), "GET 1")
			time.Sleep(50 * time.Millisecond)
			for range 10 {
				c.ask(t.Context(), "GET 1")
			}
		}},
		{name: "an error while a stale page is there", config: func(c *handler.Config) { c.TTL, c.StaleIfError = 30*time.Millisecond, time.Minute },
			do: func(t *testing.T, c *clientOf) {
				c.ask(t.Context(), "GET 1")
				time.Sleep(50 * time.Millisecond)
				c.sick.Store(c.cached) // the bare one stays well: its page is what is to be seen
				c.ask(t.Context(), "GET 1")
			}, states: "MISS STALE", runs: 2},
		{name: "a client leaves before the answer", serve: slow, do: func(t *testing.T, c *clientOf) {
			soon, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			c.ask(soon, "GET 1")
			c.ask(t.Context(), "GET 1")
			c.ask(t.Context(), "GET 2")
		}},
		{name: "a client leaves and another waits", serve: slow, do: func(t *testing.T, c *clientOf) {
			soon, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			var others sync.WaitGroup
			others.Go(func() { c.quiet(soon, "GET 1") })
			time.Sleep(5 * time.Millisecond)
			c.ask(t.Context(), "GET 1")
			others.Wait()
		}},
		{name: "64 clients ask for one page", serve: slow, do: func(t *testing.T, c *clientOf) { c.together(t, 64, func(int) string { return "1" }) }},
		{name: "64 clients ask for pages of their own", serve: slow, do: func(t *testing.T, c *clientOf) {
			c.together(t, 64, func(n int) string { return fmt.Sprint("user", n%24) })
		}},
		{name: "64 clients, pages that go stale, some leave, some panic", config: short, serve: func(w http.ResponseWriter, r *http.Request, id string) {
			if rand.IntN(30) == 0 {
				panic("on purpose")
			}
			page(w, r, id)
		}, do: func(t *testing.T, c *clientOf) { c.hurry(t, 64, 20) }},
		{name: "a tag is invalidated", config: func(c *handler.Config) { c.Tags = []string{"all", "page:{id}"} }, do: func(t *testing.T, c *clientOf) {
			for _, tag := range []string{"", "page:1", "all"} {
				if tag != "" {
					_, err := c.store.Invalidate(t.Context(), invalidate.Tags(tag))
					require.NoError(t, err)
				}
				c.ask(t.Context(), "GET 1")
				c.ask(t.Context(), "GET 2")
			}
		}, states: "MISS MISS MISS HIT MISS MISS", runs: 5, unless: "echo"}, // whose own way hides the path value
		{name: "a request is skipped", config: func(c *handler.Config) {
			c.Skip = func(r *http.Request) bool { return r.Header.Get("X-Preview") != "" }
		},
			do: asks("GET 1\nX-Preview: 1", "GET 1", "GET 1\nX-Preview: 1"), states: "BYPASS MISS BYPASS", runs: 3},
		{name: "a deadline that is over", serve: func(w http.ResponseWriter, r *http.Request, id string) {
			ctx, cancel := context.WithTimeout(r.Context(), time.Millisecond)
			defer cancel()
			<-ctx.Done()
			fmt.Fprint(w, id, " ", r.Context().Err())
		}, do: twice, states: "MISS HIT"},
	}
}

// slow answers as page does, in a while in which routers might take the request back.
func slow(w http.ResponseWriter, r *http.Request, id string) {
	before := strings.Clone(lastOf(r.URL.Path))
	time.Sleep(60 * time.Millisecond)
	fmt.Fprint(w, id, " ", before, " ", lastOf(r.URL.Path))
}

// clientOf asks one route and writes down what it sees.
type clientOf struct {
	base   string
	cached bool
	store  *strategies.Store
	runs   atomic.Int64
	sick   atomic.Bool

	mu     sync.Mutex
	seen   []string
	states []string
}

// ask makes a request and notes its answer.
func (c *clientOf) ask(ctx context.Context, request string) {
	saw, state := c.look(ctx, request)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = append(c.seen, strings.ReplaceAll(request, "\n", " ")+": "+saw)
	c.states = append(c.states, state)
}

// quiet makes a request and forgets it.
func (c *clientOf) quiet(ctx context.Context, request string) { c.look(ctx, request) }

func (c *clientOf) send(ctx context.Context, request string) (*http.Response, error) {
	lines := strings.Split(request, "\n")
	method, path, _ := strings.Cut(lines[0], " ")
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, nil)
	if err != nil {
		return nil, err
	}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	return (&http.Transport{DisableCompression: true, DisableKeepAlives: true}).RoundTrip(r)
}

// broken is what a client sees of an answer that it does not have whole: how much of
// it had left is a matter of buffers.
const broken = "broken off"

func (c *clientOf) look(ctx context.Context, request string) (saw, state string) {
	res, err := c.send(ctx, request)
	if err != nil {
		return broken, ""
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	state = res.Header.Get("X-Cache")
	if err != nil {
		return broken, state
	}
	text := string(body)
	if res.StatusCode == http.StatusRequestedRangeNotSatisfiable {
		return "416 " + res.Header.Get("Content-Range"), state // its text is anybody's
	}
	if len(text) > 300 {
		text = fmt.Sprintf("%d bytes, %.6x", len(text), sha256.Sum256(body))
	}
	fields := []string{}
	for _, name := range []string{"Content-Type", "Content-Range", "Location", "Set-Cookie", "X-Own"} {
		if value := res.Header.Get(name); value != "" {
			fields = append(fields, value)
		}
	}
	if len(res.Trailer) > 0 {
		fields = append(fields, fmt.Sprint(res.Trailer))
	}
	return fmt.Sprintf("%d %q %q", res.StatusCode, fields, text), state
}

// early notes whether the first line is there before the last one was written, for
// two clients at once.
func (c *clientOf) early(t *testing.T, request string) {
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			res, err := c.send(t.Context(), request)
			if !assert.NoError(t, err) {
				return
			}
			defer res.Body.Close()
			began := time.Now()
			first := make([]byte, len("1 first\n"))
			_, err = io.ReadFull(res.Body, first)
			early := time.Since(began) < 150*time.Millisecond
			rest, _ := io.ReadAll(res.Body)
			c.mu.Lock()
			defer c.mu.Unlock()
			c.seen = append(c.seen, fmt.Sprintf("%q %v, early %v, then %q", first, err, early, rest))
		})
	}
	both.Wait()
}

// together asks n times at once; what each sees is noted in their order.
func (c *clientOf) together(t *testing.T, n int, id func(int) string) {
	seen := make([]string, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { seen[i], _ = c.look(t.Context(), "GET "+id(i)) })
	}
	all.Wait()
	c.seen = append(c.seen, seen...)
}

// hurry lets n clients ask for random pages, some of which they do not wait for. An
// answer is a page's own or none.
func (c *clientOf) hurry(t *testing.T, n, times int) {
	var all sync.WaitGroup
	var wrong atomic.Int64
	for range n {
		all.Go(func() {
			for range times {
				id := fmt.Sprint("user", rand.IntN(12))
				ctx, leave := context.WithCancel(t.Context())
				if rand.IntN(10) == 0 {
					time.AfterFunc(time.Duration(rand.IntN(3000))*time.Microsecond, leave)
				}
				saw, _ := c.look(ctx, "GET "+id)
				leave()
				if strings.HasPrefix(saw, "200 ") && !strings.Contains(saw, strings.Repeat(id, 60)) && !strings.Contains(saw, sumOf(id)) {
					wrong.Add(1)
					t.Errorf("%s: %s", id, saw)
				}
			}
		})
	}
	all.Wait()
	c.seen = append(c.seen, fmt.Sprint(wrong.Load(), " wrong"))
}

// sumOf is how look prints a page that is longer than it quotes.
func sumOf(id string) string {
	text := id + " of /" + id + " " + strings.Repeat(id, 60)
	return fmt.Sprintf("%d bytes, %.6x", len(text), sha256.Sum256([]byte(text)))
}

// TestBehaviours has every behaviour on every router.
func TestBehaviours(t *testing.T) {
	list := behaviours()
	require.GreaterOrEqual(t, len(list), 30)
	for _, router := range routers() {
		for _, b := range list {
			if b.unless == router.name {
				continue
			}
			t.Run(router.name+"/"+b.name, func(t *testing.T) {
				t.Parallel()
				b.on(t, router)
			})
		}
	}
}

func (b behaviour) on(t *testing.T, router router) {
	store := newStore()
	t.Cleanup(func() { store.Close(context.Background()) })
	config := handler.Config{Prefix: "b", TTL: time.Minute, Public: true}
	if b.config != nil {
		b.config(&config)
	}
	serve := b.serve
	if serve == nil {
		serve = page
	}
	behind, alone := &clientOf{cached: true, store: store}, &clientOf{store: store}
	handling := func(c *clientOf) func(who) http.Handler {
		return func(id who) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				c.runs.Add(1)
				if c.sick.Load() {
					w.WriteHeader(http.StatusServiceUnavailable)
					return
				}
				serve(w, r, id(r))
			})
		}
	}
	url := router.serve(t, mounting{"cached", handler.Cache(store, config), handling(behind)}, mounting{"bare", bare, handling(alone)})
	behind.base, alone.base = url+"/cached/", url+"/bare/"
	b.do(t, alone)
	b.do(t, behind)
	require.Len(t, behind.seen, len(alone.seen))
	for i, want := range alone.seen {
		require.Equal(t, want, behind.seen[i], "answer %d", i+1)
	}
	if b.states != "" {
		assert.Equal(t, b.states, strings.Join(behind.states, " "))
	}
	if b.runs > 0 {
		assert.Equal(t, b.runs, behind.runs.Load(), "runs of the handler")
	}
}
