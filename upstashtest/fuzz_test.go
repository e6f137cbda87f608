package upstashtest_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"unicode/utf8"

	"github.com/cldcde/restash/upstashtest"
)

// FuzzRequests sends whatever it is to the handler: an answer in JSON, RESP or
// nothing, never a crash.
func FuzzRequests(f *testing.F) {
	for _, seed := range []struct{ method, target, body, encoding, format, auth string }{
		{"POST", "/", `["SET","k","v"]`, "base64", "", "Bearer t"},
		{"POST", "/pipeline", `[["GET","k"],["INCR",1]]`, "", "resp2", "t"},
		{"POST", "/multi-exec", `[["SET","k",true]]`, "", "json", "bearer t"},
		{"PUT", "/set/a%2Fb?EX=100&NX", "raw\xff", "", "", "Bearer t"},
		{"GET", "/eval/return%201/0?_token=t", "", "", "", ""},
		{"GET", "/_restash/bill", "", "", "", "Bearer t"},
		{"POST", "/subscribe/a", "[]", "", "", "Bearer t"},
		{"OPTIONS", "//../%zz", "", "x", "resp3", "Bearer"},
	} {
		f.Add(seed.method, seed.target, []byte(seed.body), seed.encoding, seed.format, seed.auth)
	}
	s, err := upstashtest.New(upstashtest.Config{InMemory: true, Token: "t"})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	f.Fuzz(func(t *testing.T, method, target string, body []byte, encoding, format, auth string) {
		r, err := http.NewRequestWithContext(t.Context(), method, "http://x", bytes.NewReader(body))
		if err != nil {
			t.Skip()
		}
		if u, err := r.URL.Parse(target); err == nil {
			r.URL = u
		}
		r.Header.Set("Upstash-Encoding", encoding)
		r.Header.Set("Upstash-Response-Format", format)
		r.Header.Set("Authorization", auth)
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		if w.Header().Get("Content-Type") == "application/json" && method != http.MethodHead {
			if !json.Valid(w.Body.Bytes()) {
				t.Fatalf("%d: no JSON: %q", w.Code, w.Body.Bytes())
			}
			if !utf8.Valid(w.Body.Bytes()) {
				t.Fatalf("%d: no UTF-8: %q", w.Code, w.Body.Bytes())
			}
		}
	})
}

// FuzzBodies compares the parser with encoding/json: what one command says is
// what arrives.
func FuzzBodies(f *testing.F) {
	f.Add([]byte(`["ECHO","a\u00e9\n\"\\"]`))
	f.Add([]byte(`["ECHO","\"\\\/\b\f\n\r\t"]`))
	f.Add([]byte(`["ECHO","a\x"]`))
	f.Add([]byte(`["ECHO",1e5]`))
	f.Add([]byte(" [ \"echo\" , true ] "))
	s, err := upstashtest.New(upstashtest.Config{InMemory: true, Token: "t"})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	f.Fuzz(func(t *testing.T, body []byte) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://x/", bytes.NewReader(body))
		r.Header.Set("Authorization", "t")
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		var args []string
		if json.Unmarshal(body, &args) != nil || len(args) != 2 || args[0] != "ECHO" || bytes.Contains(body, []byte("null")) {
			return
		}
		var got struct{ Result string }
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.Result != args[1] {
			t.Fatalf("%q: %s, want %q", body, w.Body.Bytes(), args[1])
		}
	})
}
