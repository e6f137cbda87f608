package ops_test

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/cldcde/restash/handler"
	"github.com/cldcde/restash/handler/internal/rig"
	"github.com/cldcde/restash/handler/ops"
	"github.com/cldcde/restash/strategies"
	"github.com/cldcde/restash/warm"
)

func TestCron(t *testing.T) {
	r := rig.New(t)
	const auth = "Authorization: Bearer s3cret"
	var runs atomic.Int64
	cfg := rig.ListConfig()
	mux := rig.Mount(r.Store, "GET /x", cfg, rig.Counting(&runs))
	plan := warm.Plan{Steps: []warm.Step{handler.Warm(cfg, mux, "/x", "/x?page=2")}}
	cron := ops.Cron(r.Store, plan, time.Minute, ops.Secret("s3cret"))
	a := rig.Get(cron, "/", auth)
	assert.Equal(t, 200, a.Status)
	assert.Contains(t, a.Body, `"warmed":2,"fresh":0,"absent":0,"failed":0,"commands":4,"trips":4,`)
	assert.Equal(t, "HIT", rig.Get(mux, "/x?page=2").Cache())
	assert.Contains(t, rig.Post(cron, "/", "", auth).Body, `"warmed":0,"fresh":2,`)

	a = rig.Get(cron, "/?commands=2&from=routes%2520list%2F1", auth)
	assert.Equal(t, 200, a.Status, a.Body)
	assert.Contains(t, a.Body, `"fresh":1,`)
	a = rig.Get(cron, "/?commands=2", auth)
	assert.Equal(t, http.StatusAccepted, a.Status)
	assert.Contains(t, a.Body, `"next":"routes%20list/1"`)

	assert.Equal(t, 401, rig.Get(cron, "/").Status)
	assert.Equal(t, 403, rig.Get(ops.Cron(r.Store, plan, 0), "/", auth).Status)
	assert.Equal(t, 403, rig.Get(ops.Cron(r.Store, plan, 0, ops.Secret("")), "/", auth).Status)

	failing := warm.Plan{Steps: []warm.Step{warm.StepFunc("bad", func(context.Context, *strategies.Store) (strategies.WarmReport, error) {
		assert.Equal(t, http.StatusConflict, rig.Get(cron, "/", auth).Status, "the same lease")
		return strategies.WarmReport{}, errors.New("no database")
	})}}
	a = rig.Get(ops.Cron(r.Store, failing, 0, ops.Secret("s3cret")), "/", auth)
	assert.Equal(t, http.StatusInternalServerError, a.Status)
	assert.Contains(t, a.Body, `"errors":{"bad":"no database"}`)
}
