package client_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/upstashtest"
)

// answerer is what a faulty server can do with a request: run it, or not, and send
// whatever it likes.
type answerer struct {
	w   http.ResponseWriter
	r   *http.Request
	run func() *httptest.ResponseRecorder
}

// fault is one way in which a server between the client and Redis goes wrong.
type fault struct {
	name  string
	serve func(a *answerer)
	// kind is the error of a single command if the fault lasts; nil where the
	// command succeeds all the same, or the class depends on who wins.
	kind error
	// silent says that the client's timeout ends it.
	silent bool
	// heals says that a client which tries again gets through a fault of one
	// request, whatever the command.
	heals bool
}

const faultToken = "s3cret-token"

// say answers with a status and a body of its own, without running anything.
func say(status int, contentType, body string, fields ...string) func(*answerer) {
	return func(a *answerer) { a.say(status, contentType, body, fields...) }
}

func (a *answerer) say(status int, contentType, body string, fields ...string) {
	if contentType != "" {
		a.w.Header().Set("Content-Type", contentType)
	}
	for i := 0; i+1 < len(fields); i += 2 {
		a.w.Header().Set(fields[i], fields[i+1])
	}
	a.w.WriteHeader(status)
	_, _ = a.w.Write([]byte(body))
}

// ran runs the request and answers in another way.
func ran(answer func(*answerer)) func(*answerer) {
	return func(a *answerer) { a.run(); answer(a) }
}

// altered runs the request and changes its answer.
func altered(change func([]byte) []byte) func(*answerer) {
	return func(a *answerer) {
		rec := a.run()
		a.say(rec.Code, rec.Header().Get("Content-Type"), string(change(rec.Body.Bytes())))
	}
}

func abort(*answerer) { panic(http.ErrAbortHandler) }

// hang waits until the client has had enough. There is no regular end then.
func hang(a *answerer) {
	_, _ = io.Copy(io.Discard, a.r.Body) // else the server does not see the client go
	select {
	case <-a.r.Context().Done():
	case <-time.After(20 * time.Second):
	}
	panic(http.ErrAbortHandler)
}

// cutAfter sends n bytes of the answer, or leaves out the last -n, and breaks.
func cutAfter(n int) func(*answerer) {
	return func(a *answerer) {
		rec := a.run()
		body := rec.Body.Bytes()
		a.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		a.w.WriteHeader(rec.Code)
		sent := n // requests come at once: n is everybody's
		if n < 0 {
			sent = max(len(body)+n, 0)
		}
		_, _ = a.w.Write(body[:min(sent, len(body)-1)])
		_ = http.NewResponseController(a.w).Flush()
		panic(http.ErrAbortHandler)
	}
}

// drip sends the answer byte by byte, and from the given one on nothing more.
func drip(pause time.Duration, until int) func(*answerer) {
	return func(a *answerer) {
		rec := a.run()
		a.w.WriteHeader(rec.Code)
		for i, c := range rec.Body.Bytes() {
			if until >= 0 && i >= until {
				hang(a)
			}
			_, _ = a.w.Write([]byte{c})
			_ = http.NewResponseController(a.w).Flush()
			time.Sleep(pause)
		}
	}
}

const gatewayPage = "<html><body>Bad Gateway</body></html>"

// faults is the data. Which class a status belongs to is in upstash's own
// documentation of its REST API; that of a gateway is nobody's promise.
var faults = []fault{
	{name: "reset before it is read", serve: abort, kind: client.ErrTransport},
	{name: "reset after it ran", serve: ran(abort), kind: client.ErrTransport},
	{name: "cut in the head's shadow", serve: cutAfter(0), kind: client.ErrTransport},
	{name: "cut after 1 byte", serve: cutAfter(1), kind: client.ErrTransport},
	{name: "cut in the middle", serve: cutAfter(8), kind: client.ErrTransport},
	{name: "cut before the last byte", serve: cutAfter(-1), kind: client.ErrTransport},
	{name: "short with a regular end", serve: altered(func(b []byte) []byte { return b[:len(b)-2] }), kind: client.ErrProtocol},
	{name: "empty with a regular end", serve: altered(func([]byte) []byte { return nil }), kind: client.ErrProtocol},
	{name: "dripping, whole", serve: drip(2*time.Millisecond, -1)},
	{name: "dripping, then silent", serve: drip(time.Millisecond, 5), silent: true, kind: client.ErrTransport},
	{name: "silent", serve: hang, silent: true, kind: client.ErrTransport},
	{name: "silent after it ran", serve: ran(hang), silent: true, kind: client.ErrTransport},
	{name: "silent after the header", serve: func(a *answerer) {
		a.run()
		a.w.WriteHeader(200)
		_ = http.NewResponseController(a.w).Flush()
		hang(a)
	}, silent: true, kind: client.ErrTransport},

	{name: "400 of the server", serve: say(400, "application/json", `{"error":"ERR syntax error"}`)},
	{name: "400 page", serve: say(400, "text/html", gatewayPage), kind: client.ErrProtocol},
	{name: "401 of the server", serve: say(401, "application/json", `{"error":"WRONGPASS invalid or missing auth token"}`), kind: client.ErrAuth},
	{name: "401 page", serve: say(401, "text/html", gatewayPage), kind: client.ErrAuth},
	{name: "403 of the server", serve: say(403, "application/json", `{"error":"NOPERM this user has no permissions to run the 'incr' command"}`), kind: client.ErrPermission},
	{name: "404 page", serve: say(404, "text/html", gatewayPage), kind: client.ErrProtocol},
	{name: "405 empty", serve: say(405, "", ""), kind: client.ErrProtocol},
	{name: "413 of the server", serve: say(413, "application/json", `{"error":"ERR max request size exceeded"}`)},
	{name: "429 of the server", serve: say(429, "application/json", `{"error":"ERR max requests limit exceeded"}`), heals: true},
	{name: "429 empty", serve: say(429, "", ""), heals: true},
	{name: "429 with Retry-After", serve: say(429, "", "", "Retry-After", "0"), heals: true},
	{name: "500 empty", serve: say(500, "", ""), kind: client.ErrTransport},
	{name: "500 page after it ran", serve: ran(say(500, "text/html", gatewayPage)), kind: client.ErrTransport},
	{name: "502 page", serve: say(502, "text/html", gatewayPage), kind: client.ErrTransport},
	{name: "502 page after it ran", serve: ran(say(502, "text/html", gatewayPage)), kind: client.ErrTransport},
	{name: "503 text", serve: say(503, "text/plain", "upstream connect error"), kind: client.ErrTransport},
	{name: "504 after it ran", serve: ran(say(504, "", "")), kind: client.ErrTransport},
	{name: "520 page", serve: say(520, "text/html", gatewayPage), kind: client.ErrTransport},
	{name: "204", serve: ran(say(204, "", "")), kind: client.ErrProtocol},
	{name: "206", serve: ran(say(206, "application/json", `{"resu`)), kind: client.ErrProtocol},

	{name: "301", serve: say(301, "text/html", "moved", "Location", "https://other.example/?k=v"), kind: client.ErrProtocol},
	{name: "302 to itself", serve: say(302, "", "", "Location", "/"), kind: client.ErrProtocol},
	{name: "307", serve: say(307, "", "", "Location", "https://other.example/"), kind: client.ErrProtocol},
	{name: "308 without a location", serve: say(308, "", ""), kind: client.ErrProtocol},

	{name: "a hotel's page", serve: say(200, "text/html", gatewayPage), kind: client.ErrProtocol},
	{name: "a hotel's page as JSON", serve: say(200, "application/json", gatewayPage), kind: client.ErrProtocol},
	{name: "null", serve: ran(say(200, "application/json", "null")), kind: client.ErrProtocol},
	{name: "true", serve: ran(say(200, "application/json", "true")), kind: client.ErrProtocol},
	{name: "no result", serve: ran(say(200, "application/json", "{}")), kind: client.ErrProtocol},
	{name: "result of another type", serve: ran(say(200, "application/json", `{"result":{"a":[]}}`)), kind: client.ErrProtocol},
	{name: "result is a list", serve: ran(say(200, "application/json", `{"result":["a"]}`)), kind: client.ErrProtocol},
	{name: "base64 that is none", serve: ran(say(200, "application/json", `{"result":"*?*"}`)), kind: client.ErrProtocol},
	{name: "an endless depth", serve: ran(say(200, "application/json", strings.Repeat("[", 20_000))), kind: client.ErrProtocol},
	{name: "half a character", serve: ran(say(200, "application/json", "{\"result\":\"\xff\"}"))},
	{name: "two answers", serve: altered(func(b []byte) []byte { return append(bytes.Clone(b), b...) }), kind: client.ErrProtocol},
	{name: "a tail of garbage", serve: altered(func(b []byte) []byte { return append(bytes.Clone(b), "garbage"...) }), kind: client.ErrProtocol},
	{name: "one result too few", serve: altered(func(b []byte) []byte { return fewer(b) })},
	{name: "one result too many", serve: altered(func(b []byte) []byte { return more(b) })},
	{name: "gzip that is none", serve: ran(say(200, "application/json", `{"result":1}`, "Content-Encoding", "gzip"))},
	{name: "too long", serve: func(a *answerer) {
		a.run()
		_, _ = a.w.Write([]byte(`{"result":"`))
		for range 64 {
			if _, err := a.w.Write(bytes.Repeat([]byte("a"), 64<<10)); err != nil {
				return
			}
		}
	}, kind: client.ErrTooLarge},
	{name: "an early answer", serve: func(a *answerer) { a.say(503, "", "", "Connection", "close") }, kind: client.ErrTransport},
	{name: "goes away after the answer", serve: func(a *answerer) { // GOAWAY in HTTP/2
		rec := a.run()
		a.say(rec.Code, rec.Header().Get("Content-Type"), rec.Body.String(), "Connection", "close")
	}},
	{name: "hints first", serve: func(a *answerer) {
		a.w.WriteHeader(103)
		rec := a.run()
		a.say(rec.Code, rec.Header().Get("Content-Type"), rec.Body.String())
	}},
}

// fewer takes the first result out of the answer to a batch.
func fewer(b []byte) []byte {
	if i := bytes.Index(b, []byte("},{")); i > 0 {
		return append([]byte("["), b[i+2:]...)
	}
	return b
}

func more(b []byte) []byte {
	if bytes.HasPrefix(b, []byte("[")) {
		return append([]byte(`[{"result":1},`), b[1:]...)
	}
	return b
}

// faulty is a server with a fault, over TLS.
type faulty struct {
	srv   *upstashtest.Server
	front *httptest.Server
	left  atomic.Int64 // how many requests the fault is for
	proto atomic.Value
}

func newFaulty(t *testing.T, f fault, http2 bool) *faulty {
	srv, err := upstashtest.New(upstashtest.Config{InMemory: true, Token: faultToken})
	require.NoError(t, err)
	t.Cleanup(func() { srv.Close() })
	b := &faulty{srv: srv}
	b.front = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.proto.Store(r.Proto)
		if b.left.Add(-1) < 0 {
			srv.Handler().ServeHTTP(w, r)
			return
		}
		f.serve(&answerer{w: w, r: r, run: func() *httptest.ResponseRecorder {
			rec := httptest.NewRecorder()
			srv.Handler().ServeHTTP(rec, r)
			return rec
		}})
	}))
	b.front.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	b.front.EnableHTTP2 = http2
	b.front.StartTLS()
	t.Cleanup(func() { b.front.CloseClientConnections(); b.front.Close() })
	return b
}

func (b *faulty) client(t *testing.T, http2, coalesce bool, timeout time.Duration) *client.Client {
	roots := x509.NewCertPool()
	roots.AddCert(b.front.Certificate())
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: http2}
	c, err := client.New(client.Config{
		URL: b.front.URL, Token: faultToken, HTTPClient: &http.Client{Transport: transport}, Coalesce: coalesce,
		Timeout: timeout, MaxRetries: 1, Limits: client.Limits{Reply: 1 << 20}, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	t.Cleanup(func() { c.Close(); transport.CloseIdleConnections() })
	return c
}

// counted is how often INCR of key ran.
func (b *faulty) counted(t *testing.T, key string) int64 {
	r, err := b.srv.Do("GET", key)
	require.NoError(t, err)
	if r.Kind == command.KindNil {
		return 0
	}
	n, err := command.As[int64](command.Get(key)).Decode(r)
	require.NoError(t, err)
	return n
}

// report is what a caller was told of one INCR.
type report struct {
	n   int64
	err error
}

// modes are the ways in which an INCR of "n" can be sent; each returns what its
// caller was told.
var modes = map[string]func(ctx context.Context, c *client.Client) report{
	"single": func(ctx context.Context, c *client.Client) report {
		n, err := c.Incr(ctx, "n")
		return report{n, err}
	},
	"pipeline":    func(ctx context.Context, c *client.Client) report { return batched(ctx, c.Batch) },
	"transaction": func(ctx context.Context, c *client.Client) report { return batched(ctx, c.Transaction) },
	"coalesced": func(ctx context.Context, c *client.Client) (told report) {
		var others sync.WaitGroup
		for range 3 {
			others.Go(func() { _, _ = c.Exists(ctx, "k") })
		}
		n, err := c.Incr(ctx, "n")
		others.Wait()
		return report{n, err}
	},
}

func batched(ctx context.Context, send func(context.Context, ...command.Cmd) ([]command.Reply, error)) report {
	incr := command.Incr("n")
	replies, err := send(ctx, incr, command.Exists("k"))
	if err != nil {
		return report{err: err}
	}
	n, err := client.DecodeReply(incr, replies[0])
	return report{n, err}
}

// Whatever a server does, the caller is told what happened: an error says whether
// the command ran, a success ran once, and nothing runs twice.
func TestFaultsTheCallerKnowsWhatHappened(t *testing.T) {
	for _, f := range faults {
		var cases sync.WaitGroup // most of them wait
		for _, version := range []string{"HTTP/1.1", "HTTP/2.0"} {
			for mode, send := range modes {
				for _, lasting := range []bool{false, true} {
					name := fmt.Sprintf("%s/%s/%s/lasting=%v", f.name, version, mode, lasting)
					cases.Go(func() {
						t.Run(name, func(t *testing.T) { f.meets(t, version, mode == "coalesced", lasting, mode == "single", send) })
					})
				}
			}
		}
		cases.Wait()
	}
}

// meets lets a client send an INCR to a server with the fault.
func (f fault) meets(t *testing.T, version string, coalesce, lasting, single bool, send func(context.Context, *client.Client) report) {
	b := newFaulty(t, f, version == "HTTP/2.0")
	timeout := 20 * time.Second // machines are busy
	if f.silent {
		timeout = time.Second
	}
	c := b.client(t, version == "HTTP/2.0", coalesce, timeout)
	b.left.Store(1)
	if lasting {
		b.left.Store(1 << 30)
	}
	began := time.Now()
	told := send(t.Context(), c)
	assert.Less(t, time.Since(began), 10*time.Second)
	if used := b.proto.Load(); used != nil { // else nothing came through in time
		assert.Equal(t, version, used)
	}
	checkReport(t, told, b.counted(t, "n"))
	if single && lasting && f.kind != nil {
		assert.ErrorIs(t, told.err, f.kind)
	}
	if f.heals && !lasting {
		assert.NoError(t, told.err)
	}
}

func checkReport(t *testing.T, told report, happened int64) {
	t.Helper()
	assert.LessOrEqual(t, happened, int64(1), "it ran twice: %v", told.err)
	if told.err == nil {
		assert.Equal(t, happened, told.n, "a success is what happened")
		assert.Equal(t, int64(1), happened)
		return
	}
	var e *client.Error
	require.ErrorAs(t, told.err, &e)
	switch e.Sent {
	case client.SentNo:
		assert.Zero(t, happened, "surely not sent, and it ran: %v", told.err)
	case client.SentYes:
		if e.Code == "" { // an error reply says so itself, whoever wrote it
			assert.Equal(t, int64(1), happened, "surely sent: %v", told.err)
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		assert.NotContains(t, fmt.Sprintf(verb, told.err), faultToken)
	}
}

// A stream over such a server ends with an error or works; it does not spin.
func TestFaultsAStreamEndsOrWorks(t *testing.T) {
	var cases sync.WaitGroup
	for _, f := range faults {
		for _, version := range []string{"HTTP/1.1", "HTTP/2.0"} {
			cases.Go(func() {
				t.Run(f.name+"/"+version, func(t *testing.T) { f.meetsStream(t, version) })
			})
		}
	}
	cases.Wait()
}

func (f fault) meetsStream(t *testing.T, version string) {
	const most = 1 << 30
	b := newFaulty(t, fault{serve: func(a *answerer) {
		a.run = httptest.NewRecorder // a stream has no end to wait for
		f.serve(a)
	}}, version == "HTTP/2.0")
	b.left.Store(most)
	c := b.client(t, version == "HTTP/2.0", false, 400*time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	for _, err := range c.Subscribe(ctx, "news") {
		if err != nil {
			assert.NotContains(t, fmt.Sprintf("%+v", err), faultToken)
			assert.True(t, errors.Is(err, client.ErrGap) || errors.As(err, new(*client.Error)), "%v", err)
		}
	}
	assert.LessOrEqual(t, most-b.left.Load(), int64(40), "connections within a second")
}

// A claim by ZREM is told to one worker at most, and one that nobody was told of is
// known to be in doubt.
func TestChaosClaims(t *testing.T) { synctest.Test(t, claimsUnderChaos) }

func claimsUnderChaos(t *testing.T) {
	const jobs, workers = 10_000, 20
	srv := upstashtest.Run(t, func(cfg *upstashtest.Config) { cfg.InMemory = true })
	c, err := client.New(client.Config{URL: srv.URL, Token: srv.Token, Logger: slog.New(slog.DiscardHandler),
		HTTPClient: &http.Client{Transport: chaos{srv.HTTPClient().Transport}}})
	require.NoError(t, err)
	for from := 0; from < jobs; from += 1000 {
		args := []string{"ZADD", "jobs"}
		for i := range 1000 {
			args = append(args, "1", strconv.Itoa(from+i))
		}
		_, err := srv.Do(args...)
		require.NoError(t, err)
	}
	var told, doubt [jobs]atomic.Int32
	var wg sync.WaitGroup
	for worker := range workers { // each job is tried for by two of them
		wg.Go(func() {
			for job := worker % (workers / 2); job < jobs; job += workers / 2 {
				n, err := c.ZRem(t.Context(), "jobs", strconv.Itoa(job))
				var e *client.Error
				switch {
				case err == nil:
					told[job].Add(int32(n))
				case errors.Is(err, client.ErrRepeated), errors.As(err, &e) && e.Sent != client.SentNo:
					doubt[job].Add(1)
				}
			}
		})
	}
	wg.Wait()
	left := map[string]bool{}
	r, err := srv.Do("ZRANGE", "jobs", "0", "-1")
	require.NoError(t, err)
	for _, member := range r.Array {
		left[string(member.Bytes)] = true
	}
	lost := 0
	for job := range jobs {
		gone := !left[strconv.Itoa(job)]
		assert.LessOrEqual(t, told[job].Load(), int32(1), "job %d was given to two", job)
		if told[job].Load() > 0 {
			assert.True(t, gone, "job %d was given away and is still there", job)
		} else if gone {
			assert.Positive(t, doubt[job].Load(), "job %d is gone, and nobody was told of a doubt", job)
			lost++
		}
	}
	t.Logf("%d of %d jobs are in doubt, %d are left", lost, jobs, len(left))
	assert.Positive(t, lost, "the test has no lost answers")
	require.NoError(t, c.Close())
}
