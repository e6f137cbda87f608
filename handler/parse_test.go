package handler

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cldcde/restash/strategies"
)

func TestParseCacheControl(t *testing.T) {
	cases := map[string]func(d *directives){
		"":                                  func(*directives) {},
		"max-age=60":                        func(d *directives) { d.maxAge = 60 },
		"MAX-AGE=60, Public":                func(d *directives) { d.maxAge, d.public = 60, true },
		`max-age="60"`:                      func(d *directives) { d.maxAge = 60 },
		"max-age=1, max-age=9":              func(d *directives) { d.maxAge = 1 },
		"max-age=-1":                        func(d *directives) { d.maxAge = 0 },
		"max-age=1.5":                       func(d *directives) { d.maxAge = 0 },
		"max-age=":                          func(d *directives) { d.maxAge = 0 },
		"max-age":                           func(d *directives) { d.maxAge = 0 },
		"max-age =60":                       func(d *directives) { d.maxAge = 0 },
		"max-age= 60":                       func(d *directives) { d.maxAge = 0 },
		"max-age=99999999999999999999":      func(d *directives) { d.maxAge = maxSeconds },
		`x="max-age=9", max-age=1`:          func(d *directives) { d.maxAge = 1 },
		`x="a\"b, no-store", public`:        func(d *directives) { d.public = true },
		",, ,no-cache,":                     func(d *directives) { d.noCache = true },
		`no-cache="a, b-c"`:                 func(d *directives) { d.noCacheFields = []string{"A", "B-C"} },
		`no-cache="", private=""`:           func(d *directives) { d.noCache, d.private = true, true },
		`private="Set-Cookie"`:              func(d *directives) { d.privateFields = []string{"Set-Cookie"} },
		"private=x-y":                       func(d *directives) { d.privateFields = []string{"X-Y"} },
		"no-store, must-understand":         func(d *directives) { d.noStore, d.mustUnderstand = true, true },
		"immutable,no-transform":            func(d *directives) { d.immutable, d.noTransform = true, true },
		"max-stale":                         func(d *directives) { d.maxStaleAny = true },
		"max-stale=5, min-fresh=6":          func(d *directives) { d.maxStale, d.minFresh = 5, 6 },
		"only-if-cached":                    func(d *directives) { d.onlyIfCached = true },
		"s-maxage=7, proxy-revalidate":      func(d *directives) { d.sMaxAge, d.proxyRevalidate = 7, true },
		"stale-while-revalidate=1":          func(d *directives) { d.staleWhileRevalidate = 1 },
		"stale-if-error=2, must-revalidate": func(d *directives) { d.staleIfError, d.mustRevalidate = 2, true },
		`max-age=60, x="no end`:             func(d *directives) { d.maxAge, d.broken = 60, true },
		"no-store =1":                       func(d *directives) { d.broken = true },
		`"no-store", max-age=3`:             func(d *directives) { d.maxAge = 3 },
		`max-age="6" 0`:                     func(d *directives) { d.maxAge = 0 },
		"unknown=1;max-age=5, s-maxage=2":   func(d *directives) { d.sMaxAge = 2 },
	}
	for field, want := range cases {
		w := noDirectives()
		want(&w)
		assert.Equal(t, w, parseCacheControl([]string{field}), field)
	}
	d := parseCacheControl([]string{"max-age=1", "no-store"})
	assert.True(t, d.noStore && d.maxAge == 1)
}

func TestParseTargeted(t *testing.T) {
	d, ok := parseTargeted([]string{"max-age=60, stale-while-revalidate=5;x, must-revalidate"})
	require.True(t, ok)
	assert.Equal(t, []any{seconds(60), seconds(5), true}, []any{d.maxAge, d.staleWhileRevalidate, d.mustRevalidate})
	d, ok = parseTargeted([]string{"max-age=1", "no-store, max-age=2"})
	assert.True(t, ok && d.noStore && d.maxAge == 2, "the last member of a name counts in a Dictionary")
	d, ok = parseTargeted([]string{"no-store=?0, max-age=-5"})
	assert.True(t, ok && !d.noStore && d.maxAge == 0)
	for _, field := range []string{"", "&&&", `max-age="60"`, "max-age=1.5", "max-age", "no-store=1", "max-age=(1 2)", "MAX-AGE=1", "max-age=60,,x"} {
		_, ok := parseTargeted([]string{field})
		assert.False(t, ok, field)
	}
	_, ok = parseTargeted([]string{"x=(1 2), max-age=3"})
	assert.True(t, ok, "an unknown member of any type is ignored")

	h := http.Header{"Cdn-Cache-Control": {"max-age=5"}, "Cache-Control": {"no-store"}, "Other": {"max-age=9"}}
	d, targeted := responseDirectives(h, []string{"Missing", "Cdn-Cache-Control", "Other"})
	assert.True(t, targeted && d.maxAge == 5 && !d.noStore)
	_, targeted = responseDirectives(h, nil)
	assert.False(t, targeted)
}

func TestParseDate(t *testing.T) {
	want := time.Date(2050, 8, 18, 2, 1, 18, 0, time.UTC)
	for _, s := range []string{"Thu, 18 Aug 2050 02:01:18 GMT", "tHU, 18 aUG 2050 02:01:18 gmt", "Thursday, 18-Aug-50 02:01:18 GMT",
		"Thu Aug 18 02:01:18 2050", "Mon, 18 Aug 2050 02:01:18 GMT"} {
		got, ok := parseDate(s)
		assert.True(t, ok && got.Equal(want), s)
	}
	for _, s := range []string{"", "0", "-1", "Thu, 18 Aug 2050 2:01:18 GMT", "Thu, 18  Aug 2050 02:01:18 GMT", "Thu, 18 Aug 2050 02:01:18 UTC",
		"Thu, 18 Aug 2050 02:01:18 +0100", "Thu, 18 Aug 50 02:01:18 GMT", "18 Aug 2050 02:01:18 GMT", "Thu, 31 Feb 2050 02:01:18 GMT"} {
		_, ok := parseDate(s)
		assert.False(t, ok, s)
	}
	old, ok := parseDate("Friday, 01-Jan-99 00:00:00 GMT")
	assert.True(t, ok && old.Year() == 1999)
}

func TestParseAge(t *testing.T) {
	for field, want := range map[string]time.Duration{"7": 7 * time.Second, "7, 0": 7 * time.Second, "-7": 0, "7.0": 0, "x": 0, "": 0,
		"99999999999": maxSeconds.duration()} {
		assert.Equal(t, want, parseAge([]string{field}), field)
	}
	assert.Equal(t, time.Second, parseAge([]string{"1", "9"}))
	assert.Zero(t, parseAge(nil))
}

func TestVaryNames(t *testing.T) {
	names := func(lines ...string) []string {
		list, ok := varyOf(http.Header{"Vary": lines})
		if !ok {
			return []string{"*"}
		}
		return list
	}
	assert.Equal(t, []string{"Accept", "Foo"}, names("foo, ACCEPT ", "Foo"))
	for _, star := range []string{"*", "foo, *", "*, *", ", *", "foo bar", "foo:"} {
		assert.Equal(t, []string{"*"}, names(star), star)
	}
	assert.Empty(t, names(""))
	list, ok := varyOf(http.Header{"Content-Encoding": {"gzip"}})
	assert.True(t, ok)
	assert.Equal(t, []string{"Accept-Encoding"}, list)
}

func TestVariantsOfEquivalentRequests(t *testing.T) {
	same := func(name string, values ...[]string) {
		t.Helper()
		first := variantOf([]string{name}, http.Header{name: values[0]})
		for _, v := range values[1:] {
			assert.Equal(t, first, variantOf([]string{name}, http.Header{name: v}), v)
		}
	}
	same("Foo", []string{"1, 2"}, []string{"1", "2"}, []string{" 1,2 "})
	same("Accept-Language", []string{"en, de"}, []string{"de,EN"}, []string{"de;q=1.0", "en"})
	same("Accept-Encoding", []string{"gzip, br;q=0.5"}, []string{"br; q=0.50, gzip"}, []string{"gzip, br;q=0.5, deflate;q=0"})
	different := map[string]bool{}
	for _, h := range []http.Header{{}, {"Foo": {""}}, {"Foo": {"1"}}, {"Foo": {"1,2"}}, {"Foo": {"12"}}, {"Foo": {"a"}}, {"Foo": {"A"}}} {
		v := variantOf([]string{"Foo"}, h)
		assert.False(t, different[v], "%v", h)
		different[v] = true
	}
	assert.NotEqual(t, variantOf([]string{"A", "B"}, http.Header{"A": {"1"}}), variantOf([]string{"A", "B"}, http.Header{"B": {"1"}}))
	assert.NotEqual(t, variantOf([]string{"Accept-Encoding"}, http.Header{"Accept-Encoding": {"*;q=0"}}),
		variantOf([]string{"Accept-Encoding"}, http.Header{"Accept-Encoding": {""}}))
}

func TestRanges(t *testing.T) {
	for field, want := range map[string]byteRange{"bytes=0-0": {0, 1}, "BYTES=1-": {1, 10}, "bytes=-4": {6, 10}, "bytes=-40": {0, 10},
		"bytes=-0": {10, 10}, "bytes=99-": {10, 10}, "bytes=10-11": {10, 10}, "bytes=4-4": {4, 5}, "bytes=0-99999999999999999999": {0, 10}} {
		got, ok := parseRange(field, 10)
		assert.True(t, ok, field)
		assert.Equal(t, want, got, field)
	}
	for _, field := range []string{"", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=2-1", "bytes=1-2,3-4", "items=0-1", "bytes=+1-2", "bytes=1-+2"} {
		_, ok := parseRange(field, 10)
		assert.False(t, ok, field)
	}
}

func TestEntityTags(t *testing.T) {
	strong, weak := parseTag(`"a"`), parseTag(`W/"a"`)
	assert.True(t, sameStrong(strong, strong))
	assert.False(t, sameStrong(strong, weak) || sameStrong(weak, weak))
	assert.True(t, sameWeak(strong, weak))
	assert.False(t, sameWeak(strong, parseTag(`"A"`)) || sameWeak(parseTag(""), parseTag("")))
	assert.Len(t, tagList([]string{`"a,b", W/"c"`, `"d"`}), 3)
}

func TestCodecKeepsAResponse(t *testing.T) {
	r := newResponse(203, http.Header{"Content-Type": {"text/plain"}, "X-A": {"1", "2"}, "X-Empty": {""}, "X-Break": {"a\r\nb: c"}},
		http.Header{"X-Sum": {"9"}}, []byte("line\n\nbody \xff"), time.UnixMilli(1000), time.UnixMilli(2000))
	r.vary, r.variant = []string{"Accept", "Foo"}, "abc"
	data, err := codec{}.Encode([]byte("before"), r)
	require.NoError(t, err)
	var got *response
	require.NoError(t, codec{}.Decode(data[len("before"):], &got))
	r.header["X-Break"] = []string{"a  b: c"}
	assert.Equal(t, r, got)

	marker := &response{status: 200, marker: true, vary: []string{"Foo"}, requested: time.UnixMilli(1), received: time.UnixMilli(1),
		header: http.Header{}, trailer: http.Header{}, body: []byte{}}
	data, err = codec{}.Encode(nil, &marker)
	require.NoError(t, err)
	require.NoError(t, codec{}.Decode(data, &got))
	assert.Equal(t, marker, got)

	_, err = codec{}.Encode(nil, "text")
	assert.Error(t, err)
	assert.Error(t, codec{}.Decode(data, new(string)))
	for _, bad := range []string{"", "h1", "h2 5k 0 0  \n\n\n", "h1 x 0 0  \n\n\n", "h1 1 0 0  \n\n\n", "h1 5k 0 0  \n", "h1 5k 0 0  \n\n", "h1 5k 0 0  \nno colon\n\n\n"} {
		assert.ErrorIs(t, codec{}.Decode([]byte(bad), &got), errFormat, "%q", bad)
	}
}

func TestWildcards(t *testing.T) {
	for pattern, want := range map[string][]string{"GET /a/{id}": {"id"}, "/a/{x}/b/{rest...}": {"x", "rest..."}, "example.com/{$}": nil, "POST  /x": nil} {
		names, closed := wildcards(pattern)
		assert.True(t, closed, pattern)
		assert.Equal(t, want, names, pattern)
	}
	for _, pattern := range []string{"", "/", "GET /files/", "/files/*", "/a/{id:[0-9]+}", "/a/{id:[0-9]{3}}"} {
		_, closed := wildcards(pattern)
		assert.False(t, closed, pattern)
	}
}

func TestConfigSaysWhichFieldIsWrong(t *testing.T) {
	for field, cfg := range map[string]Config{
		"TTL": {TTL: -1}, "Prefix": {TTL: 1}, "StaleWhileRevalidate": {TTL: 1, Prefix: "x", StaleIfError: -1},
		"Tags": {Tags: []string{"a{b"}}, "Advanced.MaxBody": {Advanced: Advanced{MaxBody: -1}}, "Public": {Public: true},
	} {
		assert.ErrorContains(t, cfg.check(), field)
	}
	assert.Equal(t, "a~3Ab-c~2F~7E", Config{Prefix: "a:b-c/~"}.Name())
	assert.PanicsWithValue(t, "handler: Config.Prefix is empty: a Config with a TTL needs one", func() {
		presetFor(new(strategies.Store), Config{TTL: 1}, true)
	})
}

func TestLearnedListsGrow(t *testing.T) {
	v := varyLists{known: []string{"A"}}
	assert.Equal(t, []string{"A"}, v.of("k"))
	assert.Equal(t, []string{"A", "C"}, v.learn("k", []string{"C"}))
	assert.Equal(t, []string{"A", "B", "C"}, v.learn("k", []string{"B"}))
	assert.Equal(t, []string{"A", "B", "C"}, v.of("k"))
	assert.Equal(t, []string{"A"}, v.of("another"))
	many := make([]string, maxVary)
	for i := range many {
		many[i] = string(rune('a' + i))
	}
	assert.Equal(t, many, v.learn("k", many), "too many together: the last word counts")
	for i := range 2 * maxLists {
		v.learn(strconv.Itoa(i), many[:1])
	}
	assert.LessOrEqual(t, len(v.keys), maxLists)
}
