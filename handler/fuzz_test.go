package handler

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
		d := parseCacheControl([]string{field})
		for _, n := range []seconds{d.maxAge, d.sMaxAge, d.minFresh, d.maxStale, d.staleIfError, d.staleWhileRevalidate} {
			if n < unset || n > maxSeconds {
				t.Fatalf("%q gives %d s", field, n)
			}
		}
		h := http.Header{"Cache-Control": {field}}
		asked := &http.Request{Method: "GET", Header: http.Header{}}
		why := Config{}.withDefaults().storable(asked, status, h, time.Unix(1e9, 0))
		plain := strings.ToLower(field)
		if why == "" && !strings.Contains(plain, "max-age") && !strings.Contains(plain, "s-maxage") {
			t.Fatalf("%q is stored without a lifetime", field)
		}
		if why == "" && (d.broken || d.private || d.noStore && !d.mustUnderstand) {
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
		if ok && (d.maxAge < unset || d.maxAge > maxSeconds) {
			t.Fatalf("%q gives %d s", field, d.maxAge)
		}
	})
}

func FuzzFreshness(f *testing.F) {
	f.Add("60", "Fri, 01 Jan 2100 00:00:00 GMT", "Mon, 01 Jan 2024 00:00:00 GMT", "max-age=5", int64(1e9))
	f.Add("-1", "0", "", "", int64(0))
	f.Fuzz(func(t *testing.T, age, expires, date, control string, at int64) {
		now := time.Unix(at%(1<<33), 0)
		h := http.Header{"Age": {age}, "Expires": {expires}, "Date": {date}, "Cache-Control": {control}}
		r := newResponse(200, h, nil, nil, now, now)
		v := assess(r, nil, now)
		if v.age < 0 || v.lifetime < 0 {
			t.Fatalf("age %s, lifetime %s", v.age, v.lifetime)
		}
		if _, ok := parseDate(expires); v.explicit && !ok && v.maxAge == unset && v.sMaxAge == unset && v.lifetime > 0 {
			t.Fatalf("fresh by Expires %q", expires)
		}
	})
}

func FuzzVary(f *testing.F) {
	f.Add("Accept, foo", "a, b", "b,a")
	f.Add("*", "", "\x00")
	f.Fuzz(func(t *testing.T, vary, a, b string) {
		names, ok := varyOf(http.Header{"Vary": {vary}})
		if ok && strings.Contains(vary, "*") && strings.Contains(","+strings.ReplaceAll(vary, " ", "")+",", ",*,") {
			t.Fatalf("%q matches something", vary)
		}
		for _, name := range names {
			one := variantOf([]string{name}, http.Header{name: {a}})
			two := variantOf([]string{name}, http.Header{name: {b}})
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
		if r, ok := parseRange(field, size); ok && (r.start < 0 || r.end > size || r.start > r.end) {
			t.Fatalf("%q of %d: %v", field, size, r)
		}
	})
}

func FuzzCodec(f *testing.F) {
	data, _ := codec{}.Encode(nil, newResponse(200, http.Header{"A": {"b"}}, nil, []byte("x"), time.UnixMilli(1), time.UnixMilli(2)))
	f.Add(data)
	f.Add([]byte("h1 5k 0 0 * A,B\n\n\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var r *response
		if (codec{}).Decode(data, &r) != nil {
			return
		}
		again, err := codec{}.Encode(nil, r)
		if err != nil {
			t.Fatal(err)
		}
		var s *response
		if err := (codec{}).Decode(again, &s); err != nil {
			t.Fatalf("%q: %v", again, err)
		}
		if string(s.body) != string(r.body) || s.status != r.status {
			t.Fatalf("%q", again)
		}
	})
}
