package lambda

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// extension is an internal extension of Lambda's Extensions API.
type extension struct {
	base string
	id   string
	http *http.Client
}

// extensionName must be the same at every start; the platform shows it in its logs.
const extensionName = "restash"

// register joins the invocations: from now on the platform freezes the process
// only when the extension, too, has asked for the next event.
func register(ctx context.Context, api string) (*extension, error) {
	e := &extension{
		base: "http://" + api + "/2020-01-01/extension/",
		http: &http.Client{Transport: &http.Transport{}}, // no timeout: next waits for hours
	}
	body := strings.NewReader(`{"events":["INVOKE"]}`)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.base+"register", body)
	if err != nil {
		return nil, fmt.Errorf("lambda: register the extension: %w", err)
	}
	request.Header.Set("Lambda-Extension-Name", extensionName)
	header, err := e.do(request, nil)
	if err != nil {
		return nil, fmt.Errorf("lambda: register the extension: %w", err)
	}
	e.id = header.Get("Lambda-Extension-Identifier")
	return e, nil
}

// invocation is an event that says that a request has come.
type invocation struct {
	DeadlineMs int64 `json:"deadlineMs"`
}

func (i invocation) deadline() time.Time { return time.UnixMilli(i.DeadlineMs) }

// next waits for an invocation. The process may be frozen while it waits.
func (e *extension) next(ctx context.Context) (invocation, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, e.base+"event/next", nil)
	if err != nil {
		return invocation{}, fmt.Errorf("lambda: next event: %w", err)
	}
	request.Header.Set("Lambda-Extension-Identifier", e.id)
	var event invocation
	if _, err := e.do(request, &event); err != nil {
		return invocation{}, fmt.Errorf("lambda: next event: %w", err)
	}
	return event, nil
}

func (e *extension) do(request *http.Request, into any) (http.Header, error) {
	response, err := e.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", response.StatusCode)
	}
	if into == nil {
		return response.Header, nil
	}
	return response.Header, json.Unmarshal(body, into)
}
