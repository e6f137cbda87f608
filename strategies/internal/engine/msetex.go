package engine

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/cldcde/restash/client"
	"github.com/cldcde/restash/client/command"
)

// setMany sends cmds as [Engine.call] does, but plain SETs of one lifetime as one
// MSETEX: a batch of n entries is then billed as one command. A Redis that does
// not know it is noticed once, and gets SETs from then on.
func (e *Engine) setMany(ctx context.Context, budget time.Duration, cmds []cmd) ([]reply, cost, error) {
	if e.noMSETEX.Load() {
		return e.call(ctx, budget, cmds...)
	}
	began := time.Now()
	joined, place := joinSets(cmds)
	replies, spent, err := e.call(ctx, budget, joined...)
	if err != nil {
		return nil, spent, err
	}
	all := make([]reply, len(cmds))
	refused := 0
	for i, at := range place {
		all[i] = replies[at]
	}
	for i, c := range joined {
		if c.Args()[0] == msetex && notCarriedOut(replies[i].err) {
			refused++
		}
	}
	if refused == 0 {
		return all, spent, nil
	}
	all, again, err := e.call(ctx, budget-time.Since(began), cmds...)
	spent.add(again)
	if err == nil && !slices.ContainsFunc(all, func(r reply) bool { return r.err != nil }) {
		e.noMSETEX.Store(true)
		spent.commands -= refused // what Redis does not know is not billed
	}
	return all, spent, err
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
