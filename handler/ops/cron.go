package ops

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/warm"
)

// Cron runs a warm plan when a scheduler asks for it by GET or POST, and answers
// with the plan's report as JSON: 200 if nothing failed, 500 if something did,
// and 202 if the time was used up; then "next" says where to go on, with ?from=.
// It answers 409 and who is at it if another instance is running the plan. Without [Secret], or with an empty
// one, it refuses every request with 403.
//
// limit is how long the plan may run; it should be somewhat shorter than the
// platform lets a request live. 0 means as long as it takes.
func Cron(store *strategies.Store, plan warm.Plan, limit time.Duration, options ...Option) http.Handler {
	a := accessOf(options)
	a.demanded = true
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.refuse(w, r) || onlyMethods(w, r, http.MethodGet, http.MethodPost) {
			return
		}
		o, err := cronOptions(r.URL.Query(), limit)
		if err != nil {
			writeError(w, http.StatusBadRequest, codeInvalid, err.Error())
			return
		}
		report, err := plan.Run(r.Context(), store, o)
		switch {
		case errors.Is(err, warm.ErrBusy):
			writeError(w, http.StatusConflict, "busy", err.Error())
		case errors.Is(err, warm.ErrDisabled):
			writeError(w, http.StatusConflict, "cache_off", err.Error())
		case errors.Is(err, warm.ErrFrom):
			writeError(w, http.StatusBadRequest, codeInvalid, err.Error())
		default:
			writeJSON(w, cronStatus(r.Context(), report, err), report)
		}
	})
}

// cronOptions reads ?from= and ?commands=.
func cronOptions(query url.Values, limit time.Duration) (warm.Options, error) {
	o := warm.Options{Time: limit, From: query.Get("from")}
	for _, name := range sortedNames(query) {
		if name != "from" && name != "commands" {
			return o, fmt.Errorf("unknown: %s", name)
		}
	}
	if given := query.Get("commands"); given != "" {
		n, err := strconv.Atoi(given)
		if err != nil || n < 1 {
			return o, errors.New("commands is no number above 0")
		}
		o.Commands = n
	}
	return o, nil
}

func cronStatus(ctx context.Context, report warm.Report, err error) int {
	switch {
	case errors.Is(err, warm.ErrBudget) && report.Failed == 0 && ctx.Err() == nil:
		return http.StatusAccepted
	case err != nil || !report.OK():
		return http.StatusInternalServerError
	}
	return http.StatusOK
}
