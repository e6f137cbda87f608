package engine

import (
	"fmt"
	"slices"
)

func pubsubCommands() map[string]handler {
	return map[string]handler{
		"PUBLISH": cmdPublish, "PUBSUB CHANNELS": cmdChannels,
		"PUBSUB NUMSUB": cmdNumSub, "PUBSUB NUMPAT": cmdNumPat,
		"SUBSCRIBE": cmdStreamOnly, "PSUBSCRIBE": cmdStreamOnly, "MONITOR": cmdStreamOnly,
	}
}

// cmdStreamOnly refuses what has an endpoint of its own.
func cmdStreamOnly(_ *Engine, c *call) Reply { return Unavailable(c.info.Name) }

func cmdPublish(e *Engine, c *call) Reply {
	return intReply(int64(e.hub.publish(c.args[1], c.args[2])))
}

func cmdChannels(e *Engine, c *call) Reply {
	if len(c.args) > 3 {
		return wrongArity(c.info.Name)
	}
	channels, _ := e.hub.counts()
	names := []string{}
	for name := range channels {
		if len(c.args) < 3 || Match(c.args[2], name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return bulks(names)
}

func cmdNumSub(e *Engine, c *call) Reply {
	channels, _ := e.hub.counts()
	r := array()
	for _, name := range c.args[2:] {
		r.Array = append(r.Array, bulk(name), intReply(int64(channels[name])))
	}
	return r
}

func cmdNumPat(e *Engine, _ *call) Reply {
	_, n := e.hub.counts()
	return intReply(int64(n))
}

// Subscribe opens a stream of the named channels. Its first events confirm
// each channel.
func (e *Engine) Subscribe(channels ...string) (*Subscription, error) {
	s := e.hub.newSubscription()
	for i, c := range channels {
		s.channels[c] = true
		s.queue = append(s.queue, fmt.Sprintf("subscribe,%s,%d", c, i+1))
	}
	return s, e.hub.add(s)
}

// PSubscribe opens a stream of all channels that match the patterns.
func (e *Engine) PSubscribe(patterns ...string) (*Subscription, error) {
	s := e.hub.newSubscription()
	for i, p := range patterns {
		s.patterns[p] = true
		s.queue = append(s.queue, fmt.Sprintf("psubscribe,%s,%d", p, i+1))
	}
	return s, e.hub.add(s)
}

// Monitor opens a stream of all commands that run from now on.
func (e *Engine) Monitor() (*Subscription, error) {
	s := e.hub.newSubscription()
	s.monitor = true
	s.queue = append(s.queue, `"OK"`)
	return s, e.hub.add(s)
}
