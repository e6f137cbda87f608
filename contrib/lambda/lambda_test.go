package lambda_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/contrib/lambda"
	"github.com/cldcde/restash/upstashtest"
)

func redisEnv(server *upstashtest.Server) []string {
	return []string{"UPSTASH_REDIS_REST_URL=" + server.URL, "UPSTASH_REDIS_REST_TOKEN=" + server.Token, "PATH=" + os.Getenv("PATH")}
}

func ask(t *testing.T, p *platform) (said, time.Time) {
	t.Helper()
	a := p.invoke(urlEvent("GET", "/"))
	status, body := streamed(t, a)
	require.Equal(t, http.StatusOK, status, "%s", body)
	return decode(t, body), a.at
}

// The caller has its answer at once; the refresh that the answer leaves behind
// is stored before the process is frozen.
func TestEachRefreshIsDoneBeforeItsFreeze(t *testing.T) {
	server := upstashtest.Run(t)
	p := start(t, build(t, "./testdata/refresher"), redisEnv(server)...)
	first, _ := ask(t, p)
	assert.Equal(t, "MISS", first.State)
	assert.EqualValues(t, 1, first.Value)
	assert.True(t, first.Limited, "the invocation's deadline reaches the handler")
	p.freeze()
	for n := int64(1); n <= 3; n++ {
		before := server.Bill()
		asked := time.Now()
		got, answered := ask(t, p)
		frozen := p.freeze()
		assert.Equal(t, "STALE", got.State)
		assert.Equal(t, n, got.Value, "what the previous invocation left behind was stored")
		assert.Less(t, answered.Sub(asked), 200*time.Millisecond, "the caller does not wait for the refresh")
		assert.GreaterOrEqual(t, frozen.Sub(answered), 150*time.Millisecond, "the freeze does")
		bill := server.Bill().Sub(before)
		assert.EqualValues(t, 2, bill.Commands, "one read, and the refresh's SET before the freeze")
	}
}

// A frozen process wakes up with connections that the other side closed long ago.
func TestFirstCallAfterALongFreezeWorksAtTheFirstTry(t *testing.T) {
	if testing.Short() {
		t.Skip("freezes a process for 30 s")
	}
	server := upstashtest.Run(t)
	front := httptest.NewServer(server.Handler()) // one that can hang up
	t.Cleanup(front.Close)
	p := start(t, build(t, "./testdata/refresher"), append(redisEnv(server), "UPSTASH_REDIS_REST_URL="+front.URL)...)
	ask(t, p)
	p.freeze()
	front.CloseClientConnections()
	<-time.After(30 * time.Second)
	before := server.Bill()
	got, _ := ask(t, p)
	p.freeze()
	assert.Equal(t, "STALE", got.State, "the cache answered")
	assert.Equal(t, 1, got.Trips)
	assert.Zero(t, got.Errors)
	assert.EqualValues(t, 2, server.Bill().Sub(before).Trips, "nothing was sent twice")
}

func TestAPIGatewayEventsAreAnsweredWhole(t *testing.T) {
	server := upstashtest.Run(t)
	p := start(t, build(t, "./testdata/refresher"), append(redisEnv(server), "LAMBDA_EVENTS=apigateway")...)
	for _, want := range []string{"MISS", "STALE"} {
		a := p.invoke(urlEvent("GET", "/"))
		require.False(t, a.failed, "%s", a.body)
		var event struct {
			StatusCode int
			Body       string
		}
		require.NoError(t, json.Unmarshal(a.body, &event))
		assert.Equal(t, 200, event.StatusCode)
		assert.Equal(t, want, decode(t, []byte(event.Body)).State)
		p.freeze()
	}
}

// Neither a panic nor an event that cannot be read may end the process or keep
// the extension waiting for an end that never comes.
func TestBadInvocationsCostNoColdStart(t *testing.T) {
	server := upstashtest.Run(t)
	p := start(t, build(t, "./testdata/refresher"), redisEnv(server)...)
	asked := time.Now()
	status, _ := streamed(t, p.invoke(urlEvent("GET", "/panic")))
	assert.Equal(t, 500, status)
	p.freeze()
	assert.True(t, p.invoke("no event").failed)
	p.freeze()
	assert.Less(t, time.Since(asked), 3*time.Second, "the freeze did not wait for the deadline")
	got, _ := ask(t, p)
	assert.Equal(t, "MISS", got.State)
	p.freeze()
}

func TestSIGTERMFlushes(t *testing.T) {
	server := upstashtest.Run(t)
	p := start(t, build(t, "./testdata/refresher"), redisEnv(server)...)
	ask(t, p)
	p.await("the end of the invocation", p.idle)
	before := server.Bill()
	a := p.invoke(urlEvent("GET", "/")) // leaves a refresh of 250 ms behind
	_, body := streamed(t, a)
	require.Equal(t, "STALE", decode(t, body).State)
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	ended := make(chan error, 1)
	go func() { ended <- p.cmd.Wait() }()
	select {
	case err := <-ended:
		require.NoError(t, err)
	case <-time.After(5 * time.Second):
		t.Fatal("the process did not end")
	}
	assert.EqualValues(t, 2, server.Bill().Sub(before).Commands, "the refresh was stored first")
}

func TestStartNamesWhatIsWrong(t *testing.T) {
	require.ErrorContains(t, lambda.Start(lambda.Config{}), "Handler")
	h := http.NotFoundHandler()
	require.ErrorContains(t, lambda.Start(lambda.Config{Handler: h, Reserve: -1}), "Reserve")
	require.ErrorContains(t, lambda.Start(lambda.Config{Handler: h, Events: 7}), "Events")
	t.Setenv("AWS_LAMBDA_RUNTIME_API", "")
	require.ErrorContains(t, lambda.Start(lambda.Config{Handler: h}), "AWS_LAMBDA_RUNTIME_API")
	assert.Zero(t, lambda.Executor().Wait(), "callers never wait for a refresh")
}
