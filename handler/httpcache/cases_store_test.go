package httpcache_test

// fresh and stale are answers of the origin that are one or the other as soon
// as they are stored; stale has a validator.
const (
	fresh = "200\nCache-Control: max-age=600\nEtag: \"1\"\n\none"
	stale = "200\nCache-Control: max-age=60\nAge: 61\nEtag: \"1\"\n\none"
	two   = "200\nCache-Control: max-age=600\n\ntwo"
)

func allCases() []testCase {
	var all []testCase
	for _, cases := range [][]testCase{storing(), reusing(), validating(), invalidating(), directing(), beyond(), inParts()} {
		all = append(all, cases...)
	}
	return all
}

// again is the second half of most cases: the same request once more.
func again(from string) step {
	return step{from: from, origin: two}
}

// twice asks for an answer two times.
func twice(name, covers, answer, from string) testCase {
	return testCase{name, covers, []step{{origin: answer, from: "origin"}, again(from)}}
}

func storing() []testCase {
	return []testCase{
		twice("fresh is stored", "4/fresh 3/explicit", fresh, "store"),
		{"POST is not stored", "3/method 4/write-through", []step{{ask: "POST /x", origin: fresh, from: "origin"}, again("origin")}},
		{"OPTIONS is not stored", "3/method", []step{{ask: "OPTIONS /x", origin: fresh, from: "origin"}, again("origin")}},
		twice("103 is passed on, 200 stored", "3/final", "103\nCache-Control: max-age=600\n\none", "store"),
		twice("206 for no range is not stored", "3/status", "206\nCache-Control: max-age=600\nContent-Range: bytes 0-2/9\n\none", "origin"),
		twice("must-understand with a known status", "3/status 5.2.2.3/must-understand", "200\nCache-Control: max-age=600, no-store, must-understand\n\none", "store"),
		twice("must-understand with an unknown status", "3/status 5.2.2.3/must-understand", "299\nCache-Control: max-age=600, no-store, must-understand\n\none", "origin"),
		twice("an unknown status with a lifetime", "3/explicit", "299\nCache-Control: max-age=600\n\none", "store"),
		twice("500 with a lifetime", "3/explicit", "500\nCache-Control: max-age=600\n\none", "store"),
		twice("no-store", "3/no-store 5.2.2.5/no-store", "200\nCache-Control: max-age=600, no-store\n\none", "origin"),
		twice("private", "3/private 5.2.2.7/private", "200\nCache-Control: private, max-age=600\n\none", "origin"),
		twice("nothing explicit", "3/explicit", "200\n\none", "origin"),
		twice("201 has no heuristic", "3/explicit 4.2.2/status", "201\nLast-Modified: Mon, 01 Jan 2024 00:00:00 GMT\n\none", "origin"),
		twice("an unparsable Cache-Control", "5.2/obey", "200\nCache-Control: max-age=600, x=\"\n\none", "origin"),
		{"all fields are stored", "3.1/all-fields 5.2/pass", []step{
			{origin: "200\nCache-Control: max-age=600, x-unknown=1\nX-Unknown: a\nX-Two: 1\nX-Two: 2\nContent-Language: de\n\none", from: "origin"},
			{from: "store", want: "200\nCache-Control: max-age=600, x-unknown=1\nX-Unknown: a\nX-Two: 1, 2\nContent-Language: de\n\none"}}},
		{"fields of the connection are not", "3.1/connection 3.1/proxy", []step{
			{origin: "200\nCache-Control: max-age=600\nConnection: X-Hop\nX-Hop: 1\nKeep-Alive: timeout=9\nProxy-Authenticate: Basic\nProxy-Authentication-Info: x\n\none", from: "origin"},
			{from: "store", want: "200\n-X-Hop\n-Keep-Alive\n-Proxy-Authenticate\n-Proxy-Authentication-Info\n\none"}}},
		{"trailers are not header fields", "3.1/trailers", []step{
			{origin: "200\nCache-Control: max-age=600\nTrailer:X-Sum\nTrailer:Http2\nTrailer:X-Other\n\none", from: "origin"},
			{from: "store", want: "200\n-X-Sum\n\none"}}},
		{"a body cut short", "3.3/incomplete", []step{
			{origin: "200\nCache-Control: max-age=600\nContent-Length: 900\n\none", want: "broken"}, again("origin")}},
		{"Authorization alone", "3/authorization 3.5/reuse", []step{
			{ask: "GET /x\nAuthorization: Bearer a", origin: fresh, from: "origin"}, again("origin")}},
		{"Authorization and public", "3.5/reuse", []step{
			{ask: "GET /x\nAuthorization: Bearer a", origin: "200\nCache-Control: public, max-age=600\n\none", from: "origin"}, again("store")}},
		{"Authorization and must-revalidate", "3.5/reuse", []step{
			{ask: "GET /x\nAuthorization: Bearer a", origin: "200\nCache-Control: must-revalidate, max-age=600\n\none", from: "origin"}, again("store")}},
		{"Authorization and s-maxage", "3.5/reuse", []step{
			{ask: "GET /x\nAuthorization: Bearer a", origin: "200\nCache-Control: s-maxage=600\n\none", from: "origin"}, again("store")}},
		{"request with no-store", "5.2.1.5/no-store", []step{
			{ask: "GET /x\nCache-Control: no-store", origin: fresh, from: "origin"}, again("origin")}},
		twice("Set-Cookie", "ours/cookie", "200\nCache-Control: public, max-age=600\nSet-Cookie: a=b\n\none", "origin"),
		{"Set-Cookie that private names", "5.2.2.7/fields ours/cookie", []step{
			{origin: "200\nCache-Control: max-age=600, private=\"set-cookie\"\nSet-Cookie: a=b\n\none", from: "origin", want: "200\nSet-Cookie: a=b\n\none"},
			{from: "store", want: "200\n-Set-Cookie\n\none"}}},
		{"answer to a Cookie", "ours/cookie", []step{
			{ask: "GET /x\nCookie: u=ada", origin: fresh, from: "origin"}, again("origin")}},
		{"answer to an API key", "ours/cookie", []step{
			{ask: "GET /x\nX-Api-Key: ada", origin: fresh, from: "origin"}, again("origin")}},
		{"public answer to a Cookie", "ours/cookie", []step{
			{ask: "GET /x\nCookie: u=ada", origin: "200\nCache-Control: public, max-age=600\n\none", from: "origin"},
			{ask: "GET /x\nCookie: u=bob", from: "store"}}},
		{"Vary: Cookie", "ours/cookie 4/vary", []step{
			{ask: "GET /x\nCookie: u=ada", origin: "200\nCache-Control: max-age=600\nVary: Cookie\n\nada", from: "origin"},
			{ask: "GET /x\nCookie: u=bob", origin: "200\nCache-Control: max-age=600\nVary: Cookie\n\nbob", from: "origin"},
			{ask: "GET /x\nCookie: u=ada", from: "store", want: "200\n\nada"}}},
	}
}

func reusing() []testCase {
	return []testCase{
		{"another query", "4/uri", []step{{ask: "GET /x?a=1", origin: fresh, from: "origin"}, {ask: "GET /x?a=2", origin: two, from: "origin"}, {ask: "GET /x?a=1", from: "store"}}},
		{"another host", "4/uri", []step{{ask: "GET /x\nHost: a.example", origin: fresh, from: "origin"}, {ask: "GET /x\nHost: b.example", origin: two, from: "origin"}, {ask: "GET /x\nHost: A.example", from: "store"}}},
		{"an escaped slash", "4/uri ours/poison", []step{{ask: "GET /a%2Fb", origin: fresh, from: "origin"}, {ask: "GET /a/b", origin: two, from: "origin"}}},
		{"a path with a style sheet's name", "ours/poison", []step{{ask: "GET /account", origin: "200\n\nmine", from: "origin"}, {ask: "GET /account/x.css", origin: "200\n\nmine", from: "origin"}, {ask: "GET /account/x.css", origin: "200\n\nyours", from: "origin"}}},
		{"a twice given parameter", "ours/poison", []step{{ask: "GET /x?q=a&q=b", origin: fresh, from: "origin"}, {ask: "GET /x?q=a", origin: two, from: "origin"}}},
		{"X-Forwarded-Host", "ours/poison", []step{
			{ask: "GET /x\nX-Forwarded-Host: evil.example", origin: "200\nCache-Control: max-age=600\n\nevil", from: "origin"},
			{from: "origin", origin: two}, {ask: "GET /x\nX-Forwarded-Host: evil.example", from: "store", want: "200\n\nevil"}}},
		{"X-HTTP-Method-Override", "ours/poison", []step{
			{ask: "GET /x\nX-HTTP-Method-Override: POST", origin: "200\nCache-Control: max-age=600\n\nevil", from: "origin"}, {from: "origin", origin: two}}},
		{"HEAD from GET", "4/method 9110/head", []step{{origin: fresh, from: "origin"}, {ask: "HEAD /x", from: "store", want: "200\nContent-Length: 3\nEtag: \"1\""}}},
		{"GET not from HEAD", "4/method", []step{{ask: "HEAD /x", origin: fresh, from: "origin"}, again("origin")}},
		{"POST is not answered from GET", "4/method 4/write-through", []step{{origin: fresh, from: "origin"}, {ask: "POST /x", origin: "500\n\nno", from: "origin"}, again("store")}},
		{"Age", "4/age", []step{{origin: "200\nCache-Control: max-age=600\nAge: 50\n\none", from: "origin", want: "200\nAge: 50"}, {from: "store", want: "200\nAge: 50\n\none"}}},
		{"Age over the lifetime", "4/fresh 4.2.4/permitted", []step{{origin: stale, from: "origin"}, again("origin")}},
		{"an old Date", "4/fresh", []step{{origin: "200\nCache-Control: max-age=600\nDate: Mon, 01 Jan 2024 00:00:00 GMT\n\none", from: "origin"}, again("origin")}},
		{"a Date to come", "4/clock", []step{{origin: "200\nExpires: Mon, 01 Jan 2024 00:10:00 GMT\nDate: Mon, 01 Jan 2024 00:00:00 GMT\n\none", from: "origin"}, again("origin")}},
		{"the most recent answer", "4/most-recent", []step{{origin: fresh, from: "origin"}, {ask: "GET /x\nCache-Control: no-cache", origin: two, from: "origin"}, {from: "store", want: "200\n\ntwo"}}},
		{"Vary matches", "4/vary 4.1/match", []step{
			{ask: "GET /x\nFoo: 1, 2\nBar: a", origin: "200\nCache-Control: max-age=600\nVary: foo\nVary: Bar , baz\n\none", from: "origin"},
			{ask: "GET /x\nBar: a\nFoo: 1\nFoo:  2", from: "store"},
			{ask: "GET /x\nBar: b\nFoo: 1,2", origin: "200\nCache-Control: max-age=600\nVary: Foo, Bar, Baz\n\ntwo", from: "origin"},
			{ask: "GET /x\nBar: a\nFoo: 1,2\nBaz: 1", origin: "200\n\nthree", from: "origin"},
			{ask: "GET /x\nBar: b\nFoo: 1,2", from: "store", want: "200\n\ntwo"},
			{ask: "GET /x\nBar: a\nFoo: 1,2", from: "store", want: "200\n\none"}}},
		twice("Vary: *", "4.1/star", "200\nCache-Control: max-age=600\nVary: foo, *\n\none", "origin"),
		{"a coded body without Vary", "ours/poison 4/vary", []step{
			{ask: "GET /x\nAccept-Encoding: gzip", origin: "200\nCache-Control: max-age=600\nContent-Encoding: gzip\n\nzipped", from: "origin"}, again("origin"),
			{ask: "GET /x\nAccept-Encoding: gzip", from: "store", want: "200\n\nzipped"}}},
		twice("a heuristic", "4.2.2/status", "200\nLast-Modified: Mon, 01 Jan 2024 00:00:00 GMT\n\none", "store"),
		twice("a heuristic with public", "4.2.2/status", "299\nCache-Control: public\nLast-Modified: Mon, 01 Jan 2024 00:00:00 GMT\n\none", "store"),
		twice("no heuristic beside max-age=0", "4.2.2/explicit", "200\nCache-Control: max-age=0\nLast-Modified: Mon, 01 Jan 2024 00:00:00 GMT\n\none", "origin"),
		{"max-stale", "4.2.4/permitted", []step{{origin: stale, from: "origin"}, {ask: "GET /x\nCache-Control: max-stale=60", from: "store", want: "200\nX-Cache: STALE\n\none"},
			{ask: "GET /x\nCache-Control: max-stale=0", origin: "200\n\ntwo", from: "origin"}}},
		{"max-stale against must-revalidate", "4.2.4/prohibited 5.2.2.2/must-revalidate", []step{
			{origin: "200\nCache-Control: max-age=60, must-revalidate\nAge: 61\nEtag: \"1\"\n\none", from: "origin"},
			{ask: "GET /x\nCache-Control: max-stale", origin: two, from: "origin"}}},
		{"the origin is out of reach", "4.2.4/permitted", []step{{origin: stale, from: "origin"}, {origin: "cut", from: "both", want: "200\nX-Cache: STALE\n\none"}}},
	}
}
