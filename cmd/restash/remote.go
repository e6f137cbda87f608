package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/cldcde/restash/warm"
)

const (
	// cronPath is where a deployed sample warms itself.
	cronPath = "/api/cron/warm"
	// cronSecret is the variable with the bearer token of that route.
	cronSecret = "CRON_SECRET"
	// cronTime is how long a deployment may take: more than any function may.
	cronTime = 15 * time.Minute
	// maxReport bounds what is read of an answer.
	maxReport = 4 << 20
)

// runRemoteWarm lets a deployment warm itself and prints what it reports.
func runRemoteWarm(ctx context.Context, out, errOut io.Writer, address string, asJSON bool) error {
	target, err := deployment("--url", address, cronPath)
	if err != nil {
		return err
	}
	secret := os.Getenv(cronSecret)
	if secret == "" {
		return errors.New("warm: " + cronSecret + " is not set")
	}
	ctx, cancel := context.WithTimeout(ctx, cronTime)
	defer cancel()
	var sum warm.Report
	for from := ""; ; {
		part, status, err := askRemote(ctx, target, secret, from)
		if err != nil {
			return err
		}
		addReport(&sum, part)
		if part.Next == "" || part.Next == from {
			return tellRemote(out, errOut, sum, status, asJSON)
		}
		from = part.Next // the function's time was up: go on where it ended
	}
}

// askRemote asks the cron route once, to go on at from.
func askRemote(ctx context.Context, target, secret, from string) (warm.Report, int, error) {
	if from != "" {
		target += "?from=" + url.QueryEscape(from)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, nil)
	if err != nil {
		return warm.Report{}, 0, fmt.Errorf("warm: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+secret)
	resp, err := withoutRedirects.Do(req)
	if err != nil {
		return warm.Report{}, 0, fmt.Errorf("warm: %w", err)
	}
	defer resp.Body.Close()
	var r remoteReport
	err = json.NewDecoder(io.LimitReader(resp.Body, maxReport)).Decode(&r)
	if err == nil && r.Message != "" {
		return warm.Report{}, 0, fmt.Errorf("warm: %s answered %s: %s", resp.Request.URL, resp.Status, r.Message)
	}
	switch resp.StatusCode {
	case http.StatusOK, http.StatusAccepted, http.StatusInternalServerError:
		if err == nil {
			return r.report(), resp.StatusCode, nil
		}
	}
	return warm.Report{}, 0, fmt.Errorf("warm: %s answered %s", resp.Request.URL, resp.Status)
}

func addReport(sum *warm.Report, part warm.Report) {
	sum.Namespace = part.Namespace
	sum.Warmed += part.Warmed
	sum.Fresh += part.Fresh
	sum.Absent += part.Absent
	sum.Failed += part.Failed
	sum.Commands += part.Commands
	sum.Trips += part.Trips
	sum.Bytes += part.Bytes
	sum.Elapsed += part.Elapsed
	sum.Next = part.Next
	if sum.Errors == nil {
		sum.Errors = map[string]error{}
	}
	maps.Copy(sum.Errors, part.Errors)
}

// withoutRedirects keeps the secret with the host that it is meant for.
var withoutRedirects = &http.Client{
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// deployment adds a route to a deployment's address. Secrets go over https only,
// or stay on this machine.
func deployment(flag, address, path string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil {
		return "", errors.New("warm: " + flag + " must be the address of a deployment, such as https://catalog.example.com")
	}
	ip := net.ParseIP(u.Hostname())
	local := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	if u.Scheme != "https" && (u.Scheme != "http" || !local) {
		return "", errors.New("warm: " + flag + " must begin with https:// (http:// is for this machine only)")
	}
	return u.JoinPath(path).String(), nil
}

// remoteReport is the JSON of a [warm.Report].
type remoteReport struct {
	Namespace                                      string
	Warmed, Fresh, Absent, Failed, Commands, Trips int
	Bytes, ElapsedMs                               int64
	Errors                                         map[string]string
	Next                                           string
	Message                                        string // of an error
}

func (r remoteReport) report() warm.Report {
	report := warm.Report{
		Namespace: r.Namespace, Warmed: r.Warmed, Fresh: r.Fresh, Absent: r.Absent, Failed: r.Failed, Commands: r.Commands, Trips: r.Trips,
		Bytes: r.Bytes, Elapsed: time.Duration(r.ElapsedMs) * time.Millisecond, Errors: map[string]error{}, Next: r.Next,
	}
	for key, text := range r.Errors {
		report.Errors[key] = errors.New(text)
	}
	return report
}

func tellRemote(out, errOut io.Writer, r warm.Report, status int, asJSON bool) error {
	if !asJSON && r.Namespace != "" {
		fmt.Fprintf(out, "namespace %s\n", r.Namespace)
	}
	if failure := tellReport(out, r, asJSON); failure != nil {
		return failure
	}
	if status == http.StatusOK && r.OK() && r.Next == "" {
		return nil
	}
	tellFailures(errOut, r, errors.New("the deployment did not finish"))
	return errReported
}
