package client_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/pipeline"
)

const (
	theToken = "AYxTheToken123"
	theValue = "what-a-user-stored"
)

// printed formats v in every way that Go has, but for %p and %w where they mean
// nothing: those ask no method of a value, and go vet refuses them.
func printed(t *testing.T, v any) string {
	t.Helper()
	var b bytes.Buffer
	for _, verb := range "vsqxXdTtbcoOUeEfFgG" {
		for _, flag := range []string{"", "+", "#", "#+", " ", "0"} {
			fmt.Fprintf(&b, "%"+flag+string(verb)+"\n", v)
		}
	}
	fmt.Fprintln(&b, v)
	for _, h := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil)} {
		slog.New(h).Info("m", "v", v, "in", struct{ V any }{v}, "list", []any{v})
	}
	if text, err := json.Marshal(v); err == nil {
		b.Write(text)
	}
	return b.String()
}

// leaks says whether the text holds a secret, as text, in hexadecimal or as
// the numbers of its bytes.
func leaks(text, secret string) bool {
	numbers := strings.Trim(fmt.Sprint([]byte(secret)), "[]")
	for _, form := range []string{secret, fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret), fmt.Sprintf("% x", secret), numbers} {
		if strings.Contains(text, form) {
			return true
		}
	}
	return false
}

type holder struct {
	Config client.Config
	Client *client.Client
	Inner  struct{ C client.Config }
	hidden *client.Client
	copied any
}

func TestSecretTheTokenIsNeverPrinted(t *testing.T) {
	cfg := client.Config{URL: "https://user:" + theToken + "@db.upstash.io/?_token=" + theToken, Token: theToken}
	assert.Contains(t, fmt.Sprintf("%+v", cfg), "https://db.upstash.io/")
	good := client.Config{URL: "https://db.upstash.io", Token: theToken}
	c, err := client.New(good)
	require.NoError(t, err)
	p := pipeline.New(c)
	p.Set("k", "v")
	copied := *p
	h := holder{Config: good, Client: c, hidden: c, copied: c}
	h.Inner.C = good
	for name, v := range map[string]any{
		"Config": cfg, "*Config": &cfg, "Client": c, "Pipeline": p, "a pipeline's copy": copied, "holder": h, "*holder": &h,
		"a broken URL": client.Config{URL: "://" + theToken, Token: theToken}, "slice": []any{cfg, c}, "map": map[string]client.Config{"a": cfg},
	} {
		assert.Falsef(t, leaks(printed(t, v), theToken), "%s tells the token", name)
	}
	assert.Contains(t, fmt.Sprint(c), "db.upstash.io")
	_, err = client.New(cfg)
	assert.False(t, leaks(printed(t, err), theToken))
}

// replies are answers of servers that say too much. Each is asked for by a
// single command, a batch and a transaction, and by a subscription.
func replies() map[string]struct {
	status int
	body   string
} {
	return map[string]struct {
		status int
		body   string
	}{
		"a token in an error":             {401, `{"error":"WRONGPASS token ` + theToken + ` is invalid"}`},
		"in an error of 200":              {200, `{"error":"ERR ` + theToken + `"}`},
		"in a batch":                      {200, `[{"error":"ERR ` + theToken + `"}]`},
		"in the text of a gateway":        {502, `<html>` + theToken + `</html>`},
		"in the text of a proxy":          {400, `token ` + theToken},
		"in a page":                       {200, `<html>` + theToken + `</html>`},
		"a value in the place of a batch": {200, `{"result":"` + theValue + `"}`},
		"values in the place of one":      {200, `[{"result":"` + theValue + `"},{"result":"` + theValue + `"}]`},
		"a broken value":                  {200, `{"result":"` + theValue},
		"a bare value":                    {200, `"` + theValue + `"`},
		"an odd member":                   {200, `{"reslt":"` + theValue + `"}`},
		"a nested value":                  {200, `{"result":{"a":"` + theValue + `"}}`},
		"a list for a number":             {200, `[{"result":["` + theValue + `"]}]`},
		"a text for a number":             {200, `{"result":"` + theValue + `"}`},
		"an error that is a list":         {200, `{"error":["` + theValue + `"]}`},
	}
}

func TestSecretNoErrorTellsTokenOrValue(t *testing.T) {
	for name, r := range replies() {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(r.status)
				fmt.Fprint(w, r.body)
			}))
			defer srv.Close()
			var log bytes.Buffer
			c, err := client.New(client.Config{URL: srv.URL, Token: theToken, MaxRetries: client.NoRetry, Logger: slog.New(slog.NewJSONHandler(&log, nil))})
			require.NoError(t, err)
			defer c.Close()
			var errs []error
			note := func(err error) { errs = append(errs, err) }
			_, err = c.Incr(t.Context(), "k")
			note(err)
			_, err = client.Do(t.Context(), c, command.JSONGet[int]("k", "$"))
			note(err)
			batch, err := c.Batch(t.Context(), command.Incr("k"))
			note(err)
			for _, reply := range batch {
				note(client.ReplyError(command.Incr("k"), reply))
				_, err := client.DecodeReply(command.Incr("k"), reply)
				note(err)
			}
			_, err = c.Transaction(t.Context(), command.Incr("k"))
			note(err)
			p := pipeline.New(c)
			n := p.Incr("k")
			note(p.Exec(t.Context()))
			_, err = n.Value()
			note(err)
			if r.status != 200 {
				for _, err := range c.Subscribe(t.Context(), "news") {
					note(err)
					break
				}
			}
			failed := 0
			for _, err := range errs {
				if err == nil {
					continue
				}
				failed++
				text := printed(t, err) + printed(t, errors.Join(err, errors.New("x")))
				assert.Falsef(t, leaks(text, theToken), "the token: %v", err)
				assert.Falsef(t, leaks(text, theValue), "a value: %v", err)
			}
			assert.NotZero(t, failed)
			assert.False(t, leaks(log.String(), theToken))
			assert.False(t, leaks(log.String(), theValue))
		})
	}
}

func TestSecretAValueInThePlaceOfABatchIsAProtocolError(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"result":"`+theValue+`"}`) }))
	defer srv.Close()
	c, err := client.New(client.Config{URL: srv.URL, Token: theToken, MaxRetries: client.NoRetry})
	require.NoError(t, err)
	defer c.Close()
	_, err = c.Batch(t.Context(), command.Get("a"), command.Get("b"))
	assert.ErrorIs(t, err, client.ErrProtocol)
	assert.True(t, client.Unavailable(err), "a breaker counts it")
}

// Local servers get tokens such as "local" or "t", and their messages are read in
// the middle of the night.
func TestTokenAShortOneLeavesWordsAlone(t *testing.T) {
	for _, c := range []struct{ token, message, want string }{
		{"t", "WRONGPASS invalid or missing auth token", "WRONGPASS invalid or missing auth token"},
		{"t", "WRONGPASS t is not t: 't'", "WRONGPASS [token] is not [token]: '[token]'"},
		{"local", "ERR no local_id, not localhost", "ERR no local_id, not localhost"},
		{"local", "ERR Bearer:local", "ERR Bearer:[token]"},
		{"aa", "ERR aaa aa", "ERR aaa [token]"},
		{theToken, "ERR x" + theToken + "y", "ERR x[token]y"},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_ = json.NewEncoder(w).Encode(map[string]string{"error": c.message})
		}))
		t.Cleanup(s.Close)
		db, err := client.New(client.Config{URL: s.URL, Token: c.token})
		require.NoError(t, err)
		t.Cleanup(func() { _ = db.Close() })
		_, err = db.Get(t.Context(), "k")
		assert.ErrorContains(t, err, c.want)
	}
}
