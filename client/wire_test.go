package client_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// exchange is a request and an answer of testdata/wire/exchanges.json.
type exchange struct {
	Name, Source, Format string
	Single               []string
	Pipeline, Tx         [][]string
	Latin1               bool // the strings of Single and the body stand for bytes
	Request              *struct {
		Path, Query, Body string
		Headers           map[string]string // "" for one that must be empty or absent
	}
	Response struct {
		Status     int
		Type, Body string
	}
	Want  string
	Error *struct {
		Code, Kind, Sent string
		Status           int
	}
}

var sentinels = map[string]error{
	"ErrAuth": client.ErrAuth, "ErrPermission": client.ErrPermission, "ErrQuota": client.ErrQuota,
	"ErrTooLarge": client.ErrTooLarge, "ErrWrongType": client.ErrWrongType, "ErrNoScript": client.ErrNoScript,
	"ErrReadOnly": client.ErrReadOnly, "ErrProtocol": client.ErrProtocol, "ErrTransport": client.ErrTransport,
}

func TestExchanges(t *testing.T) {
	b, err := os.ReadFile("../testdata/wire/exchanges.json")
	require.NoError(t, err)
	var all []exchange
	require.NoError(t, json.Unmarshal(b, &all))
	for _, x := range all {
		t.Run(x.Name, x.test)
	}
}

func (x exchange) test(t *testing.T) {
	require.NotEmpty(t, x.Source)
	mock := httpmock.NewMockTransport()
	mock.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
		x.checkRequest(t, r)
		resp := httpmock.NewStringResponse(x.Response.Status, x.Response.Body)
		resp.Header.Set("Content-Type", x.Response.Type)
		return resp, nil
	})
	format := client.JSON
	if x.Format == "resp2" {
		format = client.RESP2
	}
	c, err := client.New(client.Config{
		URL: "https://test.upstash.io/", Token: "secret-token", Encoding: format, MaxRetries: client.NoRetry,
		HTTPClient: &http.Client{Transport: mock}, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	got, err := x.run(t, c)
	assert.Equal(t, 1, mock.GetTotalCallCount())
	if x.Error == nil {
		require.NoError(t, err)
		assert.Equal(t, x.Want, got)
		return
	}
	x.checkError(t, err)
}

func (x exchange) run(t *testing.T, c *client.Client) (string, error) {
	var cmds []command.Cmd
	for _, words := range append(x.Pipeline, x.Tx...) {
		cmds = append(cmds, rawCommand(words))
	}
	switch {
	case x.Pipeline != nil:
		replies, err := c.Batch(t.Context(), cmds...)
		return print(command.Reply{Kind: command.KindArray, Array: replies}), err
	case x.Tx != nil:
		replies, err := c.Transaction(t.Context(), cmds...)
		return print(command.Reply{Kind: command.KindArray, Array: replies}), err
	}
	words := x.Single
	if x.Latin1 {
		words = make([]string, len(x.Single))
		for i := range words {
			words[i] = latin1(x.Single[i])
		}
	}
	r, err := client.Do(t.Context(), c, rawCommand(words))
	return print(r), err
}

func rawCommand(words []string) command.Command[command.Reply] {
	args := make([]any, len(words)-1)
	for i := range args {
		args[i] = words[i+1]
	}
	return command.Raw(words[0], args...)
}

// latin1 turns each character into the byte of that number.
func latin1(s string) string {
	var b strings.Builder
	for _, r := range s {
		b.WriteByte(byte(r))
	}
	return b.String()
}

func (x exchange) checkRequest(t *testing.T, r *http.Request) {
	assert.Equal(t, http.MethodPost, r.Method)
	assert.NotContains(t, r.URL.String(), "secret")
	body, err := io.ReadAll(r.Body)
	assert.NoError(t, err)
	if x.Request == nil {
		return
	}
	want := x.Request.Body
	if x.Latin1 {
		want = latin1(want)
	}
	assert.Equal(t, want, string(body))
	assert.Equal(t, x.Request.Path, r.URL.EscapedPath())
	assert.Equal(t, x.Request.Query, r.URL.RawQuery)
	for name, value := range x.Request.Headers {
		assert.Equal(t, value, r.Header.Get(name), name)
	}
}

func (x exchange) checkError(t *testing.T, err error) {
	var e *client.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, x.Error.Code, e.Code)
	assert.Equal(t, x.Error.Status, e.Status)
	assert.Equal(t, x.Error.Sent, e.Sent.String())
	assert.Equal(t, 1, e.Attempts)
	for name, sentinel := range sentinels {
		assert.Equal(t, name == x.Error.Kind, errors.Is(err, sentinel), "%s: %v", name, err)
	}
	assert.NotContains(t, err.Error(), "secret")
	assert.NotContains(t, err.Error(), "s3cret")
	assert.NotContains(t, err.Error(), "upstash.io")
}

// print writes a reply so that a test can compare it.
func print(r command.Reply) string {
	switch r.Kind {
	case command.KindNil:
		return "nil"
	case command.KindInt:
		return fmt.Sprintf(":%d", r.Int)
	case command.KindBulk:
		return fmt.Sprintf("%q", r.Bytes)
	case command.KindStatus:
		return "+" + string(r.Bytes)
	case command.KindError:
		return "-" + string(r.Bytes)
	}
	words := make([]string, len(r.Array))
	for i, e := range r.Array {
		words[i] = print(e)
	}
	return "[" + strings.Join(words, " ") + "]"
}

// appendRESP2 writes a reply in RESP2.
func appendRESP2(b []byte, r command.Reply) []byte {
	switch r.Kind {
	case command.KindInt:
		return fmt.Appendf(b, ":%d\r\n", r.Int)
	case command.KindBulk:
		return fmt.Appendf(b, "$%d\r\n%s\r\n", len(r.Bytes), r.Bytes)
	case command.KindStatus:
		return fmt.Appendf(b, "+%s\r\n", r.Bytes)
	case command.KindError:
		return fmt.Appendf(b, "-%s\r\n", r.Bytes)
	case command.KindArray:
		b = fmt.Appendf(b, "*%d\r\n", len(r.Array))
		for _, e := range r.Array {
			b = appendRESP2(b, e)
		}
		return b
	}
	return append(b, "$-1\r\n"...)
}
