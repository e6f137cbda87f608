package upstashtest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/cldcde/restash/client/command"
)

// Reply answers every request with one value, in the coding that the request
// asks for: a responder for github.com/jarcoal/httpmock, or the body of a
// RoundTripper. v is a string, []byte, whole number, bool (1 or 0), nil, slice
// of these, [command.Reply], or an error, which becomes an error reply with
// status 400. A batch gets v once for each of its commands.
func Reply(v any) func(*http.Request) (*http.Response, error) {
	reply, convErr := toReply(v)
	return func(r *http.Request) (*http.Response, error) {
		if convErr != nil {
			return nil, convErr
		}
		n, batch, err := batchSize(r)
		if err != nil {
			return nil, err
		}
		b64 := strings.EqualFold(r.Header.Get("Upstash-Encoding"), "base64")
		resp2 := r.Header.Get("Upstash-Response-Format") == "resp2"
		status := http.StatusOK
		if reply.Kind == command.KindError && !batch {
			status = http.StatusBadRequest
		}
		body := encode(reply, n, batch, b64, resp2)
		return &http.Response{
			Status: strconv.Itoa(status) + " " + http.StatusText(status), StatusCode: status,
			Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
			Header:        http.Header{"Content-Type": {"application/json"}},
			Body:          io.NopCloser(bytes.NewReader(body)),
			ContentLength: int64(len(body)),
		}, nil
	}
}

func encode(reply command.Reply, n int, batch, b64, resp2 bool) []byte {
	var out []byte
	for i := range n {
		switch {
		case resp2:
			out = appendRESP(out, reply)
			continue
		case i > 0:
			out = append(out, ',')
		}
		out = appendEnvelope(out, reply, b64)
	}
	if batch && !resp2 {
		return append(append([]byte{'['}, out...), ']')
	}
	return out
}

// batchSize counts the commands of a request to /pipeline or /multi-exec.
func batchSize(r *http.Request) (n int, batch bool, err error) {
	if !strings.HasSuffix(r.URL.Path, "/pipeline") && !strings.HasSuffix(r.URL.Path, "/multi-exec") {
		return 1, false, nil
	}
	if r.Body == nil {
		return 0, true, errEOF
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return 0, true, fmt.Errorf("upstashtest: %w", err)
	}
	cmds, err := parseBatch(body)
	return len(cmds), true, err
}

func toReply(v any) (command.Reply, error) {
	switch v := v.(type) {
	case nil:
		return command.Reply{Kind: command.KindNil}, nil
	case command.Reply:
		return v, nil
	case string:
		return command.Reply{Kind: command.KindBulk, Bytes: []byte(v)}, nil
	case []byte:
		return command.Reply{Kind: command.KindBulk, Bytes: v}, nil
	case error:
		return command.Reply{Kind: command.KindError, Bytes: []byte(v.Error())}, nil
	case bool:
		return command.Reply{Kind: command.KindInt, Int: int64(btoi(v))}, nil
	case int:
		return command.Reply{Kind: command.KindInt, Int: int64(v)}, nil
	case int64:
		return command.Reply{Kind: command.KindInt, Int: v}, nil
	case []string:
		return arrayOf(v)
	case []int:
		return arrayOf(v)
	case []any:
		return arrayOf(v)
	}
	return command.Reply{}, fmt.Errorf("upstashtest: Reply: a %T is no reply of Redis", v)
}

func arrayOf[T any](vs []T) (command.Reply, error) {
	r := command.Reply{Kind: command.KindArray, Array: []command.Reply{}}
	for _, v := range vs {
		e, err := toReply(v)
		if err != nil {
			return r, err
		}
		r.Array = append(r.Array, e)
	}
	return r, nil
}
