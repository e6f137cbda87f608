// Program without is the same function by hand, on the same third-party packages.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/emmansun/base64"
	"github.com/goccy/go-json"
	"github.com/hashicorp/go-retryablehttp"
	"github.com/sony/gobreaker/v2"
)

type user struct{ Name string }

func main() {
	if os.Getenv("UPSTASH_REDIS_REST_URL") == "" {
		return // the size and the start are what is measured
	}
	c := retryablehttp.NewClient()
	b := gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{})
	_ = http.ListenAndServe(":8080", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		done, err := b.Allow()
		if err != nil {
			return
		}
		var u user
		err = get(c, r, &u)
		done(err)
		if err != nil {
			http.Error(w, "load failed", http.StatusBadGateway)
			return
		}
		text, _ := json.Marshal(u)
		fmt.Fprintln(w, string(text))
	}))
}

func get(c *retryablehttp.Client, r *http.Request, into *user) error {
	request, err := retryablehttp.NewRequestWithContext(r.Context(), http.MethodPost, os.Getenv("UPSTASH_REDIS_REST_URL"), []byte(`["GET","ada"]`))
	if err != nil {
		return err
	}
	request.Header.Set("Upstash-Encoding", "base64")
	response, err := c.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	var answer struct{ Result string }
	if err := json.Unmarshal(body, &answer); err != nil {
		return err
	}
	value, err := base64.StdEncoding.DecodeString(answer.Result)
	if err != nil {
		return err
	}
	return json.Unmarshal(value, into)
}
