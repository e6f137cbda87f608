package main

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestProbePrintsWhatNobodyDocuments(t *testing.T) {
	unsetRedis(t)
	r := restash(t, "probe")
	assert.Zero(t, r.status, r.errs)
	assert.Regexp(t, `^\d{3} questions, 0 answers not as documented, \d+ shown below\n\n\| question \| request \| documented \| local \|\n\|---\|---\|---\|---\|\n\|`, r.out)
	assert.Contains(t, r.out, "| an empty pipeline | `POST /pipeline []` | `?` | `400 ")
	assert.NotContains(t, r.out, "`GET {p}none`", "documented and met")
	assert.Equal(t, exitUsage, restash(t, "probe", "--metrics", "http://x").status)
	assert.Equal(t, exitFailed, restash(t, "probe", "--live").status, "no database is named")
}

// TestProbeFindsADifferenceOfTheLiveDatabase puts a proxy that answers one
// command differently in front of a server.
func TestProbeFindsADifferenceOfTheLiveDatabase(t *testing.T) {
	server := database(t)
	behind, err := url.Parse(server.URL)
	require.NoError(t, err)
	proxy := httputil.NewSingleHostReverseProxy(behind)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if strings.HasPrefix(req.URL.Path, "/ttl/") {
			_, _ = w.Write([]byte(`{"result":-1}`))
			return
		}
		proxy.ServeHTTP(w, req)
	}))
	defer front.Close()
	t.Setenv(urlVariable, front.URL)
	r := restash(t, "probe", "--live", "--metrics", server.URL+"/_restash/bill?_token="+server.Token)
	assert.Equal(t, exitFailed, r.status)
	assert.Contains(t, r.out, "1 answers not as documented")
	assert.Regexp(t, "\\| `GET /ttl/\\{p\\}path` \\| `[^|]*\\|[^|]*` \\| `200 \\{\"result\":100\\}` \\| `200 \\{\"result\":-1\\}` \\|", r.out)
	r = restash(t, "probe", "--live", "--json")
	assert.Contains(t, r.out, `"met":false,"open":false,"server":"live"}`)
	t.Setenv(urlVariable, server.URL)
	r = restash(t, "probe", "--live", "--metrics", server.URL+"/_restash/bill")
	assert.Zero(t, r.status, r.errs)
	assert.Contains(t, r.out, "MSETEX of 100 keys: 1.00 commands each, by the counter\n")
}
