package page

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/cldcde/restash/examples/catalog"
	"github.com/cldcde/restash/invalidate"
	"github.com/cldcde/restash/upstashtest"
)

// slowness is what the slow Redis adds to each request: below the cache's hard
// timeout, so that answers come, late.
const slowness = 250 * time.Millisecond

// invalidateTimeout bounds a click on a button while Redis is away.
const invalidateTimeout = 3 * time.Second

// power takes the local Redis away and brings it back. Its values stay.
type power struct {
	mu     sync.Mutex
	server *upstashtest.Server
	state  string // "" is up
	undo   func()
}

// actions are what happens to every request in a state.
var actions = map[string]upstashtest.Action{
	"up":   nil,
	"slow": upstashtest.Delay(slowness),
	"down": upstashtest.ResetBefore(),
}

func (p *power) now() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.server == nil:
		return "remote"
	case p.state == "":
		return "up"
	}
	return p.state
}

// turn reports whether there is such a state and a server of ours.
func (p *power) turn(to string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	action, known := actions[to]
	if !known || p.server == nil {
		return false
	}
	if p.undo != nil {
		p.undo()
		p.undo = nil
	}
	if action != nil {
		p.undo = p.server.Faults(1, upstashtest.Fault{Do: action})
	}
	p.state = to
	return true
}

func (p *page) turn(w http.ResponseWriter, r *http.Request) {
	if !p.power.turn(r.URL.Query().Get("to")) {
		refuse(w, http.StatusBadRequest, "to must be up, slow or down, and Redis the local one")
		return
	}
	p.tell(w)
}

// tags are those of the preset table.
func tags() []string {
	var all []string
	for _, preset := range catalog.Presets() {
		all = append(all, preset.Config.Tags...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (p *page) invalidate(w http.ResponseWriter, r *http.Request) {
	tag := r.URL.Query().Get("tag")
	if !slices.Contains(tags(), tag) {
		refuse(w, http.StatusBadRequest, "no preset has this tag")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), invalidateTimeout)
	defer cancel()
	_, err := p.config.Store.Invalidate(ctx, invalidate.Tags(tag))
	answer(w, map[string]any{"tag": tag, "pending": err != nil})
}
