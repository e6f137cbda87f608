package probe

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
)

// Target is a database to ask.
type Target struct {
	URL   string
	Token string
	// OnlyRedis leaves out what Upstash adds to Redis: a plain Redis stands
	// behind the REST interface.
	OnlyRedis bool
}

// Format keeps the token out of logs.
func (t Target) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "target "+t.URL) }

// Answer is what was asked and what came back.
type Answer struct {
	Section  string `json:"section"`
	Source   string `json:"source"` // the documentation that it questions
	Question string `json:"question,omitempty"`
	Request  string `json:"request"`
	Want     string `json:"want"` // "?" where the documentation says nothing
	Got      string `json:"got"`  // status and body
	Met      bool   `json:"met"`
	Open     bool   `json:"open"`
}

// exchangeTime bounds one question.
const exchangeTime = 10 * time.Second

// maxBody is how much of an answer is kept.
const maxBody = 64 << 10

// Run asks everything, in order, and removes the keys that it made. An error
// means that the target could not be asked.
func Run(ctx context.Context, target Target) (answers []Answer, err error) {
	all, err := list()
	if err != nil {
		return nil, fmt.Errorf("the list of exchanges: %w", err)
	}
	prefix := "restash-probe-" + strings.ToLower(rand.Text()[:8]) + ":"
	defer func() {
		if removed := sweep(context.WithoutCancel(ctx), target, prefix); err == nil {
			err = removed
		}
	}()
	fill := strings.NewReplacer("{p}", prefix, "{token}", target.Token)
	for _, x := range all {
		if target.OnlyRedis && !x.redis {
			continue
		}
		status, body, err := x.send(ctx, target, fill)
		if err != nil {
			return answers, fmt.Errorf("%s: %w", x.shown, err)
		}
		shown := strings.NewReplacer(prefix, "{p}", target.Token, "{token}").Replace(string(body))
		answers = append(answers, Answer{
			Section: x.section, Source: x.source, Question: x.question, Request: x.shown,
			Want: x.want.text, Got: fmt.Sprintf("%d %s", status, strings.TrimSuffix(shown, "\n")), Met: x.want.met(status, []byte(shown)), Open: x.want.open,
		})
	}
	return answers, nil
}

func (x *exchange) send(ctx context.Context, target Target, fill *strings.Replacer) (status int, body []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, exchangeTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, x.method, strings.TrimSuffix(target.URL, "/")+fill.Replace(x.path), strings.NewReader(fill.Replace(x.body)))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+target.Token)
	for name, values := range x.header {
		if req.Header[name] = values; values[0] == "" {
			req.Header.Del(name)
		}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, withoutToken(err, target.Token)
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxBody))
	return resp.StatusCode, body, err
}

// withoutToken keeps a token out of an error that repeats a request's URL.
func withoutToken(err error, token string) error {
	return fmt.Errorf("%s", strings.ReplaceAll(err.Error(), token, "{token}"))
}

// sweep removes what was written.
func sweep(ctx context.Context, target Target, prefix string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	c, err := client.New(client.Config{URL: target.URL, Token: target.Token})
	if err != nil {
		return err
	}
	defer c.Close()
	cursor := "0"
	for {
		page, err := c.Scan(ctx, cursor, command.MATCH(prefix+"*"), command.COUNT(1000))
		if err != nil {
			return fmt.Errorf("keys that begin with %s may be left: %w", prefix, err)
		}
		if len(page.Items) > 0 {
			if _, err := c.Unlink(ctx, page.Items...); err != nil {
				return fmt.Errorf("keys that begin with %s may be left: %w", prefix, err)
			}
		}
		if cursor = page.Cursor; page.Last() {
			return nil
		}
	}
}
