package httpcache_test

import "strings"

func validating() []testCase {
	return []testCase{
		{"validation", "4.3.1/etag 4.3.4/update 3.2/update 3.2/except 4/fresh", []step{
			{origin: "200\nCache-Control: max-age=60\nAge: 61\nEtag: \"1\"\nLast-Modified: Mon, 01 Jan 2024 00:00:00 GMT\nX-A: 1\nX-B: 1\n\none", from: "origin"},
			{origin: "304\nCache-Control: max-age=600\nEtag: \"1\"\nX-A: 2\nContent-Length: 99\nContent-Encoding: br\nContent-Range: bytes 0-1/2\nKeep-Alive: timeout=5", from: "both",
				saw:  "If-None-Match: \"1\"\nIf-Modified-Since: Mon, 01 Jan 2024 00:00:00 GMT",
				want: "200\nX-A: 2\nX-B: 1\nContent-Length: 3\n-Content-Encoding\n-Content-Range\n-Keep-Alive\n\none"},
			{from: "store", want: "200\nX-A: 2\nX-B: 1\nCache-Control: max-age=600\n\none"}}},
		{"validation of a variant", "4.3.1/selecting", []step{
			{ask: "GET /x\nFoo: a", origin: "200\nCache-Control: max-age=60\nAge: 61\nVary: Foo\nEtag: \"1\"\n\none", from: "origin"},
			{ask: "GET /x\nFoo: a", origin: "304\nEtag: \"1\"", from: "both", saw: "Foo: a\nIf-None-Match: \"1\"", want: "200\n\none"}}},
		{"a full answer to a validation", "4.3.3/full", []step{{origin: stale, from: "origin"}, {origin: two, from: "origin", saw: "If-None-Match: \"1\""}, {from: "store", want: "200\n\ntwo"}}},
		{"a 304 for something else", "4.3.4/strong", []step{{origin: stale, from: "origin"}, {origin: "304\nEtag: \"9\"", saw: "-If-None-Match"}}},
		{"conditions for the origin", "4.3.2/origin-only", []step{{origin: fresh, from: "origin"},
			{ask: "GET /x\nIf-Match: \"0\"", origin: "412\n\nno", from: "origin", saw: "If-Match: \"0\""},
			{ask: "GET /x\nIf-Unmodified-Since: Mon, 01 Jan 2024 00:00:00 GMT", origin: "412\n\nno", from: "origin"}, again("store")}},
		{"If-None-Match", "4.3.2/none-match", []step{
			{origin: "200\nCache-Control: max-age=600\nEtag: W/\"1\"\nLast-Modified: Mon, 01 Jan 2024 00:00:00 GMT\n\none", from: "origin"},
			{ask: "GET /x\nIf-None-Match: \"0\", \"1\"\nIf-Modified-Since: Sun, 01 Jan 2023 00:00:00 GMT", from: "store", want: "304\nEtag: W/\"1\""},
			{ask: "GET /x\nIf-None-Match: \"2\"\nIf-Modified-Since: Tue, 01 Jan 2030 00:00:00 GMT", from: "store", want: "200\n\none"},
			{ask: "GET /x\nIf-Modified-Since: Mon, 01 Jan 2024 00:00:00 GMT", from: "store", want: "304"},
			{ask: "GET /x\nIf-Modified-Since: Sun, 31 Dec 2023 23:59:59 GMT", from: "store", want: "200\n\none"}}},
		{"a client's condition on a miss", "4.3.2/none-match", []step{
			{ask: "GET /x\nIf-None-Match: \"1\"", origin: fresh, saw: "-If-None-Match", want: "304\nEtag: \"1\""}, again("store")}},
		{"HEAD confirms", "4.3.5/head", []step{
			{origin: "200\nCache-Control: max-age=60\nAge: 61\nEtag: \"1\"\nX-A: 1\nX-B: 1\n\none", from: "origin"},
			{ask: "HEAD /x", origin: "200\nCache-Control: max-age=600\nEtag: \"1\"\nX-A: 2\n\n", from: "both", want: "200\nX-A: 2\nX-B: 1"},
			{from: "store", want: "200\nX-A: 2\nX-B: 1\n\none"}}},
		{"HEAD of another version", "4.3.5/head", []step{
			{origin: stale, from: "origin"}, {ask: "HEAD /x", origin: "200\nCache-Control: max-age=600\nEtag: \"2\"\n\n"}, again("origin")}},
	}
}

func invalidating() []testCase {
	unsafe := func(name, covers, request, answer, from string) testCase {
		return testCase{name, covers, []step{{origin: fresh, from: "origin"}, {ask: request, origin: answer, from: "origin"}, again(from)}}
	}
	return []testCase{
		unsafe("POST", "4.4/target 4/write-through", "POST /x", "200\n\nok", "origin"),
		unsafe("PUT with 204", "4.4/target", "PUT /x", "204", "origin"),
		unsafe("DELETE with 303", "4.4/target", "DELETE /x", "303\nLocation: /\n\nsee", "origin"),
		unsafe("an unknown method", "4.4/unknown", "FROBNICATE /x", "200\n\nok", "origin"),
		unsafe("a failed POST", "4.4/target", "POST /x", "400\n\nno", "store"),
		unsafe("OPTIONS is safe", "4.4/target", "OPTIONS /x", "200\n\nok", "store"),
		unsafe("a Location of another origin", "4.4/origin", "POST /y", "201\nLocation: http://other.example/x\n\nok", "store"),
		unsafe("a Content-Location without origin", "4.4/target", "POST /y", "200\nContent-Location: x\n\nok", "origin"),
		{"all variants", "4.4/target 4/vary", []step{
			{ask: "GET /x\nFoo: a", origin: "200\nCache-Control: max-age=600\nVary: Foo\n\na", from: "origin"},
			{ask: "GET /x\nFoo: b", origin: "200\nCache-Control: max-age=600\nVary: Foo\n\nb", from: "origin"},
			{ask: "POST /x", origin: "200\n\nok", from: "origin"},
			{ask: "GET /x\nFoo: a", origin: two, from: "origin"}, {ask: "GET /x\nFoo: b", origin: two, from: "origin"}}},
		{"a POST that represents its URL", "9110/post", []step{
			{origin: fresh, from: "origin"}, {ask: "POST /x", origin: "200\nCache-Control: max-age=600\nContent-Location: x\n\nposted", from: "origin"},
			{from: "store", want: "200\n\nposted"}}},
	}
}

func directing() []testCase {
	return []testCase{
		twice("case and order do not count", "5.2/obey", "200\nCache-Control: PUBLIC ,MAX-AGE=600\nCache-Control: NO-Store\n\none", "origin"),
		twice("unknown directives", "5.2.3/unknown", "200\nCache-Control: foo, bar=\"max-age=0, no-store\", max-age=600, private-ish\n\none", "store"),
		twice("a negative lifetime", "5.2/obey", "200\nCache-Control: max-age=-600\n\none", "origin"),
		twice("a huge lifetime", "5.2/obey", "200\nCache-Control: max-age=99999999999999999999\n\none", "store"),
		twice("no-cache", "4/no-cache 5.2.2.4/no-cache", "200\nCache-Control: max-age=600, no-cache\n\none", "origin"),
		{"no-cache is validated", "4/no-cache 5.2.2.4/no-cache", []step{
			{origin: "200\nCache-Control: max-age=600, no-cache\nEtag: \"1\"\n\none", from: "origin"},
			{origin: "304\nEtag: \"1\"", from: "both", saw: "If-None-Match: \"1\"", want: "200\n\none"},
			{origin: "304\nEtag: \"1\"", from: "both", want: "200\n\none"}}},
		{"no-cache with fields", "5.2.2.4/fields", []step{
			{origin: "200\nCache-Control: max-age=600, no-cache=\"x-a, x-b\"\nX-A: 1\nX-B: 1\nX-C: 1\n\none", from: "origin", want: "200\nX-A: 1\nX-C: 1"},
			{from: "store", want: "200\n-X-A\n-X-B\nX-C: 1\n\none"}}},
		{"private with fields", "5.2.2.7/fields", []step{
			{origin: "200\nCache-Control: max-age=600, private=x-a\nX-A: 1\n\none", from: "origin", want: "200\nX-A: 1"}, {from: "store", want: "200\n-X-A\n\none"}}},
		{"must-revalidate and the origin is away", "5.2.2.2/disconnected 4.2.4/prohibited", []step{
			{origin: "200\nCache-Control: max-age=60, must-revalidate, stale-if-error=600\nAge: 61\nEtag: \"1\"\n\none", from: "origin"},
			{origin: "cut", want: "502"}}},
		{"must-revalidate while fresh", "5.2.2.2/must-revalidate", []step{{origin: "200\nCache-Control: max-age=600, must-revalidate\n\none", from: "origin"}, again("store")}},
		{"proxy-revalidate and the origin is away", "5.2.2.8/proxy-revalidate", []step{
			{origin: "200\nCache-Control: max-age=60, proxy-revalidate\nAge: 61\nEtag: \"1\"\n\none", from: "origin"}, {origin: "cut", want: "502"}}},
		{"s-maxage and the origin is away", "5.2.2.10/revalidate", []step{
			{origin: "200\nCache-Control: s-maxage=60\nAge: 61\nEtag: \"1\"\n\none", from: "origin"}, {origin: "cut", want: "502"}}},
		twice("s-maxage over max-age=0", "5.2.2.10/overrides 5.3/ignored", "200\nCache-Control: max-age=0, s-maxage=600\nExpires: 0\n\none", "store"),
		twice("s-maxage=0 over max-age", "5.2.2.10/overrides", "200\nCache-Control: max-age=600, s-maxage=0\n\none", "origin"),
		twice("max-age over Expires", "5.3/ignored", "200\nCache-Control: max-age=600\nExpires: Mon, 01 Jan 2024 00:00:00 GMT\n\none", "store"),
		twice("max-age=0 over Expires", "5.3/ignored", "200\nCache-Control: max-age=0\nExpires: Fri, 01 Jan 2100 00:00:00 GMT\n\none", "origin"),
		twice("Expires", "4/fresh", "200\nExpires: Fri, 01 Jan 2100 00:00:00 GMT\n\none", "store"),
		twice("Expires: 0", "5.3/invalid", "200\nExpires: 0\nLast-Modified: Mon, 01 Jan 2024 00:00:00 GMT\n\none", "origin"),
		twice("Expires in another zone", "5.3/invalid", "200\nExpires: Fri, 01 Jan 2100 00:00:00 CET\n\none", "origin"),
		{"no-transform", "5.2.2.6/no-transform", []step{
			{origin: "200\nCache-Control: max-age=600, no-transform\nContent-Type: text/x\n\n one ", from: "origin"}, {from: "store", want: "200\nContent-Type: text/x\n\n one "}}},
		{"only-if-cached and stale", "4.2.4/permitted", []step{{origin: stale, from: "origin"},
			{ask: "GET /x\nCache-Control: only-if-cached", from: "store", want: "504"},
			{ask: "GET /x\nCache-Control: only-if-cached, max-stale", from: "store", want: "200\n\none"}}},
		{"request no-cache", "4/fresh", []step{{origin: fresh, from: "origin"}, {ask: "GET /x\nCache-Control: no-cache", origin: "304\nEtag: \"1\"", from: "both", saw: "If-None-Match: \"1\""}}},
		{"request max-age", "4/fresh", []step{{origin: "200\nCache-Control: max-age=600\nAge: 50\n\none", from: "origin"},
			{ask: "GET /x\nCache-Control: max-age=60", from: "store"}, {ask: "GET /x\nCache-Control: max-age=40", origin: two, from: "origin"}}},
		{"request min-fresh", "4/fresh", []step{{origin: "200\nCache-Control: max-age=600\nAge: 500\n\none", from: "origin"},
			{ask: "GET /x\nCache-Control: min-fresh=50", from: "store"}, {ask: "GET /x\nCache-Control: min-fresh=150", origin: two, from: "origin"}}},
		{"only-if-cached", "4/fresh", []step{{ask: "GET /x\nCache-Control: only-if-cached", from: "store", want: "504"}, {origin: fresh, from: "origin"},
			{ask: "GET /x\nCache-Control: only-if-cached", from: "store", want: "200\n\none"}}},
	}
}

func beyond() []testCase {
	return []testCase{
		{"stale-while-revalidate", "5861/3", []step{
			{origin: "200\nCache-Control: max-age=60, stale-while-revalidate=600\nAge: 61\n\none", from: "origin"},
			{origin: two, want: "200\nX-Cache: STALE\n\none"}}},
		{"past stale-while-revalidate", "5861/3", []step{
			{origin: "200\nCache-Control: max-age=60, stale-while-revalidate=5\nAge: 66\n\none", from: "origin"}, again("origin")}},
		{"stale-if-error", "5861/4", []step{
			{origin: "200\nCache-Control: max-age=60, stale-if-error=600\nAge: 61\n\none", from: "origin"},
			{origin: "503\n\nno", from: "both", want: "200\nX-Cache: STALE\n\none"}, {origin: "500\n\nno", from: "both", want: "200\n\none"},
			{origin: "404\n\ngone", from: "origin", want: "404"}}},
		{"past stale-if-error", "5861/4", []step{
			{origin: "200\nCache-Control: max-age=60, stale-if-error=5\nAge: 66\n\none", from: "origin"}, {origin: "503\n\nno", from: "origin", want: "503"}}},
		{"a client's stale-if-error", "5861/4", []step{{origin: stale, from: "origin"},
			{ask: "GET /x\nCache-Control: stale-if-error=60", origin: "503\n\nno", from: "both", want: "200\n\none"}, {origin: "503\n\nno", from: "origin"}}},
		{"immutable", "8246/2", []step{
			{origin: "200\nCache-Control: max-age=600, immutable\nAge: 50\n\none", from: "origin"}, {ask: "GET /x\nCache-Control: max-age=0", from: "store"},
			{ask: "GET /x\nCache-Control: no-cache", origin: two, from: "origin"}}},
		{"a range", "9110/range 3.3/mark", []step{
			{origin: "200\nCache-Control: max-age=600\nEtag: \"1\"\n\n0123456789", from: "origin"},
			{ask: "GET /x\nRange: bytes=2-4", from: "store", want: "206\nContent-Range: bytes 2-4/10\nContent-Length: 3\n\n234"},
			{ask: "GET /x\nRange: bytes=-2\nIf-Range: \"1\"", from: "store", want: "206\n\n89"},
			{ask: "GET /x\nRange: bytes=2-4\nIf-Range: \"2\"", from: "store", want: "200\n\n0123456789"},
			{ask: "GET /x\nRange: bytes=20-", from: "store", want: "416\nContent-Range: bytes */10"}}},
		twice("CDN-Cache-Control over no-store", "9213/2.1", "200\nCache-Control: no-store\nCDN-Cache-Control: max-age=600\n\none", "store"),
		twice("CDN-Cache-Control: no-store", "9213/2.1", "200\nCache-Control: max-age=600\nCDN-Cache-Control: no-store\n\none", "origin"),
		twice("CDN-Cache-Control without lifetime over Expires", "9213/2.1", "200\nExpires: Fri, 01 Jan 2100 00:00:00 GMT\nCDN-Cache-Control: must-revalidate\n\none", "origin"),
		twice("a broken CDN-Cache-Control", "9213/2.2", "200\nCache-Control: max-age=600\nCDN-Cache-Control: no-store, &&\n\none", "store"),
	}
}

// part is an answer to a range of 0123456789.
func part(positions, body string, fields ...string) string {
	return "206\nCache-Control: max-age=600\nContent-Range: bytes " + positions + "/10\n" + strings.Join(append(fields, "\n"), "\n") + body
}

func inParts() []testCase {
	ask := func(bytes string, fields ...string) string {
		return strings.Join(append([]string{"GET /x\nRange: bytes=" + bytes}, fields...), "\n")
	}
	tag := `Etag: "1"`
	return []testCase{
		{"a stored part", "3/status 3.3/within 3.3/mark 9110/range", []step{
			{ask: ask("2-6"), origin: part("2-6", "23456", tag), from: "origin", saw: "Range: bytes=2-6", want: "206\nContent-Range: bytes 2-6/10\n\n23456"},
			{ask: ask("2-6"), from: "store", want: "206\nContent-Range: bytes 2-6/10\nContent-Length: 5\n\n23456"},
			{ask: ask("3-4"), from: "store", want: "206\nContent-Range: bytes 3-4/10\nContent-Length: 2\n\n34"},
			{ask: ask("3-4", `If-None-Match: "1"`), from: "store", want: "304\n-Content-Range"},
			{ask: ask("3-4", `If-Range: "1"`), from: "store", want: "206\n\n34"},
			{ask: ask("3-4", `If-Range: "2"`), origin: two, from: "origin", saw: `If-Range: "2"`, want: "200\n\ntwo"}}},
		{"what a stored part lacks", "3.3/within", []step{
			{ask: ask("2-6"), origin: part("2-6", "23456", tag), from: "origin"},
			{ask: ask("6-7"), origin: part("6-7", "67"), from: "origin", saw: "Range: bytes=6-7\n-If-Range", want: "206\nContent-Range: bytes 6-7/10\n\n67"},
			{ask: ask("-1"), origin: part("9-9", "9"), from: "origin"}, {ask: ask("6-"), origin: part("6-9", "6789"), from: "origin"},
			{ask: ask("20-"), origin: "416\nContent-Range: bytes */10\n\n", from: "origin", want: "416"},
			{ask: ask("2-3,5-6"), origin: "206\nContent-Type: multipart/byteranges; boundary=x\n\n--x", from: "origin"},
			{ask: ask("2-6"), from: "store"}, {ask: "HEAD /x", origin: "200\n\n", from: "origin"}, {ask: "HEAD /x\nRange: bytes=2-3", origin: "200\n\n", from: "origin"},
			{origin: fresh, from: "origin", saw: "-Range\n-If-None-Match"}, {ask: ask("0-1"), from: "store", want: "206\n\non"}}},
		{"the end of a thing", "3.3/within", []step{
			{ask: ask("-4"), origin: part("6-9", "6789"), from: "origin"}, {ask: ask("8-"), from: "store", want: "206\nContent-Range: bytes 8-9/10\n\n89"},
			{ask: ask("-1"), from: "store", want: "206\nContent-Range: bytes 9-9/10\n\n9"}, {ask: ask("-5"), origin: part("5-9", "56789"), from: "origin"},
			{ask: ask("5-5"), from: "store", want: "206\n\n5"}}},
		{"parts of one whole", "3.4/combine 3.4/fields", []step{
			{ask: ask("2-6"), origin: part("2-6", "23456", tag, "X-A: 1", "X-B: 1"), from: "origin"},
			{ask: ask("7-9"), origin: part("7-9", "789", tag, "X-A: 2"), from: "origin", want: "206\nContent-Range: bytes 7-9/10\n\n789"},
			{ask: ask("5-8"), from: "store", want: "206\nX-A: 2\nX-B: 1\nContent-Range: bytes 5-8/10\n\n5678"},
			{ask: ask("0-3"), origin: part("0-3", "0123", tag), from: "origin", want: "206\nContent-Range: bytes 0-3/10\n\n0123"},
			{from: "store", want: "200\nContent-Length: 10\n-Content-Range\n\n0123456789"}}},
		{"parts of different wholes", "3.4/combine", []step{
			{ask: ask("2-6"), origin: part("2-6", "23456", tag), from: "origin"}, {ask: ask("7-9"), origin: part("7-9", "XYZ", `Etag: "2"`), from: "origin"},
			{ask: ask("5-8"), origin: part("5-8", "TUVW", `Etag: W/"1"`), from: "origin"}, {ask: ask("2-6"), from: "store", want: "206\n\n23456"}}},
		{"a whole asked for as a range", "3.4/combine", []step{
			{ask: ask("0-"), origin: part("0-9", "0123456789"), from: "origin", want: "206\nContent-Range: bytes 0-9/10\n\n0123456789"},
			{from: "store", want: "200\n-Content-Range\n\n0123456789"}}},
		{"a stale part", "4/fresh", []step{
			{ask: ask("2-6"), origin: part("2-6", "23456", tag, "Age: 601"), from: "origin"}, {ask: ask("2-6"), origin: part("2-6", "23456", tag), from: "origin", saw: "-If-None-Match\nRange: bytes=2-6"},
			{ask: ask("2-6"), from: "store"}}},
		{"a part beside a whole", "3.4/combine", []step{{origin: stale, from: "origin"},
			{ask: ask("0-1"), origin: "206\nCache-Control: max-age=600\nContent-Range: bytes 0-1/3\n\non", from: "origin"},
			{origin: "304\nCache-Control: max-age=600\nEtag: \"1\"", from: "both", want: "200\n\none"}}},
	}
}
