package rfc9111

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseCacheControl(t *testing.T) {
	cases := map[string]func(d *Directives){
		"":                                  func(*Directives) {},
		"max-age=60":                        func(d *Directives) { d.MaxAge = 60 },
		"MAX-AGE=60, Public":                func(d *Directives) { d.MaxAge, d.Public = 60, true },
		`max-age="60"`:                      func(d *Directives) { d.MaxAge = 60 },
		"max-age=1, max-age=9":              func(d *Directives) { d.MaxAge = 1 },
		"max-age=-1":                        func(d *Directives) { d.MaxAge = 0 },
		"max-age=1.5":                       func(d *Directives) { d.MaxAge = 0 },
		"max-age=":                          func(d *Directives) { d.MaxAge = 0 },
		"max-age":                           func(d *Directives) { d.MaxAge = 0 },
		"max-age =60":                       func(d *Directives) { d.MaxAge = 0 },
		"max-age= 60":                       func(d *Directives) { d.MaxAge = 0 },
		"max-age=99999999999999999999":      func(d *Directives) { d.MaxAge = MaxSeconds },
		`x="max-age=9", max-age=1`:          func(d *Directives) { d.MaxAge = 1 },
		`x="a\"b, no-store", public`:        func(d *Directives) { d.Public = true },
		",, ,no-cache,":                     func(d *Directives) { d.NoCache = true },
		`no-cache="a, b-c"`:                 func(d *Directives) { d.NoCacheFields = []string{"A", "B-C"} },
		`no-cache="", private=""`:           func(d *Directives) { d.NoCache, d.Private = true, true },
		`private="Set-Cookie"`:              func(d *Directives) { d.PrivateFields = []string{"Set-Cookie"} },
		"private=x-y":                       func(d *Directives) { d.PrivateFields = []string{"X-Y"} },
		"no-store, must-understand":         func(d *Directives) { d.NoStore, d.MustUnderstand = true, true },
		"immutable,no-transform":            func(d *Directives) { d.Immutable, d.NoTransform = true, true },
		"max-stale":                         func(d *Directives) { d.MaxStaleAny = true },
		"max-stale=5, min-fresh=6":          func(d *Directives) { d.MaxStale, d.MinFresh = 5, 6 },
		"only-if-cached":                    func(d *Directives) { d.OnlyIfCached = true },
		"s-maxage=7, proxy-revalidate":      func(d *Directives) { d.SMaxAge, d.ProxyRevalidate = 7, true },
		"stale-while-revalidate=1":          func(d *Directives) { d.StaleWhileRevalidate = 1 },
		"stale-if-error=2, must-revalidate": func(d *Directives) { d.StaleIfError, d.MustRevalidate = 2, true },
		`max-age=60, x="no end`:             func(d *Directives) { d.MaxAge, d.Broken = 60, true },
		"no-store =1":                       func(d *Directives) { d.Broken = true },
		`"no-store", max-age=3`:             func(d *Directives) { d.MaxAge = 3 },
		`max-age="6" 0`:                     func(d *Directives) { d.MaxAge = 0 },
		"unknown=1;max-age=5, s-maxage=2":   func(d *Directives) { d.SMaxAge = 2 },
	}
	for field, want := range cases {
		w := NoDirectives()
		want(&w)
		assert.Equal(t, w, ParseCacheControl([]string{field}), field)
	}
	d := ParseCacheControl([]string{"max-age=1", "no-store"})
	assert.True(t, d.NoStore && d.MaxAge == 1)
}

func TestParseTargeted(t *testing.T) {
	d, ok := parseTargeted([]string{"max-age=60, stale-while-revalidate=5;x, must-revalidate"})
	require.True(t, ok)
	assert.Equal(t, []any{Seconds(60), Seconds(5), true}, []any{d.MaxAge, d.StaleWhileRevalidate, d.MustRevalidate})
	d, ok = parseTargeted([]string{"max-age=1", "no-store, max-age=2"})
	assert.True(t, ok && d.NoStore && d.MaxAge == 2, "the last member of a name counts in a Dictionary")
	d, ok = parseTargeted([]string{"no-store=?0, max-age=-5"})
	assert.True(t, ok && !d.NoStore && d.MaxAge == 0)
	for _, field := range []string{"", "&&&", `max-age="60"`, "max-age=1.5", "max-age", "no-store=1", "max-age=(1 2)", "MAX-AGE=1", "max-age=60,,x"} {
		_, ok := parseTargeted([]string{field})
		assert.False(t, ok, field)
	}
	_, ok = parseTargeted([]string{"x=(1 2), max-age=3"})
	assert.True(t, ok, "an unknown member of any type is ignored")

	h := http.Header{"Cdn-Cache-Control": {"max-age=5"}, "Cache-Control": {"no-store"}, "Other": {"max-age=9"}}
	d, targeted := ResponseDirectives(h, []string{"Missing", "Cdn-Cache-Control", "Other"})
	assert.True(t, targeted && d.MaxAge == 5 && !d.NoStore)
	_, targeted = ResponseDirectives(h, nil)
	assert.False(t, targeted)
}

func TestParseDate(t *testing.T) {
	want := time.Date(2050, 8, 18, 2, 1, 18, 0, time.UTC)
	for _, s := range []string{"Thu, 18 Aug 2050 02:01:18 GMT", "tHU, 18 aUG 2050 02:01:18 gmt", "Thursday, 18-Aug-50 02:01:18 GMT",
		"Thu Aug 18 02:01:18 2050", "Mon, 18 Aug 2050 02:01:18 GMT"} {
		got, ok := ParseDate(s)
		assert.True(t, ok && got.Equal(want), s)
	}
	for _, s := range []string{"", "0", "-1", "Thu, 18 Aug 2050 2:01:18 GMT", "Thu, 18  Aug 2050 02:01:18 GMT", "Thu, 18 Aug 2050 02:01:18 UTC",
		"Thu, 18 Aug 2050 02:01:18 +0100", "Thu, 18 Aug 50 02:01:18 GMT", "18 Aug 2050 02:01:18 GMT", "Thu, 31 Feb 2050 02:01:18 GMT"} {
		_, ok := ParseDate(s)
		assert.False(t, ok, s)
	}
	old, ok := ParseDate("Friday, 01-Jan-99 00:00:00 GMT")
	assert.True(t, ok && old.Year() == 1999)
}

func TestParseAge(t *testing.T) {
	for field, want := range map[string]time.Duration{"7": 7 * time.Second, "7, 0": 7 * time.Second, "-7": 0, "7.0": 0, "x": 0, "": 0,
		"99999999999": MaxSeconds.Duration()} {
		assert.Equal(t, want, parseAge([]string{field}), field)
	}
	assert.Equal(t, time.Second, parseAge([]string{"1", "9"}))
	assert.Zero(t, parseAge(nil))
}

func TestVaryNames(t *testing.T) {
	names := func(lines ...string) []string {
		list, ok := VaryOf(http.Header{"Vary": lines})
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
	list, ok := VaryOf(http.Header{"Content-Encoding": {"gzip"}})
	assert.True(t, ok)
	assert.Equal(t, []string{"Accept-Encoding"}, list)
}

func TestVariantsOfEquivalentRequests(t *testing.T) {
	same := func(name string, values ...[]string) {
		t.Helper()
		first := VariantOf([]string{name}, http.Header{name: values[0]})
		for _, v := range values[1:] {
			assert.Equal(t, first, VariantOf([]string{name}, http.Header{name: v}), v)
		}
	}
	same("Foo", []string{"1, 2"}, []string{"1", "2"}, []string{" 1,2 "})
	same("Accept-Language", []string{"en, de"}, []string{"de,EN"}, []string{"de;q=1.0", "en"})
	same("Accept-Encoding", []string{"gzip, br;q=0.5"}, []string{"br; q=0.50, gzip"}, []string{"gzip, br;q=0.5, deflate;q=0"})
	different := map[string]bool{}
	for _, h := range []http.Header{{}, {"Foo": {""}}, {"Foo": {"1"}}, {"Foo": {"1,2"}}, {"Foo": {"12"}}, {"Foo": {"a"}}, {"Foo": {"A"}}} {
		v := VariantOf([]string{"Foo"}, h)
		assert.False(t, different[v], "%v", h)
		different[v] = true
	}
	assert.NotEqual(t, VariantOf([]string{"A", "B"}, http.Header{"A": {"1"}}), VariantOf([]string{"A", "B"}, http.Header{"B": {"1"}}))
	assert.NotEqual(t, VariantOf([]string{"Accept-Encoding"}, http.Header{"Accept-Encoding": {"*;q=0"}}),
		VariantOf([]string{"Accept-Encoding"}, http.Header{"Accept-Encoding": {""}}))
}

func TestRanges(t *testing.T) {
	for field, want := range map[string]Range{"bytes=0-0": {0, 1}, "BYTES=1-": {1, 10}, "bytes=-4": {6, 10}, "bytes=-40": {0, 10},
		"bytes=-0": {10, 10}, "bytes=99-": {10, 10}, "bytes=10-11": {10, 10}, "bytes=4-4": {4, 5}, "bytes=0-99999999999999999999": {0, 10}} {
		got, ok := ParseRange(field, 10)
		assert.True(t, ok, field)
		assert.Equal(t, want, got, field)
	}
	for _, field := range []string{"", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=2-1", "bytes=1-2,3-4", "items=0-1", "bytes=+1-2", "bytes=1-+2"} {
		_, ok := ParseRange(field, 10)
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
