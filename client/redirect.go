package client

import (
	"fmt"
	"net/http"
	"net/url"
)

// redirectError is an answer that points elsewhere. It is not followed: it would
// turn a POST into a GET, or carry the token to somebody else.
type redirectError struct{ to string }

func (e *redirectError) Error() string {
	if e.to == "" {
		return "the server redirects, without saying where to"
	}
	return fmt.Sprintf("the server redirects to %s: use the URL of the database itself", e.to)
}

// redirected tells host and path of the place; what else a URL has may be secret.
func (c *Client) redirected(resp *http.Response) error {
	to, err := resp.Location()
	if err != nil {
		return &redirectError{}
	}
	return &redirectError{to: c.token.hide((&url.URL{Scheme: to.Scheme, Host: to.Host, Path: to.Path}).Redacted())}
}
