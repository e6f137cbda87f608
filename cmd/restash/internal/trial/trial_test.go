package trial

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const page = `# Your Redis is ready

**Database ID:** 2a550d60-a387-43b3-8f99-5e361a7b4881
**Endpoint:** https://glad-crayfish-1.upstash.io
**Token:** s3cret
**Metrics:** https://upstash.com/start-redis/metrics/2a550d60-a387-43b3-8f99-5e361a7b4881
**Expires:** 2026-05-23 (3 days from creation).

To keep it, open https://upstash.com/start-redis/console/2a550d60-a387-43b3-8f99-5e361a7b4881.
`

func TestParseReadsLabelsAndNothingElse(t *testing.T) {
	want := Database{
		ID: "2a550d60-a387-43b3-8f99-5e361a7b4881", URL: "https://glad-crayfish-1.upstash.io", Token: "s3cret", Expires: "2026-05-23 (3 days from creation).",
		Console: "https://upstash.com/start-redis/console/2a550d60-a387-43b3-8f99-5e361a7b4881",
		Metrics: "https://upstash.com/start-redis/metrics/2a550d60-a387-43b3-8f99-5e361a7b4881",
	}
	got, err := parse(strings.NewReader(page))
	require.NoError(t, err)
	assert.Equal(t, want, got)
	assert.NotContains(t, fmt.Sprintf("%v %+v %#v %s", got, got, got, got), "s3cret")

	listed := strings.NewReplacer("**Endpoint:**", "- REST URL:", "**Token:**", "- REST Token: `", "s3cret", "s3cret`").Replace(page)
	got, err = parse(strings.NewReader(listed))
	require.NoError(t, err)
	assert.Equal(t, want, got, "a list and code marks")
}

func TestParseRefusesWhatNamesNoDatabase(t *testing.T) {
	for name, text := range map[string]string{
		"empty":       "",
		"another":     "<html>Sign in</html>",
		"no token":    strings.Replace(page, "**Token:** s3cret", "", 1),
		"no address":  strings.Replace(page, "**Endpoint:**", "**Endpoints:**", 1),
		"plain HTTP":  strings.Replace(page, "https://glad", "http://glad", 1),
		"no host":     strings.Replace(page, "https://glad-crayfish-1.upstash.io", "https://", 1),
		"a sentence":  strings.Replace(page, "s3cret", "see s3cret", 1),
		"a long line": "**Token:** " + strings.Repeat("x", 70<<10),
	} {
		_, err := parse(strings.NewReader(text))
		require.ErrorIs(t, err, ErrAnswer, name)
		assert.NotContains(t, err.Error(), "s3cret", name)
	}
}

func TestCreateSendsOneCallAndFollowsNoRedirect(t *testing.T) {
	elsewhere := 0
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere++ }))
	defer other.Close()
	var seen []*http.Request
	status := http.StatusOK
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r)
		w.Header().Set("Location", other.URL)
		w.WriteHeader(status)
		fmt.Fprint(w, page)
	}))
	defer service.Close()
	id := NewID()
	require.NoError(t, CheckID(id))
	config := Config{Address: service.URL, ID: id, UserAgent: "restash/x"}
	_, err := Create(t.Context(), config)
	require.NoError(t, err)
	require.Len(t, seen, 1)
	assert.Equal(t, http.MethodPost, seen[0].Method)
	assert.Equal(t, id, seen[0].Header.Get("Idempotency-Key"))
	assert.Equal(t, "restash/x", seen[0].UserAgent())
	assert.Zero(t, seen[0].ContentLength)
	assert.Empty(t, seen[0].Header.Get("Authorization"))
	for _, status = range []int{http.StatusFound, http.StatusTooManyRequests, http.StatusInternalServerError} {
		_, err = Create(t.Context(), config)
		require.ErrorContains(t, err, fmt.Sprint(status))
		assert.NotContains(t, err.Error(), "s3cret")
	}
	assert.Zero(t, elsewhere)
}

func TestCheckID(t *testing.T) {
	for _, id := range []string{"", "x", "2a550d60-a387-13b3-8f99-5e361a7b4881", "{2a550d60-a387-43b3-8f99-5e361a7b4881}", "2a550d60a38743b38f995e361a7b4881"} {
		assert.Error(t, CheckID(id), id)
	}
}
