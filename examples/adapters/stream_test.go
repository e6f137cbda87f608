package adapters_test

import (
	"bufio"
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/cldcde/restash/handler"
	"github.com/cldcde/restash/handler/httpcache"
)

// A gin application behind the cache streams with c.Stream: each client, also a
// second one, has the first line before the last one is written.
func TestGinStreamsBehindTheCache(t *testing.T) {
	store := newStore()
	preset := handler.Details.Config("streams")
	preset.Public = true
	for name, cached := range map[string]func(http.Handler) http.Handler{
		"preset": handler.Cache(store, preset), "httpcache": httpcache.Cache(store, httpcache.Config{}),
	} {
		t.Run(name, func(t *testing.T) {
			gin.SetMode(gin.ReleaseMode)
			goOn := make(chan struct{})
			var panics atomic.Int64
			engine := gin.New()
			engine.Use(gin.CustomRecoveryWithWriter(io.Discard, func(c *gin.Context, _ any) { panics.Add(1) }))
			engine.GET("/stream", func(c *gin.Context) {
				lines := []string{"first\n", "last\n"}
				c.Stream(func(w io.Writer) bool {
					if len(lines) == 1 {
						<-goOn
					}
					io.WriteString(w, lines[0])
					lines = lines[1:]
					return len(lines) > 0
				})
			})
			url := listen(t, cached(engine)) + "/stream"
			var readers []*bufio.Reader
			for range 2 {
				resp, err := http.Get(url)
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				r := bufio.NewReader(resp.Body)
				if line, err := r.ReadString('\n'); line != "first\n" {
					t.Fatalf("%q %v", line, err)
				}
				readers = append(readers, r)
			}
			close(goOn)
			for _, r := range readers {
				if rest, err := io.ReadAll(r); string(rest) != "last\n" || err != nil {
					t.Fatalf("%q %v", rest, err)
				}
			}
			if n := panics.Load(); n > 0 {
				t.Fatalf("%d panics", n)
			}
		})
	}
}
