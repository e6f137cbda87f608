package lambda

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func gateway(t *testing.T, h http.HandlerFunc, event string) *events.APIGatewayV2HTTPResponse {
	t.Helper()
	answer, err := serveGateway(t.Context(), h, json.RawMessage(event))
	require.NoError(t, err)
	return answer
}

func TestGatewayRequest(t *testing.T) {
	event := `{"version":"2.0","rawPath":"/prod/api/a%2Fb","rawQueryString":"q=1&q=2","cookies":["a=1","b=2"],
		"headers":{"host":"example.com","x-list":"1,2"},"body":"` + base64.StdEncoding.EncodeToString([]byte{0, 255}) + `","isBase64Encoded":true,
		"requestContext":{"stage":"prod","domainName":"other.example","http":{"method":"POST","sourceIp":"192.0.2.7"}}}`
	seen := false
	gateway(t, func(_ http.ResponseWriter, r *http.Request) {
		seen = true
		body, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		assert.Equal(t, []byte{0, 255}, body)
		assert.Equal(t, "POST", r.Method)
		assert.Equal(t, "/api/a%2Fb", r.URL.EscapedPath(), "the stage is no part of the path")
		assert.Equal(t, []string{"1", "2"}, r.URL.Query()["q"])
		assert.Equal(t, "example.com", r.Host)
		assert.Equal(t, "192.0.2.7", r.RemoteAddr)
		assert.Equal(t, "1,2", r.Header.Get("X-List"))
		cookie, err := r.Cookie("b")
		require.NoError(t, err)
		assert.Equal(t, "2", cookie.Value)
	}, event)
	assert.True(t, seen)
}

const plainEvent = `{"rawPath":"/","requestContext":{"stage":"$default","http":{"method":"GET"}}}`

func TestGatewayAnswer(t *testing.T) {
	answer := gateway(t, func(w http.ResponseWriter, _ *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "1"})
		http.SetCookie(w, &http.Cookie{Name: "b", Value: "2"})
		w.Header().Add("Cache-Status", "one")
		w.Header().Add("Cache-Status", "two")
		w.WriteHeader(http.StatusCreated)
		w.WriteHeader(http.StatusTeapot)
		w.Header().Set("Late", "1")
		_, _ = io.WriteString(w, `{"ä":1}`)
	}, plainEvent)
	assert.Equal(t, 201, answer.StatusCode, "the first status counts")
	assert.Equal(t, []string{"a=1", "b=2"}, answer.Cookies)
	assert.Equal(t, map[string]string{"Cache-Status": "one, two", "Content-Length": "8"}, answer.Headers)
	assert.Equal(t, `{"ä":1}`, answer.Body)
	assert.False(t, answer.IsBase64Encoded)
}

func TestGatewayAnswersBytesInBase64AndFindsTheType(t *testing.T) {
	png := []byte("\x89PNG\r\n\x1a\n\xff")
	answer := gateway(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(png) }, plainEvent)
	assert.True(t, answer.IsBase64Encoded)
	body, err := base64.StdEncoding.DecodeString(answer.Body)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(png, body))
	assert.Equal(t, "image/png", answer.Headers["Content-Type"])
}

func TestGatewayAnswersWithoutABody(t *testing.T) {
	answer := gateway(t, func(http.ResponseWriter, *http.Request) {}, plainEvent)
	assert.Equal(t, 200, answer.StatusCode)
	assert.Empty(t, answer.Body)
	answer = gateway(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotModified)
		_, err := io.WriteString(w, "x")
		require.ErrorIs(t, err, http.ErrBodyNotAllowed)
	}, plainEvent)
	assert.Equal(t, 304, answer.StatusCode)
	assert.Empty(t, answer.Body)
}

func TestGatewayRefusesWhatIsNoEvent(t *testing.T) {
	for _, event := range []string{`1`, `{"isBase64Encoded":true,"body":"%"}`, `{"rawPath":"/","requestContext":{"http":{"method":"A B"}}}`} {
		_, err := serveGateway(t.Context(), http.NotFoundHandler(), json.RawMessage(event))
		assert.ErrorContains(t, err, "lambda: ", event)
	}
}

func FuzzGatewayRequest(f *testing.F) {
	f.Add([]byte(plainEvent))
	f.Add([]byte(`{"rawPath":"//x","rawQueryString":"%zz","requestContext":{"stage":"a","http":{"method":"GET"}}}`))
	f.Fuzz(func(t *testing.T, event []byte) {
		if !json.Valid(event) {
			return
		}
		_, _ = serveGateway(t.Context(), http.NotFoundHandler(), event) // must not panic
	})
}
