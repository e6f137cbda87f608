package upstashtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"syscall"
)

// memoryTransport hands requests to the server's handler without a socket.
// Nothing in it waits but on channels and pipes, so a synctest bubble can see
// that all is idle.
type memoryTransport struct{ s *Server }

// RoundTrip runs the handler in a goroutine of its own and returns as soon as
// the handler has flushed or ended.
func (t *memoryTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if t.s.done.Err() != nil {
		discard(r.Body)
		return nil, &net.OpError{Op: "dial", Net: "memory", Err: syscall.ECONNREFUSED}
	}
	if err := r.Context().Err(); err != nil {
		discard(r.Body)
		return nil, err
	}
	ctx, cancel := context.WithCancel(r.Context())
	unlink := context.AfterFunc(t.s.done, cancel)
	in := r.Clone(ctx)
	in.RequestURI, in.RemoteAddr, in.Proto, in.ProtoMajor, in.ProtoMinor = r.URL.RequestURI(), "127.0.0.1:0", "HTTP/1.1", 1, 1
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	w := &memoryWriter{ctx: ctx, header: http.Header{}, ready: make(chan struct{}), head: r.Method == http.MethodHead}
	t.s.tasks.Go(func() {
		defer unlink()
		defer discard(r.Body)
		w.serve(t.s, in)
	})
	select {
	case <-w.ready:
	case <-r.Context().Done():
		cancel()
		return nil, r.Context().Err()
	case <-t.s.done.Done():
		select {
		case <-w.ready:
		default:
			cancel()
			return nil, fmt.Errorf("upstashtest: the server was closed: %w", io.EOF)
		}
	}
	return w.response(r, cancel)
}

func discard(body io.Closer) {
	if body != nil {
		_ = body.Close() // what a caller's body says on closing concerns nobody here
	}
}

// memoryWriter is the ResponseWriter. An answer is kept until the handler
// ends; from the first Flush on it is streamed.
type memoryWriter struct {
	ctx   context.Context // ends with the request or the server
	head  bool
	ready chan struct{} // closed when response may look at the fields

	mu     sync.Mutex
	header http.Header
	status int
	sent   http.Header
	body   bytes.Buffer
	pipe   *io.PipeWriter // streaming
	reader *io.PipeReader
	err    error // the handler aborted
	done   bool
}

var errAborted = errors.New("upstashtest: connection reset by server")

// serve runs the handler. A panic ends the connection and no more, as in
// net/http.
func (w *memoryWriter) serve(s *Server, r *http.Request) {
	defer func() {
		p := recover()
		if p != nil && p != http.ErrAbortHandler {
			s.log.Error("upstashtest: panic in a handler", "panic", p)
		}
		w.finish(p)
	}()
	s.Handler().ServeHTTP(w, r)
}

func (w *memoryWriter) finish(p any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done = true
	if p != nil {
		w.err = errAborted
	}
	w.writeHeader(http.StatusOK)
	if w.pipe != nil {
		if w.err != nil {
			w.pipe.CloseWithError(io.ErrUnexpectedEOF)
		} else {
			w.pipe.CloseWithError(nil)
		}
		return
	}
	close(w.ready)
}

func (w *memoryWriter) Header() http.Header { return w.header }

func (w *memoryWriter) WriteHeader(status int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writeHeader(status)
}

func (w *memoryWriter) writeHeader(status int) {
	if w.status == 0 {
		w.status = status
		w.sent = w.header.Clone()
	}
}

func (w *memoryWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	w.writeHeader(http.StatusOK)
	if w.head {
		w.mu.Unlock()
		return len(b), nil
	}
	if w.pipe == nil {
		defer w.mu.Unlock()
		return w.body.Write(b)
	}
	w.mu.Unlock()
	return w.pipe.Write(b)
}

// Flush starts streaming.
func (w *memoryWriter) Flush() {
	w.mu.Lock()
	if w.pipe != nil {
		w.mu.Unlock()
		return
	}
	w.writeHeader(http.StatusOK)
	w.reader, w.pipe = io.Pipe()
	first := bytes.Clone(w.body.Bytes())
	close(w.ready)
	w.mu.Unlock()
	if len(first) > 0 {
		_, _ = w.pipe.Write(first) // the next write of the handler reports it
	}
}

// response builds what the caller gets. cancel ends the handler's context.
func (w *memoryWriter) response(r *http.Request, cancel context.CancelFunc) (*http.Response, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil && w.pipe == nil && (w.body.Len() == 0 || w.head) {
		cancel()
		return nil, errAborted
	}
	res := &http.Response{
		Status: strconv.Itoa(w.status) + " " + http.StatusText(w.status), StatusCode: w.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: w.sent, Request: r, ContentLength: -1,
	}
	if w.pipe != nil {
		res.Body = &streamBody{PipeReader: w.reader, cancel: cancel, stop: context.AfterFunc(w.ctx, func() {
			w.reader.CloseWithError(w.ctx.Err())
		})}
		return res, nil
	}
	defer cancel()
	var body io.Reader = bytes.NewReader(w.body.Bytes())
	res.ContentLength = int64(w.body.Len())
	if w.err != nil || w.declared() > w.body.Len() && !w.head {
		body = io.MultiReader(body, failing{})
		res.ContentLength = -1
	}
	res.Body = io.NopCloser(body)
	return res, nil
}

// declared is the Content-Length that the handler promised.
func (w *memoryWriter) declared() int {
	n, err := strconv.Atoi(w.sent.Get("Content-Length"))
	if err != nil {
		return 0
	}
	return n
}

// failing is the end of a body that was cut.
type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// streamBody ends the handler when the caller closes it.
type streamBody struct {
	*io.PipeReader
	cancel context.CancelFunc
	stop   func() bool
}

func (b *streamBody) Close() error {
	b.stop()
	b.cancel()
	return b.PipeReader.Close()
}
