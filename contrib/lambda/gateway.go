package lambda

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
)

// serveGateway answers one event of payload format 2.0.
func serveGateway(ctx context.Context, h http.Handler, raw json.RawMessage) (*events.APIGatewayV2HTTPResponse, error) {
	var event events.APIGatewayV2HTTPRequest
	if err := json.Unmarshal(raw, &event); err != nil {
		return nil, fmt.Errorf("lambda: no API Gateway event of format 2.0: %w", err)
	}
	request, err := gatewayRequest(ctx, event)
	if err != nil {
		return nil, err
	}
	w := &buffer{header: http.Header{}}
	h.ServeHTTP(w, request)
	return w.answer(), nil
}

func gatewayRequest(ctx context.Context, event events.APIGatewayV2HTTPRequest) (*http.Request, error) {
	body := []byte(event.Body)
	if event.IsBase64Encoded {
		decoded, err := base64.StdEncoding.DecodeString(event.Body)
		if err != nil {
			return nil, fmt.Errorf("lambda: body of the event: %w", err)
		}
		body = decoded
	}
	about := event.RequestContext
	target := event.RawPath
	if about.Stage != "" && about.Stage != "$default" { // a named stage is part of the path
		target = strings.TrimPrefix(target, "/"+about.Stage)
	}
	if !strings.HasPrefix(target, "/") {
		target = "/" + target
	}
	if event.RawQueryString != "" {
		target += "?" + event.RawQueryString
	}
	request, err := http.NewRequestWithContext(ctx, about.HTTP.Method, target, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("lambda: request of the event: %w", err)
	}
	for name, value := range event.Headers {
		request.Header.Set(name, value)
	}
	if len(event.Cookies) > 0 { // this format keeps them apart from the headers
		request.Header.Set("Cookie", strings.Join(event.Cookies, "; "))
	}
	request.Host = about.DomainName
	if host := request.Header.Get("Host"); host != "" {
		request.Host = host
	}
	request.RemoteAddr = about.HTTP.SourceIP
	request.RequestURI = target
	return request, nil
}

// buffer is a writer for platforms that take an answer as a whole.
type buffer struct {
	header http.Header
	status int
	sent   http.Header // as it was when the status was written
	body   bytes.Buffer
}

func (b *buffer) Header() http.Header { return b.header }

// WriteHeader keeps the first status, as net/http does.
func (b *buffer) WriteHeader(status int) {
	if b.status != 0 || status < http.StatusOK {
		return
	}
	b.status, b.sent = status, b.header.Clone()
}

func (b *buffer) Write(p []byte) (int, error) {
	if b.status == 0 {
		if b.header.Get("Content-Type") == "" {
			b.header.Set("Content-Type", http.DetectContentType(p))
		}
		b.WriteHeader(http.StatusOK)
	}
	if b.status == http.StatusNoContent || b.status == http.StatusNotModified {
		return 0, http.ErrBodyNotAllowed
	}
	return b.body.Write(p)
}

func (b *buffer) answer() *events.APIGatewayV2HTTPResponse {
	b.WriteHeader(http.StatusOK) // unless one was written
	a := &events.APIGatewayV2HTTPResponse{
		StatusCode: b.status, Headers: map[string]string{}, Cookies: b.sent.Values("Set-Cookie"),
		Body: b.body.String(),
	}
	b.sent.Del("Set-Cookie")
	for name, values := range b.sent {
		a.Headers[name] = strings.Join(values, ", ")
	}
	if a.Headers["Content-Length"] == "" && b.body.Len() > 0 {
		a.Headers["Content-Length"] = strconv.Itoa(b.body.Len())
	}
	if !utf8.Valid(b.body.Bytes()) { // JSON can carry text only
		a.Body, a.IsBase64Encoded = base64.StdEncoding.EncodeToString(b.body.Bytes()), true
	}
	return a
}
