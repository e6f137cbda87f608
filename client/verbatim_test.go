package client_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
)

// A reply that is asked for verbatim comes in RESP2; a server that has only JSON
// answers in that, without base64, since nobody asked for it.
func TestVerbatim(t *testing.T) {
	const text = `a "b" é`
	for name, answer := range map[string]string{
		"RESP2": "$8\r\n" + text + "\r\n",
		"JSON":  `{"result":"a \"b\" é"}`,
	} {
		t.Run(name, func(t *testing.T) {
			var asked http.Header
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked = r.Header
				_, _ = io.WriteString(w, answer)
			}))
			defer s.Close()
			c := benchClient(t, client.Config{URL: s.URL})
			got, err := client.Do(t.Context(), c, command.Get("k").Verbatim())
			require.NoError(t, err)
			assert.Equal(t, text, got)
			assert.Equal(t, []string{"resp2", ""}, []string{asked.Get("Upstash-Response-Format"), asked.Get("Upstash-Encoding")})
		})
	}
}

// One such command in a batch is enough for all.
func TestVerbatimInABatch(t *testing.T) {
	for name, answer := range map[string]string{
		"RESP2": "$2\r\n\"\"\r\n:1\r\n",
		"JSON":  `[{"result":"\"\""},{"result":1}]`,
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				assert.Equal(t, "resp2", r.Header.Get("Upstash-Response-Format"))
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, answer)
			}))
			defer s.Close()
			c := benchClient(t, client.Config{URL: s.URL})
			replies, err := c.Batch(t.Context(), command.Get("k").Verbatim(), command.Incr("n"))
			require.NoError(t, err)
			assert.Equal(t, `""`, string(replies[0].Bytes))
			assert.EqualValues(t, 1, replies[1].Int)
		})
	}
}
