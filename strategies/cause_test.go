package strategies_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/cldcde/restash/strategies"
)

func answering(status int, body string) roundTrip {
	return func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Request: r,
			Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}, nil
	}
}

// late answers when the budget is just over.
func late(rt roundTrip) roundTrip {
	return func(r *http.Request) (*http.Response, error) {
		time.Sleep(151 * time.Millisecond)
		return rt(r)
	}
}

// What is wrong with Redis is told as what it is, in the log, in the breaker's
// cause and in the Status; only a Redis that is silent "did not answer".
func TestACauseIsToldAsWhatItIs(t *testing.T) {
	silent := "did not answer within the budget"
	for name, tt := range map[string]struct {
		rt   roundTrip
		says string
	}{
		"refused dial":    {sick["refuses"], "connection refused"},
		"reset":           {func(*http.Request) (*http.Response, error) { return nil, errors.New("connection reset by peer") }, "connection reset"},
		"401":             {answering(401, `{"error":"Unauthorized"}`), "Unauthorized"},
		"429":             {answering(429, `{"error":"ERR max requests limit exceeded"}`), "max requests limit"},
		"502":             {answering(502, "<html>bad gateway</html>"), "502"},
		"garbage":         {answering(200, "<html>login</html>"), "login"},
		"garbage of JSON": {answering(200, `{"result":`), "JSON"},
		"401, late":       {late(answering(401, `{"error":"Unauthorized"}`)), "Unauthorized"},
		"garbage, late":   {late(answering(200, "<html>login</html>")), "login"},
		"hangs":           {sick["hangs"], silent},
		"drips":           {sick["drips"], silent},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				store := storeOver(t, newServer(t), tt.rt, func(c *strategies.StoreConfig) {
					c.Logger, c.Budget = slog.New(slog.NewTextHandler(&log, nil)), 150*time.Millisecond
				})
				c := strategies.New[item](store, strategies.Config{Name: "item", TTL: time.Hour})
				var src source
				var last strategies.Status
				for range 6 {
					ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
					_, st := getCtx(ctx, t, c, "k", &src)
					cancel()
					if st.Reason == strategies.ReasonError {
						last = st
					}
				}
				t.Log(last.Err)
				t.Log(store.Stats().BreakerCause)
				for where, text := range map[string]string{"log": log.String(), "breaker": store.Stats().BreakerCause, "status": last.Err.Error()} {
					assert.Contains(t, text, tt.says, where)
					if tt.says != silent {
						assert.NotContains(t, text, silent, where)
					}
				}
			})
		})
	}
}

func getCtx(ctx context.Context, t *testing.T, c *strategies.Cache[item], key string, src *source) (item, strategies.Status) {
	var st strategies.Status
	v, err := c.Get(ctx, key, src.load, strategies.Report(&st))
	assert.NoError(t, err)
	return v, st
}
