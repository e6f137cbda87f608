package client_test

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"fmt"

	"github.com/cldcde/restash/client"
	"github.com/stretchr/testify/require"
)

func TestSmoke(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		fmt.Println(r.URL.EscapedPath(), r.URL.RawQuery, string(b), r.Header)
		fmt.Fprintf(w, `{"result":%q}`, base64.StdEncoding.EncodeToString([]byte("Ada")))
	}))
	defer s.Close()
	c, err := client.New(client.Config{URL: s.URL, Token: "t"})
	require.NoError(t, err)
	v, err := c.Get(t.Context(), "a\nb")
	require.NoError(t, err)
	require.Equal(t, "Ada", v)
	_, err = c.Set(t.Context(), "a/b", "\xff\x00", )
	fmt.Println(err)
	fmt.Println(c.Stats())
}
