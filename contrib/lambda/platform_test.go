package lambda_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// platform is Lambda as a function sees it: the Runtime API and the Extensions
// API, one invocation at a time, and a freeze as soon as the runtime and all
// extensions ask for what comes next.
type platform struct {
	t   *testing.T
	cmd *exec.Cmd

	mu         sync.Mutex
	waiting    map[string]chan []byte // who asked for the next event: "runtime" or an extension
	extensions int
	frozen     bool
	changed    chan struct{} // closed at each change, then replaced
	deadline   time.Time
	answers    chan answer
}

// answer is what the function said, and when.
type answer struct {
	body   []byte
	stream bool
	failed bool
	first  time.Time // its first byte
	at     time.Time
}

// build compiles a test program once per test.
func build(t *testing.T, folder string) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "bootstrap")
	output, err := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", binary, folder).CombinedOutput()
	require.NoError(t, err, "%s", output)
	return binary
}

func start(t *testing.T, binary string, env ...string) *platform {
	t.Helper()
	p := &platform{t: t, waiting: map[string]chan []byte{}, changed: make(chan struct{}), answers: make(chan answer, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, r *http.Request) {
		p.next(w, r, "runtime")
	})
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/{what}", p.answered)
	mux.HandleFunc("POST /2020-01-01/extension/register", p.register)
	mux.HandleFunc("GET /2020-01-01/extension/event/next", func(w http.ResponseWriter, r *http.Request) {
		p.next(w, r, r.Header.Get("Lambda-Extension-Identifier"))
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }()
	p.cmd = exec.Command(binary)
	p.cmd.Env = append(env, "AWS_LAMBDA_RUNTIME_API="+listener.Addr().String(), "AWS_LAMBDA_FUNCTION_NAME=f", "_HANDLER=bootstrap")
	p.cmd.Stderr = os.Stderr
	require.NoError(t, p.cmd.Start())
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		_ = server.Close()
	})
	p.await("the function to be ready", p.idle)
	return p
}

func (p *platform) register(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.extensions++
	w.Header().Set("Lambda-Extension-Identifier", r.Header.Get("Lambda-Extension-Name")+strconv.Itoa(p.extensions))
	_, _ = io.WriteString(w, `{"functionName":"f","functionVersion":"1","handler":"bootstrap"}`)
}

// next holds the call until there is an invocation.
func (p *platform) next(w http.ResponseWriter, r *http.Request, who string) {
	event := make(chan []byte, 1)
	p.change(func() { p.waiting[who] = event })
	select {
	case body := <-event:
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", "1")
		w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(p.deadline.UnixMilli(), 10))
		_, _ = w.Write(body)
	case <-r.Context().Done():
	}
}

func (p *platform) answered(w http.ResponseWriter, r *http.Request) {
	reader := bufio.NewReader(r.Body)
	_, _ = reader.Peek(1)
	first := time.Now()
	body, _ := io.ReadAll(reader)
	p.answers <- answer{
		body: body, first: first, at: time.Now(), failed: r.PathValue("what") == "error",
		stream: r.Header.Get("Content-Type") == "application/vnd.awslambda.http-integration-response" &&
			slices.Contains(r.TransferEncoding, "chunked"),
	}
	w.WriteHeader(http.StatusAccepted)
}

func (p *platform) change(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
	close(p.changed)
	p.changed = make(chan struct{})
}

// idle reports whether everybody asked for the next event.
func (p *platform) idle() bool {
	return len(p.waiting) == 1+p.extensions && p.waiting["runtime"] != nil
}

func (p *platform) await(what string, condition func() bool) {
	p.t.Helper()
	timeout := time.After(10 * time.Second)
	for {
		p.mu.Lock()
		ok, changed := condition(), p.changed
		p.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-timeout:
			p.t.Fatalf("waited 10 s for %s", what)
		}
	}
}

// invoke thaws the process, hands out the event, and returns the answer.
func (p *platform) invoke(event any) answer {
	p.t.Helper()
	body, err := json.Marshal(event)
	require.NoError(p.t, err)
	p.mu.Lock()
	if p.frozen {
		require.NoError(p.t, p.cmd.Process.Signal(syscall.SIGCONT))
		p.frozen = false
	}
	p.deadline = time.Now().Add(5 * time.Second)
	for who, next := range p.waiting {
		if who == "runtime" {
			next <- body
			continue
		}
		next <- fmt.Appendf(nil, `{"eventType":"INVOKE","deadlineMs":%d,"requestId":"1"}`, p.deadline.UnixMilli())
	}
	clear(p.waiting)
	p.mu.Unlock()
	select {
	case a := <-p.answers:
		return a
	case <-time.After(10 * time.Second):
		p.t.Fatal("no answer in 10 s")
		return answer{}
	}
}

// freeze waits until the platform may freeze the process, and does so.
func (p *platform) freeze() time.Time {
	p.t.Helper()
	p.await("the freeze", p.idle)
	at := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	require.NoError(p.t, p.cmd.Process.Signal(syscall.SIGSTOP))
	p.frozen = true
	return at
}

// urlEvent is a Function URL's event; gatewayEvent's format is the same.
func urlEvent(method, path string) map[string]any {
	return map[string]any{
		"version": "2.0", "rawPath": path, "headers": map[string]string{"host": "f.lambda-url.aws"},
		"requestContext": map[string]any{
			"domainName": "f.lambda-url.aws", "stage": "$default",
			"http": map[string]string{"method": method, "path": path, "sourceIp": "192.0.2.1"},
		},
	}
}

// said is the refresher's answer.
type said struct {
	Value   int64
	State   string
	Trips   int
	Errors  int64
	Limited bool
}

// streamed takes the head off an answer in response streaming: a JSON document
// and eight zero bytes.
func streamed(t *testing.T, a answer) (status int, body []byte) {
	t.Helper()
	require.True(t, a.stream, "%s", a.body)
	head, body, found := bytes.Cut(a.body, make([]byte, 8))
	require.True(t, found, "%s", a.body)
	var prelude struct{ StatusCode int }
	require.NoError(t, json.Unmarshal(head, &prelude))
	return prelude.StatusCode, body
}

func decode(t *testing.T, body []byte) said {
	t.Helper()
	var s said
	require.NoError(t, json.Unmarshal(bytes.TrimSpace(body), &s), strings.TrimSpace(string(body)))
	return s
}
