package upstashtest

import (
	"net/http"
	"slices"
	"strings"

	"github.com/cldcde/restash/client/command"
	"github.com/cldcde/restash/upstashtest/internal/engine"
)

// check decides whether the command is run.
func (x *exchange) check(args []string) refusal {
	if no := x.checkAccess(args); no.text != "" {
		return no
	}
	return x.checkLimits(args)
}

// checkAccess decides whether the caller may run the command over REST.
func (x *exchange) checkAccess(args []string) refusal {
	if r, ok := Served(args); !ok {
		if in, name := engine.Lookup(args); in == nil {
			x.s.log.Warn("upstashtest: 400: no such command", "command", clip(name), "path", loggable(x.r.URL))
		}
		return refusal{string(r.Bytes), http.StatusBadRequest}
	}
	in, _ := engine.Lookup(args)
	if slices.ContainsFunc(x.s.cfg.Without, func(name string) bool { return strings.EqualFold(name, in.Name) }) {
		return refusal{string(engine.Unavailable(in.Name).Bytes), http.StatusBadRequest}
	}
	if e, ok := x.s.engine.(aclEngine); ok && x.token.user {
		if no := e.Permit(x.token.Name, args); no.Kind == command.KindError {
			return refusal{string(no.Bytes), http.StatusBadRequest}
		}
	}
	if x.token.ReadOnly && !readable(in) {
		return refuse(http.StatusBadRequest, "NOPERM this user has no permissions to run the '%s' command or its subcommand", strings.ToLower(in.Name))
	}
	return refusal{}
}

func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "..."
	}
	return s
}

// readable says what a read-only token may run. Chosen, see FIDELITY.md, where
// the documentation is silent: what reads and is not in the
// category "dangerous" (KEYS and SCAN are), and what touches no data.
func readable(in *engine.Info) bool {
	switch in.Name {
	case "PING", "ECHO", "TIME", "COMMAND", "SELECT":
		return true
	}
	return in.Read && !in.Risky
}

// run executes one command that was not refused.
func (x *exchange) run(args []string) (command.Reply, error) {
	if err := x.throttle(x.r.Context()); err != nil {
		return command.Reply{}, err
	}
	in, _ := engine.Lookup(args)
	if _, ok := x.s.engine.(aclEngine); ok && in.Name == "ACL WHOAMI" {
		x.ran(args, Result{})
		return command.Reply{Kind: command.KindBulk, Bytes: []byte(x.token.Name)}, nil
	}
	if x.s.replica != nil && replicated(in) {
		r, seen, err := x.s.replica.Do(x.r.Context(), args, x.atLeast)
		if err != nil {
			return command.Reply{}, err
		}
		x.seen = max(x.seen, seen)
		x.ran(args, Result(r))
		return x.s.limitReply(r.Reply), nil
	}
	r, err := x.s.engine.Do(x.r.Context(), args)
	if err != nil {
		return command.Reply{}, err
	}
	x.ran(args, r)
	return x.s.limitReply(r.Reply), nil
}

// replicated says which commands a replica answers. Scripts and what is no
// data go to the primary.
func replicated(in *engine.Info) bool {
	return in.Read && in.Group != "scripting" && in.Group != "functions"
}

// ran puts an executed command on the bill and counts writes.
func (x *exchange) ran(args []string, r Result) {
	x.s.ledger.add(x.token.Name, Bill{Commands: billed(args, r)})
	if r.Inner > 0 {
		x.s.countInner(r.Inner)
	}
	if in, _ := engine.Lookup(args); in != nil && in.Write {
		x.s.writes.Add(1)
		x.wrote = true
	}
}

// single answers one command, from / or from the path.
func (x *exchange) single(args []string, err error) {
	if err != nil {
		x.badRequest(err)
		return
	}
	if no := x.check(args); no.text != "" {
		x.answer(no.status, no.reply())
		return
	}
	reply, err := x.run(args)
	if err != nil {
		x.dead(err)
		return
	}
	status := http.StatusOK
	// A reply that is too large is an error with status 200: measured on the
	// real service.
	if reply.Kind == command.KindError && !strings.HasPrefix(string(reply.Bytes), "ERR max request size exceeded") {
		status = http.StatusBadRequest
	}
	x.answer(status, reply)
}

func (x *exchange) badRequest(err error) {
	x.s.log.Warn("upstashtest: 400: the request is no command", "method", x.r.Method, "path", loggable(x.r.URL), "err", err)
	x.fail(http.StatusBadRequest, err.Error())
}

// answer sends one reply. Chosen, see FIDELITY.md: an error in resp2 is a RESP
// error.
func (x *exchange) answer(status int, reply command.Reply) {
	x.head(status)
	if x.resp2 {
		x.s.write(x.w, appendRESP(nil, reply))
		return
	}
	x.s.write(x.w, appendEnvelope(make([]byte, 0, 32+len(reply.Bytes)*4/3), reply, x.b64))
}

// Values of headers that every answer shares. Nobody changes a value in place.
var (
	headerTrue = []string{"true"}
	headerJSON = []string{"application/json"}
	headerRESP = []string{"application/octet-stream"}
)

// head sends status and headers. Chosen, see FIDELITY.md: successful answers
// carry the sync token, errors do not.
func (x *exchange) head(status int) {
	h := x.w.Header()
	h["Content-Type"] = headerJSON
	if x.resp2 {
		h["Content-Type"] = headerRESP
	}
	if status == http.StatusOK {
		h.Set(syncHeader, x.syncToken())
	}
	x.w.WriteHeader(status)
}

// pipeline answers each command on its own, in order.
func (x *exchange) pipeline() {
	cmds, err := parseBatch(x.body)
	if err != nil {
		x.badRequest(err)
		return
	}
	replies := make([]command.Reply, len(cmds))
	for i, args := range cmds {
		if no := x.check(args); no.text != "" {
			replies[i] = no.reply()
			continue
		}
		if replies[i], err = x.run(args); err != nil {
			x.dead(err)
			return
		}
	}
	x.answerAll(replies)
}

func (x *exchange) answerAll(replies []command.Reply) {
	x.head(http.StatusOK)
	var out []byte
	if x.resp2 {
		for _, r := range replies {
			out = appendRESP(out, r)
		}
		x.s.write(x.w, out)
		return
	}
	out = append(out, '[')
	for i, r := range replies {
		if i > 0 {
			out = append(out, ',')
		}
		out = appendEnvelope(out, r, x.b64)
	}
	x.s.write(x.w, append(out, ']'))
}

// transaction runs all commands or none. Discarded ones are answered by an
// object, not by a list.
func (x *exchange) transaction() {
	cmds, err := parseBatch(x.body)
	if err != nil {
		x.badRequest(err)
		return
	}
	// All may be run before the first counts for a quota.
	for _, check := range []func([]string) refusal{x.checkAccess, x.checkLimits} {
		for _, args := range cmds {
			if no := check(args); no.text != "" {
				x.fail(no.status, discardText(no.text))
				return
			}
		}
	}
	for range cmds {
		if err := x.throttle(x.r.Context()); err != nil {
			x.dead(err)
			return
		}
	}
	results, discarded, err := x.s.engine.Transaction(x.r.Context(), cmds)
	if err != nil {
		x.dead(err)
		return
	}
	if discarded.Kind == command.KindError {
		x.fail(http.StatusBadRequest, string(discarded.Bytes))
		return
	}
	replies := make([]command.Reply, len(results))
	for i, r := range results {
		replies[i] = x.s.limitReply(r.Reply)
		x.ran(cmds[i], r)
	}
	x.answerAll(replies)
}

// discardText is what a transaction says that was not run. Chosen, see
// FIDELITY.md: a refusal with a code of its own keeps it, so that callers can
// tell NOPERM from a typo.
func discardText(cause string) string {
	if strings.HasPrefix(cause, "ERR ") && !strings.HasPrefix(cause, "ERR max ") {
		return "EXECABORT Transaction discarded because of: " + cause
	}
	return cause
}
