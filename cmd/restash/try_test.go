package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// start is a fake of the documented call.
func startRedis(t *testing.T, url, token string) (address string, calls *atomic.Int32) {
	t.Helper()
	calls = new(atomic.Int32)
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		assert.Regexp(t, `^restash/\S`, r.UserAgent())
		w.Header().Set("Content-Type", "text/markdown")
		fmt.Fprintf(w, "# Your Redis is ready\n\n**Database ID:** %s\n**Endpoint:** %s\n**Token:** %s\n**Expires:** 2026-12-01 (3 days from creation).\n\nhttps://upstash.com/start-redis/console/%s\n",
			r.Header.Get("Idempotency-Key"), url, token, r.Header.Get("Idempotency-Key"))
	}))
	t.Cleanup(service.Close)
	return service.URL, calls
}

func TestTrySendsNothingUnasked(t *testing.T) {
	at, calls := startRedis(t, "https://x.example", "t")
	r := restash(t, "try", "--at", at)
	assert.Equal(t, exitUsage, r.status)
	assert.Contains(t, r.errs, "--yes")
	assert.Equal(t, exitUsage, restash(t, "try", "--yes", "--at", at, "--id", "me").status)
	for _, no := range []string{"", "n\n", "what\n"} {
		require.Error(t, confirm(strings.NewReader(no), &strings.Builder{}, tryOptions{at: at}))
	}
	assert.Zero(t, calls.Load())
	var question strings.Builder
	require.NoError(t, confirm(strings.NewReader("Yes\n"), &question, tryOptions{at: at, id: "the-id"}))
	for _, part := range []string{at, "the-id", "no credentials", "72 hours"} {
		assert.Contains(t, question.String(), part)
	}
}

func TestTryPrintsVariablesThatWork(t *testing.T) {
	server := database(t)
	at, calls := startRedis(t, server.URL, server.Token)
	id := "2a550d60-a387-43b3-8f99-5e361a7b4881"
	r := restash(t, "try", "--yes", "--at", at, "--id", id)
	require.Zero(t, r.status, r.errs)
	assert.Equal(t, urlVariable+"="+server.URL+"\n"+tokenVariable+"="+server.Token+"\n"+
		"# deleted: 2026-12-01 (3 days from creation)\n"+
		"# to keep it, open and claim: https://upstash.com/start-redis/console/"+id+"\n"+
		"# next: put these lines into .env, then restash ping --env-file .env\n", r.out)
	r = restash(t, "try", "--yes", "--json", "--at", at)
	assert.Contains(t, r.out, `"url":"`+server.URL+`"`)
	assert.EqualValues(t, 2, calls.Load())
}

func TestTryFailsOnAnAnswerThatIsNone(t *testing.T) {
	at, _ := startRedis(t, "", "")
	r := restash(t, "try", "--yes", "--at", at)
	assert.Equal(t, exitFailed, r.status)
	assert.Contains(t, r.errs, "names no database")
	assert.Regexp(t, `restash try --id [0-9a-f-]{36}`, r.errs, "how to have it again")
	assert.Empty(t, r.out)
}
