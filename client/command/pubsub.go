package command

// Publish sends message to channel and returns how many subscribers got it.
func Publish(channel string, message any) Command[int64] {
	return write(toInt, "PUBLISH", channel).value(message)
}

// PubSubChannels returns the channels with subscribers that match pattern,
// all of them if it is "".
func PubSubChannels(pattern string) Command[[]string] {
	c := readSub(toStrings, "PUBSUB", "CHANNELS")
	if pattern != "" {
		c = c.add(pattern)
	}
	return c
}

// PubSubNumPat returns how many patterns are subscribed to.
func PubSubNumPat() Command[int64] { return readSub(toInt, "PUBSUB", "NUMPAT") }

// PubSubNumSub returns how many subscribers each of channels has.
func PubSubNumSub(channels ...string) Command[map[string]int64] {
	return readSub(toCounts, "PUBSUB", "NUMSUB").add(channels...)
}

// toCounts reads an array of names and numbers in turn.
func toCounts(r Reply) (map[string]int64, error) {
	if r.Kind != KindArray || len(r.Array)%2 != 0 {
		return nil, mismatch("an array of pairs", r)
	}
	out := make(map[string]int64, len(r.Array)/2)
	for i := 0; i < len(r.Array); i += 2 {
		name, err := toString(r.Array[i])
		if err != nil {
			return nil, err
		}
		if out[name], err = toInt(r.Array[i+1]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Stream is a command whose answer does not end: the client serves it by an
// endpoint of its own and yields messages, see client.Client.Subscribe.
type Stream struct{ args []string }

// Name returns the name of the command in upper case.
func (s Stream) Name() string { return s.args[0] }

// Args returns the words of the command, name first. The slice must not be
// changed.
func (s Stream) Args() []string { return s.args }

func stream(args ...string) Stream { return Stream{args: args} }

// Subscribe listens to channels.
func Subscribe(channels ...string) Stream {
	s := stream("SUBSCRIBE")
	s.args = append(s.args, channels...)
	return s
}

// PSubscribe listens to all channels that match one of patterns.
func PSubscribe(patterns ...string) Stream {
	s := stream("PSUBSCRIBE")
	s.args = append(s.args, patterns...)
	return s
}

// Monitor shows every command that the server runs.
func Monitor() Stream { return stream("MONITOR") }
