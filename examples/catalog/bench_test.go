package catalog_test

import (
	"net/http/httptest"
	"testing"

	"github.com/cldcde/restash/examples/catalog"
)

// A list from the cache, by real HTTP to the local server, and from the database.
func BenchmarkList(b *testing.B) {
	for name, change := range map[string]func(*catalog.Config){
		"hit":      func(*catalog.Config) {},
		"no cache": func(c *catalog.Config) { c.Store = disabled(b) },
	} {
		b.Run(name, func(b *testing.B) {
			p := newPlatform(b, change)
			r := httptest.NewRequest("GET", "/api/extensions?category=devtools", nil)
			p.app.ServeHTTP(httptest.NewRecorder(), r)
			b.ReportAllocs()
			for b.Loop() {
				p.app.ServeHTTP(httptest.NewRecorder(), r)
			}
		})
	}
}
