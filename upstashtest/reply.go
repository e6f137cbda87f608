package upstashtest

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"math"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/cldcde/restash/client/command"
)

// Reply answers every request with one value, in the coding that the request
// asks for: a responder for github.com/jarcoal/httpmock, or the body of a
// RoundTripper. v is what a command can answer: a string, []byte, number (those
// with a fraction become text, as in Redis), bool (1 or 0), nil, slice or array,
// map (a flat list in the order of its keys), pointer to these,
// [command.Reply], or an error, which becomes an error reply with status 400. A
// batch gets v once for each of its commands.
func Reply(v any) func(*http.Request) (*http.Response, error) {
	reply, err := toReply(v)
	if err != nil {
		return func(*http.Request) (*http.Response, error) { return nil, err }
	}
	return respond(func() (command.Reply, error) { return reply, nil })
}

// Replies answers each command with the next of vs, which are as for [Reply]:
// the commands of a batch one after the other, and single ones too. A command
// that finds none left is an error of the round trip.
func Replies(vs ...any) func(*http.Request) (*http.Response, error) {
	var mu sync.Mutex
	next := 0
	return respond(func() (command.Reply, error) {
		mu.Lock()
		defer mu.Unlock()
		if next == len(vs) {
			return command.Reply{}, fmt.Errorf("upstashtest: Replies: only %d replies were given", len(vs))
		}
		next++
		return toReply(vs[next-1])
	})
}

func respond(next func() (command.Reply, error)) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		n, batch, err := batchSize(r)
		if err != nil {
			return nil, err
		}
		replies := make([]command.Reply, n)
		for i := range replies {
			if replies[i], err = next(); err != nil {
				return nil, err
			}
		}
		status := http.StatusOK
		if !batch && replies[0].Kind == command.KindError {
			status = http.StatusBadRequest
		}
		b64 := strings.EqualFold(r.Header.Get("Upstash-Encoding"), "base64")
		body := encode(replies, batch, b64, r.Header.Get("Upstash-Response-Format") == "resp2")
		return &http.Response{
			Status: strconv.Itoa(status) + " " + http.StatusText(status), StatusCode: status,
			Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
			Header:        http.Header{"Content-Type": {"application/json"}},
			Body:          io.NopCloser(bytes.NewReader(body)),
			ContentLength: int64(len(body)),
		}, nil
	}
}

func encode(replies []command.Reply, batch, b64, resp2 bool) []byte {
	var out []byte
	for i, reply := range replies {
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
	case []byte:
		return command.Reply{Kind: command.KindBulk, Bytes: v}, nil
	case error:
		return command.Reply{Kind: command.KindError, Bytes: []byte(v.Error())}, nil
	}
	return reflected(reflect.ValueOf(v))
}

// reflected converts by the kind of a value, so that named types fit too.
func reflected(v reflect.Value) (command.Reply, error) {
	switch {
	case v.Kind() == reflect.Bool:
		return command.Reply{Kind: command.KindInt, Int: int64(btoi(v.Bool()))}, nil
	case v.CanInt():
		return command.Reply{Kind: command.KindInt, Int: v.Int()}, nil
	case v.CanUint() && v.Uint() <= math.MaxInt64:
		return command.Reply{Kind: command.KindInt, Int: int64(v.Uint())}, nil
	case v.CanUint():
		return textReply(strconv.FormatUint(v.Uint(), 10)), nil
	case v.CanFloat():
		return textReply(strings.ToLower(strings.TrimPrefix(strconv.FormatFloat(v.Float(), 'g', -1, 64), "+"))), nil
	}
	switch v.Kind() {
	case reflect.String:
		return textReply(v.String()), nil
	case reflect.Slice, reflect.Array:
		return listReply(slices.Collect(elements(v)))
	case reflect.Map:
		return mapReply(v)
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return command.Reply{Kind: command.KindNil}, nil
		}
		return toReply(v.Elem().Interface())
	}
	return command.Reply{}, fmt.Errorf("upstashtest: Reply: a %s is no reply of Redis", v.Type())
}

func textReply(s string) command.Reply {
	return command.Reply{Kind: command.KindBulk, Bytes: []byte(s)}
}

func elements(v reflect.Value) iter.Seq[any] {
	return func(yield func(any) bool) {
		for i := range v.Len() {
			if !yield(v.Index(i).Interface()) {
				return
			}
		}
	}
}

func listReply(vs []any) (command.Reply, error) {
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

// mapReply is what HGETALL answers: names and values in turn.
func mapReply(v reflect.Value) (command.Reply, error) {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int {
		return strings.Compare(fmt.Sprint(a.Interface()), fmt.Sprint(b.Interface()))
	})
	var flat []any
	for _, key := range keys {
		flat = append(flat, key.Interface(), v.MapIndex(key).Interface())
	}
	return listReply(flat)
}
