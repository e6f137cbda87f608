package upstashtest

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cldcde/restash/upstashtest/internal/engine"
)

// Fault is one way in which the server misbehaves, and when.
type Fault struct {
	// Do is what happens: [Delay], [Status], [ResetBefore], [ResetAfter],
	// [CutBody], [Garbage], [Drip], [DropStream], or one of your own.
	Do Action
	// Path limits it to requests of this path, such as "/pipeline"; "" is all.
	Path string
	// Command limits it to requests with this command, such as "SET" or "XGROUP
	// CREATE"; Key to those where a key of that command matches this pattern, as
	// KEYS has them. In a batch one such command is enough. "" is all.
	Command, Key string
	// Skip is how many requests pass first, Times how many it then hits; 0 is
	// no end.
	Skip, Times int
	// Chance is the probability with which it hits, from 0 to 1; 0 is always.
	// What it passes over does not count for Times.
	Chance float64
}

// Action answers a request, or spoils the answer of next. rnd is seeded and
// the same in every run.
type Action func(w http.ResponseWriter, r *http.Request, next http.Handler, rnd *rand.Rand)

// Faults puts a schedule in front of the server. The first fault that wants a
// request gets it. Requests are counted in the order in which they arrive, so
// a schedule repeats exactly where requests come one after another. remove
// takes it away.
func (s *Server) Faults(seed uint64, schedule ...Fault) (remove func()) {
	var (
		mu   sync.Mutex
		rnd  = rand.New(rand.NewPCG(seed, 0xfa))
		seen = make([]int, len(schedule))
		hits = make([]int, len(schedule))
	)
	selective := slices.ContainsFunc(schedule, func(f Fault) bool { return f.Command != "" || f.Key != "" })
	pick := func(path string, cmds [][]string) (Action, *rand.Rand) {
		mu.Lock()
		defer mu.Unlock()
		for i, f := range schedule {
			if f.Path != "" && f.Path != path || !f.wants(cmds) {
				continue
			}
			seen[i]++
			if seen[i] <= f.Skip || f.Times > 0 && hits[i] >= f.Times {
				continue
			}
			if f.Chance > 0 && rnd.Float64() >= f.Chance {
				continue
			}
			hits[i]++
			return f.Do, rand.New(rand.NewPCG(seed, uint64(seen[i])))
		}
		return nil, nil
	}
	return s.Intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		var cmds [][]string
		if selective {
			cmds = peekCommands(r)
		}
		do, rnd := pick(r.URL.Path, cmds)
		if do == nil {
			next.ServeHTTP(w, r)
			return
		}
		do(w, r, next, rnd)
	})
}

// wants reports whether one of the commands is what the fault is limited to.
func (f Fault) wants(cmds [][]string) bool {
	if f.Command == "" && f.Key == "" {
		return true
	}
	return slices.ContainsFunc(cmds, func(args []string) bool {
		in, name := engine.Lookup(args)
		if f.Command != "" && !strings.EqualFold(f.Command, name) {
			return false
		}
		return f.Key == "" || in != nil && slices.ContainsFunc(in.Keys(args), func(key string) bool { return engine.Match(f.Key, key) })
	})
}

// peekCommands reads the commands of a request and leaves it as it was. What
// is no command has none.
func peekCommands(r *http.Request) [][]string {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	switch path := r.URL.EscapedPath(); strings.Trim(path, "/") {
	case "":
		return oneCommand(parseCommand(body))
	case "pipeline", "multi-exec":
		cmds, err := parseBatch(body)
		if err != nil {
			return nil
		}
		return cmds
	default:
		return oneCommand(parsePath(path, r.URL.RawQuery, body))
	}
}

func oneCommand(args []string, err error) [][]string {
	if err != nil {
		return nil
	}
	return [][]string{args}
}

// Delay answers after d, or not at all if the caller leaves before.
func Delay(d time.Duration) Action {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler, _ *rand.Rand) {
		if pause(r, d) {
			next.ServeHTTP(w, r)
		}
	}
}

// pause waits; it returns false if the caller went away.
func pause(r *http.Request, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// Status answers with this status and body; nothing is executed.
func Status(code int, body string) Action {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler, _ *rand.Rand) {
		w.WriteHeader(code)
		_, _ = w.Write([]byte(body)) // a caller who left is no concern of a fault
	}
}

// ResetBefore resets the connection; nothing is executed.
func ResetBefore() Action {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler, _ *rand.Rand) { reset(w) }
}

// ResetAfter executes the request and resets the connection without an answer.
func ResetAfter() Action {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler, _ *rand.Rand) {
		record(r, next)
		reset(w)
	}
}

// CutBody executes the request and sends the first n bytes of the answer,
// then the connection is reset.
func CutBody(n int) Action {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler, _ *rand.Rand) {
		got := record(r, next)
		got.send(w, func(body []byte) bool {
			_, err := w.Write(body[:min(n, len(body))])
			return err == nil && n >= len(body)
		})
	}
}

// Garbage executes the request and answers 200 with random bytes, as many as
// the answer had.
func Garbage() Action {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler, rnd *rand.Rand) {
		got := record(r, next)
		got.status = http.StatusOK
		got.send(w, func(body []byte) bool {
			for i := range body {
				body[i] = byte(rnd.Uint32())
			}
			_, err := w.Write(body)
			return err == nil
		})
	}
}

// Drip executes the request and sends the answer n bytes at a time, with a
// pause after each piece.
func Drip(n int, every time.Duration) Action {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler, _ *rand.Rand) {
		got := record(r, next)
		got.send(w, func(body []byte) bool {
			for len(body) > 0 {
				piece := body[:min(max(n, 1), len(body))]
				body = body[len(piece):]
				if _, err := w.Write(piece); err != nil {
					return false
				}
				if err := http.NewResponseController(w).Flush(); err != nil || !pause(r, every) {
					return false
				}
			}
			return true
		})
	}
}

// DropStream lets n writes of a stream of events through and then resets the
// connection.
func DropStream(n int) Action {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler, _ *rand.Rand) {
		next.ServeHTTP(&droppingWriter{ResponseWriter: w, left: n}, r)
	}
}

type droppingWriter struct {
	http.ResponseWriter
	left int
}

func (d *droppingWriter) Write(b []byte) (int, error) {
	if d.left == 0 {
		reset(d.ResponseWriter)
	}
	d.left--
	return d.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (d *droppingWriter) Unwrap() http.ResponseWriter { return d.ResponseWriter }

// recording is an answer that was not sent.
type recording struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func record(r *http.Request, next http.Handler) *recording {
	rec := &recording{header: http.Header{}, status: http.StatusOK}
	next.ServeHTTP(rec, r)
	return rec
}

func (r *recording) Header() http.Header         { return r.header }
func (r *recording) WriteHeader(status int)      { r.status = status }
func (r *recording) Write(b []byte) (int, error) { return r.body.Write(b) }

// Flush is there for streams; what is recorded is sent at the end.
func (r *recording) Flush() {}

// send sends the recorded answer by way of f and resets the connection if f
// did not send it whole.
func (r *recording) send(w http.ResponseWriter, f func(body []byte) bool) {
	for k, v := range r.header {
		w.Header()[k] = v
	}
	w.Header().Set("Content-Length", strconv.Itoa(r.body.Len()))
	w.WriteHeader(r.status)
	if !f(r.body.Bytes()) {
		_ = http.NewResponseController(w).Flush() // what was sent shall arrive
		panic(http.ErrAbortHandler)
	}
}

// reset ends the connection at once, with a TCP reset where there is one. It
// does not return.
func reset(w http.ResponseWriter) {
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // then Close sends RST instead of FIN
		}
		_ = conn.Close() // nothing is left to tell anyone
	}
	panic(http.ErrAbortHandler)
}
