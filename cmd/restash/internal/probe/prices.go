package probe

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
)

// Price is what a request adds to a counter of commands.
type Price struct {
	Request  string  `json:"request"`
	Commands float64 `json:"commands"`
}

// repeats is how often a request is sent, so that a stranger's command in the
// count does not matter.
const repeats = 10

// Prices measures requests of 100 keys by the counter at an address: JSON with
// a member "commands" (the local server's /_restash/bill) or "commands_total"
// (the metrics of a database that restash try made).
func Prices(ctx context.Context, target Target, counter string) ([]Price, error) {
	c, err := client.New(client.Config{URL: target.URL, Token: target.Token, MaxRetries: client.NoRetry})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	prefix := "restash-probe-" + strings.ToLower(rand.Text()[:8]) + ":"
	keys, pairs := make([]string, 100), make([]any, 0, 200)
	for i := range keys {
		keys[i] = fmt.Sprint(prefix, i)
		pairs = append(pairs, keys[i], "x")
	}
	requests := []struct {
		name string
		do   func() error
	}{
		{"SET of one key", func() error { _, err := c.Set(ctx, keys[0], "x", command.EX(time.Minute)); return err }},
		{"MGET of 100 keys", func() error { _, err := c.MGet(ctx, keys...); return err }},
		{"MSETEX of 100 keys", func() error {
			_, err := client.Do(ctx, c, command.Raw("MSETEX", append(append([]any{100}, pairs...), "EX", 60)...))
			return err
		}},
	}
	var prices []Price
	for _, r := range requests {
		price, err := measure(ctx, target, counter, r.do)
		if err != nil {
			return prices, errors.Join(fmt.Errorf("%s: %w", r.name, err), sweep(ctx, target, prefix))
		}
		prices = append(prices, Price{r.name, price})
	}
	return prices, sweep(ctx, target, prefix)
}

func measure(ctx context.Context, target Target, counter string, do func() error) (float64, error) {
	before, err := count(ctx, target, counter)
	if err != nil {
		return 0, err
	}
	for range repeats {
		if err := do(); err != nil {
			return 0, err
		}
	}
	after, err := count(ctx, target, counter)
	return (after - before) / repeats, err
}

// count reads the counter. Only the database itself gets the token.
func count(ctx context.Context, target Target, counter string) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, exchangeTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, counter, nil)
	if err != nil {
		return 0, errors.New("the counter's address is none")
	}
	if strings.HasPrefix(counter, strings.TrimSuffix(target.URL, "/")+"/") {
		req.Header.Set("Authorization", "Bearer "+target.Token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	var figures struct {
		Commands *float64 `json:"commands"`
		Total    *float64 `json:"commands_total"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxBody)).Decode(&figures); err != nil || resp.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("the counter answered %s and no figures", resp.Status)
	}
	switch {
	case figures.Total != nil:
		return *figures.Total, nil
	case figures.Commands != nil:
		return *figures.Commands, nil
	}
	return 0, errors.New("the counter has neither commands nor commands_total")
}
