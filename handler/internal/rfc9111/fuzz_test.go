package rfc9111

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func FuzzCacheControl(f *testing.F) {
	for _, s := range []string{"max-age=60", `no-cache="a, b", private`, `x="a\"b`, "max-age=1.5, s-maxage", ",,=", "no-store"} {
		f.Add(s, 200)
	}
	f.Fuzz(func(t *testing.T, field string, status int) {
		d := ParseCacheControl([]string{field})
		for _, n := range []Seconds{d.MaxAge, d.SMaxAge, d.MinFresh, d.MaxStale, d.StaleIfError, d.StaleWhileRevalidate} {
			if n < Unset || n > MaxSeconds {
				t.Fatalf("%q gives %d s", field, n)
			}
		}
		h := http.Header{"Cache-Control": {field}}
		why := Sharing{}.Refuses(http.Header{}, status, h, time.Unix(1e9, 0))
		plain := strings.ToLower(field)
		if why == "" && !strings.Contains(plain, "max-age") && !strings.Contains(plain, "s-maxage") {
			t.Fatalf("%q is stored without a lifetime", field)
		}
		if why == "" && (d.Broken || d.Private || d.NoStore && !d.MustUnderstand) {
			t.Fatalf("%q is stored", field)
		}
	})
}

func FuzzTargeted(f *testing.F) {
	for _, s := range []string{"max-age=60", "no-store, max-age=1;a", "max-age=(1 2)", "max-age=?1", `private="a"`, "&&"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, field string) {
		d, ok := parseTargeted([]string{field})
		if ok && (d.MaxAge < Unset || d.MaxAge > MaxSeconds) {
			t.Fatalf("%q gives %d s", field, d.MaxAge)
		}
	})
}

func FuzzFreshness(f *testing.F) {
	f.Add("60", "Fri, 01 Jan 2100 00:00:00 GMT", "Mon, 01 Jan 2024 00:00:00 GMT", "max-age=5", int64(1e9))
	f.Add("-1", "0", "", "", int64(0))
	f.Fuzz(func(t *testing.T, age, expires, date, control string, at int64) {
		now := time.Unix(at%(1<<33), 0)
		h := http.Header{"Age": {age}, "Expires": {expires}, "Date": {date}, "Cache-Control": {control}}
		v := Assess(Stored{Status: 200, Header: h, Requested: now, Received: now}, nil, now)
		if v.Age < 0 || v.Lifetime < 0 {
			t.Fatalf("age %s, lifetime %s", v.Age, v.Lifetime)
		}
		if _, ok := ParseDate(expires); v.Explicit && !ok && v.MaxAge == Unset && v.SMaxAge == Unset && v.Lifetime > 0 {
			t.Fatalf("fresh by Expires %q", expires)
		}
	})
}

func FuzzVary(f *testing.F) {
	f.Add("Accept, foo", "a, b", "b,a")
	f.Add("*", "", "\x00")
	f.Fuzz(func(t *testing.T, vary, a, b string) {
		names, ok := VaryOf(http.Header{"Vary": {vary}})
		if ok && strings.Contains(vary, "*") && strings.Contains(","+strings.ReplaceAll(vary, " ", "")+",", ",*,") {
			t.Fatalf("%q matches something", vary)
		}
		for _, name := range names {
			one := VariantOf([]string{name}, http.Header{name: {a}})
			two := VariantOf([]string{name}, http.Header{name: {b}})
			if (one == two) != (normalize(name, []string{a}) == normalize(name, []string{b})) {
				t.Fatalf("%s: %q and %q", name, a, b)
			}
		}
	})
}

func FuzzRange(f *testing.F) {
	for _, s := range []string{"bytes=0-1", "bytes=-5", "bytes=5-", "bytes=9-1", "bytes=99999999999999999999-"} {
		f.Add(s, 10)
	}
	f.Fuzz(func(t *testing.T, field string, size int) {
		if size < 0 {
			size = -(size + 1)
		}
		if r, ok := ParseRange(field, size); ok && (r.Start < 0 || r.End > size || r.Start > r.End) {
			t.Fatalf("%q of %d: %v", field, size, r)
		}
	})
}
