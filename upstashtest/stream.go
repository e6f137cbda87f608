package upstashtest

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/cldcde/restash/client/command"
)

// keepAlive is how long a stream may be silent before a comment is sent.
// Chosen, see FIDELITY.md.
const keepAlive = 15 * time.Second

// stream answers with server-sent events until the caller or the server goes.
func (x *exchange) stream(kind, rest string) {
	if !strings.Contains(x.r.Header.Get("Accept"), "text/event-stream") {
		x.fail(http.StatusBadRequest, "ERR "+kind+" needs the header Accept: text/event-stream")
		return
	}
	names, err := segments(rest)
	if err != nil || (kind == "monitor") != (len(names) == 0) {
		x.fail(http.StatusBadRequest, "ERR wrong number of arguments for '"+kind+"' command")
		return
	}
	if kind == "monitor" && x.token.ReadOnly {
		x.fail(http.StatusBadRequest, "NOPERM this user has no permissions to run the 'monitor' command or its subcommand")
		return
	}
	if e, ok := x.s.engine.(aclEngine); ok && x.token.user {
		if no := e.Permit(x.token.Name, append([]string{kind}, names...)); no.Kind == command.KindError {
			x.fail(http.StatusBadRequest, string(no.Bytes))
			return
		}
	}
	var want Stream
	switch kind {
	case "subscribe":
		want.Channels = names
	case "psubscribe":
		want.Patterns = names
	default:
		want.Monitor = true
	}
	ctx, cancel := context.WithCancel(x.r.Context())
	defer cancel()
	defer context.AfterFunc(x.s.done, cancel)()
	sub, err := x.s.engine.Subscribe(ctx, want)
	if err != nil {
		x.dead(err)
		return
	}
	defer func() {
		if err := sub.Close(); err != nil {
			x.s.log.Warn("upstashtest: closing a subscription", "err", err)
		}
	}()
	x.s.ledger.add(x.token.Name, Bill{Commands: 1})
	x.events(ctx, sub)
}

func segments(path string) ([]string, error) {
	if path == "" {
		return nil, nil
	}
	var names []string
	for segment := range strings.SplitSeq(path, "/") {
		name, err := url.PathUnescape(segment)
		if err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, nil
}

func (x *exchange) events(ctx context.Context, sub Subscription) {
	h := x.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-cache")
	x.w.WriteHeader(http.StatusOK)
	flush := http.NewResponseController(x.w)
	for {
		wait, cancel := context.WithTimeout(ctx, keepAlive)
		events, err := sub.Next(wait)
		cancel()
		var out []byte
		switch {
		case err == nil:
			for _, e := range events {
				out = appendEvent(out, e)
			}
		case errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil:
			out = []byte(": keep-alive\n\n")
		default:
			return
		}
		if _, err := x.w.Write(out); err != nil {
			return
		}
		if err := flush.Flush(); err != nil {
			return
		}
	}
}

// appendEvent writes one event. Chosen, see FIDELITY.md: each further line of a payload is a data line
// of its own, as the standard of server-sent events has it.
func appendEvent(dst []byte, event string) []byte {
	event = strings.ReplaceAll(strings.ReplaceAll(event, "\r\n", "\n"), "\r", "\n")
	for line := range strings.SplitSeq(event, "\n") {
		dst = append(dst, "data: "...)
		dst = append(append(dst, line...), '\n')
	}
	return append(dst, '\n')
}
