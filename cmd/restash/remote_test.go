package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRemoteWarmGoesOnWhereAFunctionsTimeWasUp(t *testing.T) {
	t.Setenv(cronSecret, "secret")
	var froms []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "Bearer secret", r.Header.Get("Authorization"))
		from := r.URL.Query().Get("from")
		froms = append(froms, from)
		switch from {
		case "":
			w.WriteHeader(http.StatusAccepted)
			_, _ = w.Write([]byte(`{"warmed":2,"commands":2,"trips":1,"next":"1.20"}`))
			return
		case "1.20": // an older deployment says 200
			_, _ = w.Write([]byte(`{"warmed":1,"commands":2,"trips":1,"next":"2.40"}`))
			return
		}
		_, _ = w.Write([]byte(`{"warmed":5,"fresh":1,"commands":6,"trips":2}`))
	}))
	defer srv.Close()
	var out, errOut strings.Builder
	require.NoError(t, runRemoteWarm(t.Context(), &out, &errOut, srv.URL, false))
	assert.Equal(t, []string{"", "1.20", "2.40"}, froms)
	assert.Contains(t, out.String(), "warmed 8, fresh 1, failed 0, commands 10, trips 4")
	assert.Empty(t, errOut.String())
}

func TestRemoteWarmSaysWhoIsAtIt(t *testing.T) {
	t.Setenv(cronSecret, "secret")
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusConflict)
		_, _ = w.Write([]byte(`{"code":"busy","message":"warm: the plan is running elsewhere: by host, process 7"}`))
	}))
	defer srv.Close()
	var out, errOut strings.Builder
	assert.ErrorContains(t, runRemoteWarm(t.Context(), &out, &errOut, srv.URL, false), "by host, process 7")
}

func TestRemoteWarmThatDoesNotGetOnFails(t *testing.T) {
	t.Setenv(cronSecret, "secret")
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusAccepted)
		_, _ = w.Write([]byte(`{"warmed":0,"next":"0.0"}`))
	}))
	defer srv.Close()
	var out, errOut strings.Builder
	assert.ErrorIs(t, runRemoteWarm(t.Context(), &out, &errOut, srv.URL, false), errReported)
	assert.Contains(t, errOut.String(), "did not finish")
}

func TestExisting(t *testing.T) {
	missing := "sqlite:" + t.TempDir() + "/none.db"
	assert.ErrorContains(t, existing(missing), databaseVariable)
	assert.NoError(t, existing("postgres://localhost/db"))
}
