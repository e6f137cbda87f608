package handler_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/handler"
	"github.com/cldcde/restash/handler/internal/rig"
)

func TestASlowHandlerStillAnswersItsClient(t *testing.T) {
	for name, early := range map[string]bool{"header late": false, "header early": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := rig.New(t)
				var runs atomic.Int64
				mux := rig.Mount(r.Store, "GET /x", rig.ListConfig(), func(w http.ResponseWriter, r *http.Request) {
					if early {
						io.WriteString(w, "begin ")
					}
					select {
					case <-time.After(2 * time.Minute):
						runs.Add(1)
						io.WriteString(w, "end")
					case <-r.Context().Done():
					}
				})
				a := rig.Get(mux, "/x")
				assert.Equal(t, []any{200, "MISS"}, []any{a.Status, a.Cache()})
				assert.Contains(t, a.Body, "end")
				assert.Contains(t, a.CacheStatus(), "detail=timeout")
				assert.EqualValues(t, 1, runs.Load())

				// A client that leaves ends it, once it is his alone.
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				began := time.Now()
				mux.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/x", nil).WithContext(ctx))
				assert.Equal(t, time.Minute, time.Since(began))
				synctest.Wait()
				assert.EqualValues(t, 1, runs.Load())
			})
		})
	}
}

func TestResponseController(t *testing.T) {
	r := rig.New(t)
	cfg := rig.ListConfig()
	mux := http.NewServeMux()
	mux.Handle("GET /deadlines", handler.Cache(r.Store, cfg)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		rc := http.NewResponseController(w)
		assert.NoError(t, rc.SetWriteDeadline(time.Now().Add(time.Minute)))
		assert.NoError(t, rc.SetReadDeadline(time.Now().Add(time.Minute)))
		assert.NoError(t, rc.EnableFullDuplex())
		io.WriteString(w, "x")
	})))
	cfg.Prefix = "hijack"
	mux.Handle("GET /hijack", handler.Cache(r.Store, cfg)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if assert.NoError(t, err) {
			rw.WriteString("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nmine")
			rw.Flush()
			conn.Close()
		}
	})))
	server := httptest.NewServer(mux)
	defer server.Close()
	res, err := http.Get(server.URL + "/deadlines")
	require.NoError(t, err)
	res.Body.Close()
	assert.Equal(t, "MISS", res.Header.Get("X-Cache"))
	for range 2 {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		require.NoError(t, err)
		io.WriteString(conn, "GET /hijack HTTP/1.1\r\nHost: x\r\n\r\n")
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		body, _ := io.ReadAll(res.Body)
		assert.Equal(t, "mine", string(body))
		conn.Close()
	}
}

func TestUndecodableEntry(t *testing.T) {
	r := rig.New(t)
	var runs atomic.Int64
	mux := rig.Mount(r.Store, "GET /x", rig.ListConfig(), rig.Counting(&runs))
	rig.Get(mux, "/x")
	keys, err := r.Srv.Do("KEYS", "test:e:*")
	require.NoError(t, err)
	require.Len(t, keys.Array, 1)
	_, err = r.Srv.Do("SET", string(keys.Array[0].Bytes), "garbage", "EX", "60")
	require.NoError(t, err)
	a := rig.Get(mux, "/x")
	assert.Equal(t, []any{200, "MISS"}, []any{a.Status, a.Cache()})
	assert.Contains(t, a.CacheStatus(), "fwd=miss")
	assert.Contains(t, a.CacheStatus(), "detail=undecodable")
	assert.Equal(t, "HIT", rig.Get(mux, "/x").Cache())
}
