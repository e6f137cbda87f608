package catalog

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// VercelCDN says how Vercel's CDN hears of invalidations: one call of its REST
// API marks answers stale by their tags, and the next request for one renews it
// behind the stale answer.
type VercelCDN struct {
	// Token is an access token of a Vercel account that may purge the project.
	// Without one the CDN hears of nothing.
	Token string
	// Project is the project's id or name, Team its team's id. An account of one
	// person has no team.
	Project, Team string
	// Target is production or preview; empty means both.
	Target string
	// API is where the call goes; default https://api.vercel.com.
	API string
}

// vercelTagField is the response field in which Vercel's CDN looks for tags; it
// takes it out before the client sees it.
const vercelTagField = "Vercel-Cache-Tag"

// call returns the documented call that marks tags stale:
// https://vercel.com/docs/rest-api/edge-cache/invalidate-by-tag
func (v VercelCDN) call() func(ctx context.Context, tags []string) error {
	query := url.Values{"projectIdOrName": {v.Project}}
	if v.Team != "" {
		query.Set("teamId", v.Team)
	}
	address := cmp.Or(strings.TrimSuffix(v.API, "/"), "https://api.vercel.com") + "/v1/edge-cache/invalidate-by-tags?" + query.Encode()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // the token is for this host
	}}
	return func(ctx context.Context, tags []string) error {
		body, err := json.Marshal(struct {
			Tags   []string `json:"tags"`
			Target string   `json:"target,omitempty"`
		}{tags, v.Target})
		if err != nil {
			return err
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
		if err != nil {
			return errors.New("the address of the CDN's API cannot be read")
		}
		request.Header.Set("Authorization", "Bearer "+v.Token)
		request.Header.Set("Content-Type", "application/json")
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		if err := response.Body.Close(); err != nil {
			return err
		}
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("the CDN's API answered %d", response.StatusCode) // its text may repeat what was sent
		}
		return nil
	}
}

func (v VercelCDN) validate() error {
	switch {
	case v.Token != "" && v.Project == "":
		return errors.New("catalog: VercelCDN.Project must be set with its Token")
	case v.Target != "" && v.Target != "production" && v.Target != "preview":
		return errors.New("catalog: VercelCDN.Target must be production, preview or empty")
	}
	return nil
}
