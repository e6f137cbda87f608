package client_test

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func FuzzSingle(f *testing.F) {
	for _, s := range []string{
		`{"result":"OK"}`, `{"result":null}`, `{"result":[1,"YQ==",[null,-5]]}`, `{"error":"ERR x \u00e4\ud83d\ude00\ud800"}`,
		`{"result":9223372036854775808}`, `{"result":1.5e3}`, `{"a":{"b":[true,false]},"result":0}`, `{"result":"\u0059Q=="}`,
		`{"result":[[[[[[]]]]]]}`, `{}`, `[`, `{"result":"`, ` {"result" : 1 } `,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		r, err := client.ScanOne([]byte(body))
		if err != nil {
			return
		}
		// What the scanner takes, encoding/json takes too, and it means the same.
		var e struct {
			Result any     `json:"result"`
			Error  *string `json:"error"`
		}
		if !json.Valid([]byte(body)) {
			if utf8.ValidString(body) && !strings.ContainsFunc(body, func(r rune) bool { return r < ' ' }) && !lax(body) {
				t.Fatalf("took %q", body)
			}
			return
		}
		d := json.NewDecoder(strings.NewReader(body))
		d.UseNumber()
		if d.Decode(&e) != nil || strings.Count(body, "esult") > 1 || strings.Count(body, "rror") > 1 || strings.Contains(strings.ToLower(body), "\\u00") {
			return
		}
		if e.Error != nil && r.Kind == command.KindError && utf8.ValidString(body) {
			assert.Equal(t, *e.Error, string(r.Bytes))
		}
		if e.Error == nil && strings.Contains(body, `"result"`) && r.Kind != command.KindError {
			same(t, e.Result, r)
		}
	})
}

// lax are numbers that the scanner takes and JSON does not, such as 007.
func lax(body string) bool { return strings.ContainsAny(body, "0123456789") }

func same(t *testing.T, want any, got command.Reply) {
	t.Helper()
	switch want := want.(type) {
	case nil:
		assert.Equal(t, command.KindNil, got.Kind)
	case string:
		if want == "OK" {
			assert.Equal(t, command.KindStatus, got.Kind)
			return
		}
		b, err := base64.StdEncoding.DecodeString(want)
		require.NoError(t, err)
		assert.Equal(t, string(b), string(got.Bytes))
	case json.Number:
		if n, err := want.Int64(); err == nil {
			assert.Equal(t, n, got.Int)
		} else {
			assert.Equal(t, want.String(), string(got.Bytes))
		}
	case []any:
		require.Len(t, got.Array, len(want))
		for i := range want {
			same(t, want[i], got.Array[i])
		}
	}
}

func FuzzBatch(f *testing.F) {
	for _, s := range []string{
		`[]`, `[{"result":1},{"error":"ERR x"}]`, `{"error":"EXECABORT"}`, `[{"result":["YQ=="]}`, `[{"result":1}]x`, `{"result":1}`,
	} {
		f.Add(s, 2)
	}
	f.Fuzz(func(t *testing.T, body string, n int) {
		replies, refused, err := client.ScanBatch([]byte(body), max(min(n, 100), 0))
		if err != nil {
			return
		}
		if refused != nil {
			assert.Equal(t, command.KindError, refused.Kind)
			assert.Empty(t, replies)
		}
	})
}

func FuzzRESP2(f *testing.F) {
	for _, s := range []string{
		"+OK\r\n", "-ERR x\r\n", ":-5\r\n", "$-1\r\n", "$3\r\na\r\n\r\n", "*2\r\n:1\r\n*-1\r\n", "*1\r\n*1\r\n*0\r\n", "$5\r\nabc\r\n",
		"*99999999999\r\n", "$9223372036854775807\r\n", ":\r\n", "+OK\r\n+OK\r\n", "*3\r\n:1\r\n:2\r\n:3\r\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		one, err := client.RespOne([]byte(body))
		many, batchErr := client.RespBatch([]byte(body), 1)
		if err == nil {
			require.NoError(t, batchErr, "one reply is a batch of one")
			require.Len(t, many, 1)
			assert.Equal(t, print(one), print(many[0]))
			again, err := client.RespOne(appendRESP2(nil, one))
			require.NoError(t, err)
			assert.Equal(t, print(one), print(again), "what was read can be written and read again")
		}
	})
}

func FuzzEvents(f *testing.F) {
	for _, s := range []string{
		"data: message,ch,a,b\n\n", "data: a\ndata: b\n\n", ": ping\n\ndata:x\r\n\r\n", "data: a\ndata: message,c,b\n", "\n\n\n",
		"event: x\nid: 1\ndata: y\n\n", "data", "data:\n\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		events, err := client.ReadEvents(body, 1000)
		if err != nil {
			return
		}
		for _, e := range events {
			assert.LessOrEqual(t, len(e), 1010)
			for line := range strings.SplitSeq(e, "\n") {
				assert.Contains(t, body, line)
			}
		}
	})
}

// FuzzArguments sends arbitrary bytes through the encoder: what JSON cannot
// carry is refused, everything else arrives as it was.
func FuzzArguments(f *testing.F) {
	for _, s := range []string{"", "plain", "\"\\\b\f\n\r\t\x00\x1f\x7f", "ä€😀\u2028", "\xff", "ok\xc3", strings.Repeat("a", 70) + "\"", "<&>",
		"aaa\"aaaaaaaaaaaa", "aaaaaaa\\aaaaaaaa", "aaaaaaaaaaa\x1faaaa", "\naaaaaaaaaaaaaaa", "aaaaaa\x7f!aaaaaa\x80"} {
		f.Add("SET", s)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		out, ok := client.AppendArgs(nil, []string{a, b})
		require.Equal(t, utf8.ValidString(a) && utf8.ValidString(b), ok)
		if !ok {
			return
		}
		var got []string
		require.NoError(t, json.Unmarshal(out, &got))
		assert.True(t, slices.Equal([]string{a, b}, got))
	})
}
