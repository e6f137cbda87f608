package engine

import (
	"errors"
	"strconv"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
)

// join is joinSets for a Redis that is not known to lack MSETEX.
func (e *Engine) join(cmds []cmd) (joined []cmd, place []int) {
	if !e.noMSETEX.Load() {
		return joinSets(cmds)
	}
	place = make([]int, len(cmds))
	for i := range place {
		place[i] = i
	}
	return cmds, place
}

// spread gives each of the commands that were joined its reply.
func spread(replies []reply, place []int) []reply {
	if replies == nil {
		return nil
	}
	all := make([]reply, len(place))
	for i, at := range place {
		all[i] = replies[at]
	}
	return all
}

// doubt looks at what became of pending tokens that went ahead of a request.
// Nobody asks again for those of a refused MSETEX; they stay pending, and the next
// try is a plain SET. If that is carried out, it was the command's fault.
func (e *Engine) doubt(ahead []cmd, replies []reply) {
	switch {
	case len(ahead) == 0:
	case ahead[0].Args()[0] == msetex:
		e.doubted.Store(notCarriedOut(replies[0].err))
	case replies[0].err == nil && e.doubted.Load():
		e.noMSETEX.Store(true)
	}
}

const msetex = "MSETEX"

// joinSets puts plain SETs of one lifetime together. place says which of the
// joined commands carries each of cmds out.
func joinSets(cmds []cmd) (joined []cmd, place []int) {
	pairs := map[string][]string{} // by lifetime
	for _, c := range cmds {
		if life, ok := plainSet(c); ok {
			pairs[life] = append(pairs[life], c.Args()[1:3]...)
		}
	}
	place = make([]int, len(cmds))
	at := map[string]int{}
	for i, c := range cmds {
		life, ok := plainSet(c)
		group := pairs[life]
		if ok = ok && len(group) > 2; !ok {
			place[i] = len(joined)
			joined = append(joined, c)
			continue
		}
		if _, done := at[life]; !done {
			at[life] = len(joined)
			args := append([]string{strconv.Itoa(len(group) / 2)}, group...)
			joined = append(joined, command.New(asIs, msetex, append(args, "PX", life)...).Once())
		}
		place[i] = at[life]
	}
	return joined, place
}

// plainSet returns the lifetime of a SET without a condition.
func plainSet(c cmd) (life string, ok bool) {
	args := c.Args()
	if len(args) != 5 || args[0] != "SET" || args[3] != "PX" {
		return "", false
	}
	return args[4], true
}

// notCarriedOut reports whether Redis does not know a command, or does not let
// this user have it. Other refusals, such as a full memory, are those of SET too.
func notCarriedOut(err error) bool {
	e, ok := errors.AsType[*client.Error](err)
	return ok && (e.Code == "ERR" || e.Code == "NOPERM")
}
