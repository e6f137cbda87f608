package handler_test

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/cldcde/restash/handler"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/warm"
)

func TestCron(t *testing.T) {
	r := newRig(t)
	const auth = "Authorization: Bearer s3cret"
	var runs atomic.Int64
	cfg := listConfig()
	mux := route(r.store, "GET /x", cfg, counting(&runs))
	plan := warm.Plan{Steps: []warm.Step{handler.Warm(cfg, mux, "/x", "/x?page=2")}}
	cron := handler.Cron(r.store, plan, time.Minute, handler.Secret("s3cret"))
	a := get(cron, "/", auth)
	assert.Equal(t, 200, a.Status)
	assert.Contains(t, a.Body, `"warmed":2,"fresh":0,"absent":0,"failed":0,"commands":4,"trips":4,`)
	assert.Equal(t, "HIT", get(mux, "/x?page=2").cache())
	assert.Contains(t, post(cron, "/", "", auth).Body, `"warmed":0,"fresh":2,`)

	a = get(cron, "/?commands=2&from=routes%2520list%2F1", auth)
	assert.Equal(t, 200, a.Status, a.Body)
	assert.Contains(t, a.Body, `"fresh":1,`)
	a = get(cron, "/?commands=2", auth)
	assert.Equal(t, http.StatusAccepted, a.Status)
	assert.Contains(t, a.Body, `"next":"routes%20list/1"`)

	assert.Equal(t, 401, get(cron, "/").Status)
	assert.Equal(t, 403, get(handler.Cron(r.store, plan, 0), "/", auth).Status)
	assert.Equal(t, 403, get(handler.Cron(r.store, plan, 0, handler.Secret("")), "/", auth).Status)

	failing := warm.Plan{Steps: []warm.Step{warm.StepFunc("bad", func(context.Context, *strategies.Store) (strategies.WarmReport, error) {
		assert.Equal(t, http.StatusConflict, get(cron, "/", auth).Status, "the same lease")
		return strategies.WarmReport{}, errors.New("no database")
	})}}
	a = get(handler.Cron(r.store, failing, 0, handler.Secret("s3cret")), "/", auth)
	assert.Equal(t, http.StatusInternalServerError, a.Status)
	assert.Contains(t, a.Body, `"errors":{"bad":"no database"}`)
}
