package engine

import "strconv"

// dump is the stream as a list of strings, its groups included.
func (s *stream) dump() []string {
	out := []string{s.last.String(), s.maxDeleted.String(), strconv.FormatUint(s.added, 10), itoa(int64(len(s.entries)))}
	for _, en := range s.entries {
		out = append(append(out, en.id.String(), itoa(int64(len(en.fields)))), en.fields...)
	}
	out = append(out, itoa(int64(len(s.groups))))
	for _, name := range s.groupNames() {
		g := s.groups[name]
		out = append(out, name, g.last.String(), itoa(g.read), itoa(int64(len(g.consumers))))
		for _, n := range g.names() {
			c := g.consumers[n]
			out = append(out, n, itoa(c.seen), itoa(c.active))
		}
		out = append(out, itoa(int64(len(g.pending))))
		for _, d := range g.pending {
			out = append(out, d.id.String(), d.consumer.name, itoa(d.at), itoa(d.count))
		}
	}
	return out
}

// dumpReader reads what a dump was made of. After a mistake it answers zeros
// and says so at the end.
type dumpReader struct {
	list   []string
	broken bool
}

func (r *dumpReader) text() string {
	if len(r.list) == 0 {
		r.broken = true
		return ""
	}
	first := r.list[0]
	r.list = r.list[1:]
	return first
}

func (r *dumpReader) number() int64 {
	n, ok := parseInteger(r.text())
	r.broken = r.broken || !ok
	return n
}

// count is a number of things that follow.
func (r *dumpReader) count() int {
	n := r.number()
	if n < 0 || n > int64(len(r.list)) {
		r.broken = true
		return 0
	}
	return int(n)
}

func (r *dumpReader) id() entryID {
	id, ok := parseEntryID(r.text(), 0)
	r.broken = r.broken || !ok
	return id
}

func (r *dumpReader) texts(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = r.text()
	}
	return out
}

// undumpStream makes a stream of its dump; false if it is damaged.
func undumpStream(parts []string) (native, bool) {
	r := &dumpReader{list: parts}
	s := newStream()
	last, maxDeleted, added := r.id(), r.id(), r.number()
	for range r.count() {
		id := r.id()
		s.add(id, r.texts(r.count()))
	}
	s.last, s.maxDeleted, s.added = last, maxDeleted, uint64(added)
	for range r.count() {
		name := r.text()
		g := &streamGroup{last: r.id(), read: r.number(), consumers: map[string]*consumer{}}
		for range r.count() {
			n := r.text()
			g.consumers[n] = &consumer{name: n, seen: r.number(), active: r.number()}
		}
		for range r.count() {
			d := &delivery{id: r.id(), consumer: g.consumers[r.text()], at: r.number(), count: r.number()}
			if r.broken = r.broken || d.consumer == nil; r.broken {
				return nil, false
			}
			g.pending = append(g.pending, d)
		}
		s.groups[name] = g
	}
	return s, !r.broken && len(r.list) == 0
}
