package upstashtest_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/cldcde/restash/upstashtest"
)

// listener reads a stream of server-sent events line by line.
type listener struct {
	t     *testing.T
	lines *bufio.Scanner
	close func()
}

func listen(t *testing.T, s *upstashtest.Server, path string) *listener {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+path, strings.NewReader("[]"))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+s.Token)
	r.Header.Set("Accept", "text/event-stream")
	res, err := s.HTTPClient().Do(r)
	require.NoError(t, err)
	require.Equal(t, 200, res.StatusCode)
	require.Equal(t, "text/event-stream", res.Header.Get("Content-Type"))
	l := &listener{t: t, lines: bufio.NewScanner(res.Body)}
	l.close = func() {
		cancel()
		_ = res.Body.Close()
	}
	t.Cleanup(l.close)
	return l
}

// next returns the next line that is not empty, or "" at the end.
func (l *listener) next() string {
	for l.lines.Scan() {
		if line := l.lines.Text(); line != "" {
			return line
		}
	}
	return ""
}

func TestSubscribe(t *testing.T) {
	both(t, func(t *testing.T, s *upstashtest.Server) {
		l := listen(t, s, "/subscribe/a%2Fb/c")
		assert.Equal(t, "data: subscribe,a/b,1", l.next())
		assert.Equal(t, "data: subscribe,c,2", l.next())
		p := listen(t, s, "/psubscribe/a*")
		assert.Equal(t, "data: psubscribe,a*,1", p.next())

		assert.Equal(t, `{"result":2}`, send(t, s, request{method: "GET", path: "/publish/a%2Fb/one%2C%20two"}).body)
		assert.Equal(t, "data: message,a/b,one, two", l.next())
		assert.Equal(t, "data: pmessage,a*,a/b,one, two", p.next())
		assert.Equal(t, `{"result":0}`, do(t, s, "PUBLISH", "d", "x").body)
		assert.Equal(t, `{"result":["a/b","c"]}`, do(t, s, "PUBSUB", "CHANNELS").body)
		assert.Equal(t, `{"result":["c",1,"d",0]}`, do(t, s, "PUBSUB", "NUMSUB", "c", "d").body)
		assert.Equal(t, `{"result":1}`, do(t, s, "PUBSUB", "NUMPAT").body)

		do(t, s, "PUBLISH", "c", "two\nlines")
		assert.Equal(t, "data: message,c,two", l.next())
		assert.Equal(t, "data: lines", l.next())

		p.close()
		require.Eventually(t, func() bool { return do(t, s, "PUBSUB", "NUMPAT").body == `{"result":0}` }, 5*time.Second, time.Millisecond)
	})
}

func TestMonitor(t *testing.T) {
	both(t, func(t *testing.T, s *upstashtest.Server) {
		l := listen(t, s, "/monitor")
		assert.Equal(t, `data: "OK"`, l.next())
		do(t, s, "SET", "k", `a "b"`)
		assert.Regexp(t, `^data: \d+\.\d{6} \[0 0\.0\.0\.0:0\] "SET" "k" "a \\"b\\""$`, l.next())
	})
}

func TestStreamsRefused(t *testing.T) {
	s := upstashtest.Run(t)
	sse := map[string]string{"Accept": "text/event-stream"}
	assert.Equal(t, 400, send(t, s, request{path: "/subscribe/a"}).status, "without Accept")
	assert.Equal(t, 400, send(t, s, request{path: "/subscribe", header: sse}).status)
	assert.Equal(t, 401, send(t, s, request{path: "/subscribe/a", header: sse, noToken: true}).status)
	ro := map[string]string{"Accept": "text/event-stream", "Authorization": "Bearer " + s.ReadOnlyToken}
	assert.Equal(t, 400, send(t, s, request{path: "/monitor", header: ro}).status)
}

func TestStreamsKeepAliveAndDrop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := upstashtest.Run(t, func(c *upstashtest.Config) { c.InMemory = true })
		l := listen(t, s, "/subscribe/a")
		assert.Equal(t, "data: subscribe,a,1", l.next())
		start := time.Now()
		assert.Equal(t, ": keep-alive", l.next())
		assert.Equal(t, 15*time.Second, time.Since(start))
		l.close()

		remove := s.Faults(1, upstashtest.Fault{Do: upstashtest.DropStream(2)})
		l = listen(t, s, "/subscribe/a")
		remove()
		assert.Equal(t, "data: subscribe,a,1", l.next())
		do(t, s, "PUBLISH", "a", "1")
		assert.Equal(t, "data: message,a,1", l.next())
		do(t, s, "PUBLISH", "a", "2")
		assert.Empty(t, l.next())
		require.Error(t, l.lines.Err())
	})
}

// Nothing is lost and nothing overtakes, per channel.
func TestStreamsTenThousandMessages(t *testing.T) {
	both(t, func(t *testing.T, s *upstashtest.Server) {
		const n = 10_000
		l := listen(t, s, "/subscribe/a/b")
		l.next()
		l.next()
		go func() {
			for i := range n / 2 {
				for _, channel := range []string{"a", "b"} {
					if _, err := s.Do("PUBLISH", channel, fmt.Sprint(i)); err != nil {
						t.Error(err)
					}
				}
			}
		}()
		want := map[string]int{}
		for range n {
			part := strings.SplitN(l.next(), ",", 3)
			require.Len(t, part, 3)
			require.Equal(t, fmt.Sprint(want[part[1]]), part[2])
			want[part[1]]++
		}
	})
}

func TestCloseEndsStreams(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	for _, inMemory := range []bool{false, true} {
		s, err := upstashtest.New(upstashtest.Config{InMemory: inMemory})
		require.NoError(t, err)
		l := listen(t, s, "/subscribe/a")
		l.next()
		require.NoError(t, s.Close())
		assert.Empty(t, l.next())
		l.close()
	}
}
