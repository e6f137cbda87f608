package lambda

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The schedule of the example hands the function what looks like a request: a
// slip in it would be seen on AWS only.
func TestTheExamplesScheduleIsARequest(t *testing.T) {
	template, err := os.ReadFile("../../examples/lambda/template.yaml")
	require.NoError(t, err)
	input := regexp.MustCompile(`(?s)Input: !Sub >-\n(.*?\}\}\})\n`).FindSubmatch(template)
	require.NotNil(t, input, "the template has a schedule with an input")
	event := strings.ReplaceAll(string(input[1]), "${CronSecret}", "s3cret")
	asked := ""
	serve := func(w http.ResponseWriter, r *http.Request) {
		asked = r.Method + " " + r.URL.Path + " " + r.Header.Get("Authorization")
		w.WriteHeader(http.StatusAccepted)
	}
	const want = "GET /api/cron/warm Bearer s3cret"
	assert.Equal(t, 202, gateway(t, serve, event).StatusCode)
	assert.Equal(t, want, asked)

	asked = ""
	f := &function{config: Config{Handler: http.HandlerFunc(serve)}, finished: make(chan struct{}, 1)}
	answer, err := f.stream(t.Context(), []byte(event))
	require.NoError(t, err)
	assert.Equal(t, 202, answer.StatusCode)
	assert.Equal(t, want, asked)
}
