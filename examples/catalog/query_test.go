package catalog_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/examples/catalog"
)

func TestParseListQueryFillsInDefaults(t *testing.T) {
	for _, query := range []string{"", "utm_source=x", "page=&sort=", "page=1&limit=20&sort=downloads"} {
		values, err := url.ParseQuery(query)
		require.NoError(t, err)
		got, err := catalog.ParseListQuery(values)
		require.NoError(t, err, query)
		assert.Equal(t, defaults(), got, query)
	}
}

func TestParseListQuerySaysWhatIsWrong(t *testing.T) {
	for query, want := range map[string]string{
		"page=0":                             "page must be a number from 1 to 10000",
		"page=-1":                            "page must be",
		"page=1e3":                           "page must be",
		"page=99999999999999999999":          "page must be",
		"page=1&page=2":                      "page is given 2 times",
		"limit=100000":                       "limit must be a number from 1 to 100",
		"limit=0":                            "limit must be",
		"sort=;drop":                         "sort must be one of downloads, rating, recent",
		"sort=%3Bdrop":                       "sort must be one of",
		"category=nothing":                   "category must be one of agents",
		"platform=amiga":                     "platform must be one of any",
		"search=" + strings.Repeat("x", 101): "search is longer than 100 characters",
		"search=%ff":                         "search is not valid UTF-8",
		"search=%00":                         "search has control characters",
	} {
		values, _ := url.ParseQuery(query) // a bare semicolon drops the parameter: see the route's test
		if query == "sort=;drop" {
			values = url.Values{"sort": {";drop"}}
		}
		_, err := catalog.ParseListQuery(values)
		assert.ErrorContains(t, err, want, query)
	}
}

func FuzzParseListQuery(f *testing.F) {
	f.Add("search=claude&category=devtools&platform=any&sort=recent&page=2&limit=5")
	f.Add("page=0&sort=;drop")
	f.Add("search=%ff&limit=1&limit=2")
	f.Fuzz(func(t *testing.T, query string) {
		values, _ := url.ParseQuery(query)
		q, err := catalog.ParseListQuery(values)
		if err != nil {
			return
		}
		if q.Page < 1 || q.Page > catalog.MaxPage || q.Limit < 1 || q.Limit > catalog.MaxLimit {
			t.Fatalf("%q gives page %d, limit %d", query, q.Page, q.Limit)
		}
		if len(q.Search) > 4*catalog.MaxSearch {
			t.Fatalf("%q gives a search text of %d bytes", query, len(q.Search))
		}
	})
}
