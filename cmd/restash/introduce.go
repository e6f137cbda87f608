package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// shownPath is what dev asks for itself and shows first.
const shownPath = "/api/extensions?category=devtools"

// introduce asks the sample for one list three times and prints what happened
// and what a person can do next.
func (s *sample) introduce(ctx context.Context, out io.Writer) error {
	base := "http://" + reachable(s.listener.Addr())
	fmt.Fprintf(out, "restash dev\n\n  page      %s/\n  routes    %s\n  redis     %s\n  database  %s\n\n", base, base, s.redis, s.database)
	for range 3 {
		state, took, err := ask(ctx, base+shownPath)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "  GET %s  %-6s %8.2f ms\n", shownPath, state, float64(took.Microseconds())/1000)
		_ = s.app.Store().Flush(ctx) // a miss is stored behind its answer
	}
	fmt.Fprintf(out, "\nTry it:\n  curl -i '%s%s'\n  curl -i '%s/api/mcp?sort=rating&limit=5'\n  curl -s '%s/api/cache/metrics'\n",
		base, shownPath, base, base)
	if s.cached {
		s.showWarm(out)
	}
	fmt.Fprint(out, "\nCtrl-C ends it.\n")
	return nil
}

// showWarm prints the line for a second terminal. What the user has set is not
// in it: it may be a credential of a real database.
func (s *sample) showWarm(out io.Writer) {
	hint := ""
	if len(s.variables) < 3 {
		hint = ", in the same environment"
	}
	words := append(s.variables, "go run ./cmd/restash warm")
	if namespace := s.app.Store().Namespace(); namespace != plainNamespace {
		words = append(words, "--namespace", namespace) // the second terminal may lack VERCEL_ENV
	}
	line := strings.Join(words, " ")
	fmt.Fprintf(out, "\nFill the caches from a second terminal%s:\n  %s\n", hint, line)
}

// reachable turns the address of a listener into one that a client on this
// machine can dial: ":3000" listens everywhere, and is no place to go to.
func reachable(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return addr.String()
	}
	return net.JoinHostPort("127.0.0.1", fmt.Sprint(tcp.Port))
}

// ask requests a URL and returns its X-Cache and the time to the last byte.
func ask(ctx context.Context, url string) (state string, took time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", 0, err
	}
	start := time.Now()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", 0, err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return "", 0, err
	}
	if resp.StatusCode != http.StatusOK {
		return "", 0, fmt.Errorf("%s answered %s", url, resp.Status)
	}
	return resp.Header.Get("X-Cache"), time.Since(start), nil
}
