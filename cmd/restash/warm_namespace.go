package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/strategies"
)

const (
	// plainNamespace is a Store's where no variable names an environment.
	plainNamespace = "restash"
	// metricsPath is where a deployed sample tells its namespace.
	metricsPath = "/api/cache/metrics"
	// readerTime bounds the question.
	readerTime = 10 * time.Second
	// scanPages and scanCount bound how far warm looks for namespaces in use.
	scanPages, scanCount = 10, 1000
)

// checkReaders stops a warm-up whose result nobody would read: a shell has no
// VERCEL_ENV, so it means another namespace than the deployment does.
func checkReaders(ctx context.Context, store *strategies.Store, o warmOptions) error {
	if o.reader != "" {
		return checkReader(ctx, store.Namespace(), o.reader)
	}
	if o.namespace != "" || os.Getenv("VERCEL_ENV") != "" || !store.Enabled() {
		return nil // it was chosen, or there is nothing to fill
	}
	others, err := usedNamespaces(ctx, store.Client())
	if err != nil || len(others) == 0 || slices.Contains(others, store.Namespace()) {
		return nil // Redis's own trouble is told by the run
	}
	return fmt.Errorf("warm: nobody uses the namespace %s in this database, but %s: name one with --namespace",
		store.Namespace(), strings.Join(others, ", "))
}

// usedNamespaces names those that begin like a default one and hold entries, as
// far as a few pages of keys tell. It ends as soon as the plain one is among them.
func usedNamespaces(ctx context.Context, c *client.Client) ([]string, error) {
	var names []string
	cursor := "0"
	for range scanPages {
		page, err := c.Scan(ctx, cursor, command.MATCH(plainNamespace+"*:e:*"), command.COUNT(scanCount))
		if err != nil {
			return nil, err
		}
		for _, key := range page.Items {
			if name, _, _ := strings.Cut(key, ":"); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		if cursor = page.Cursor; page.Last() || slices.Contains(names, plainNamespace) {
			break
		}
	}
	slices.Sort(names)
	return names, nil
}

// checkReader asks a deployment for its namespace.
func checkReader(ctx context.Context, namespace, address string) error {
	target, err := deployment("--reader", address, metricsPath)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, readerTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return fmt.Errorf("warm: %w", err)
	}
	req.Header.Set("Accept", "application/json")
	resp, err := withoutRedirects.Do(req)
	if err != nil {
		return fmt.Errorf("warm: --reader: %w", err)
	}
	defer resp.Body.Close()
	var told struct {
		Namespace string `json:"namespace"`
	}
	err = json.NewDecoder(io.LimitReader(resp.Body, maxReport)).Decode(&told)
	switch {
	case resp.StatusCode != http.StatusOK || err != nil || told.Namespace == "":
		return fmt.Errorf("warm: --reader: %s (%s) does not tell its namespace", target, resp.Status)
	case told.Namespace != namespace:
		return fmt.Errorf("warm: %s reads the namespace %s and would find nothing of %s: use --namespace %s",
			address, told.Namespace, namespace, told.Namespace)
	}
	return nil
}
