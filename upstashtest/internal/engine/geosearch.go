package engine

import "strconv"

func cmdGeoSearch(e *Engine, c *call) Reply { return e.geoSearch(c, c.args[1], c.args[2:], "") }

func cmdGeoSearchStore(e *Engine, c *call) Reply {
	return e.geoSearch(c, c.args[2], c.args[3:], c.args[1])
}

// words hands out the words of a command one after another.
type words struct {
	list []string
	bad  Reply
}

// take returns the next n words, or sets bad.
func (w *words) take(n int) []string {
	if len(w.list) < n {
		w.bad = errorReply(msgSyntax)
		return make([]string, n)
	}
	out := w.list[:n]
	w.list = w.list[n:]
	return out
}

// size reads a length that is not negative.
func (w *words) size(text, what string) float64 {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil && !isError(w.bad) {
		w.bad = errorf("ERR need numeric %s", what)
	}
	if f < 0 && !isError(w.bad) {
		w.bad = errorf("ERR %s cannot be negative", what)
	}
	return f
}

func (w *words) unit(text string) float64 {
	u := meters(text)
	if u == 0 && !isError(w.bad) {
		w.bad = errorReply(msgUnit)
	}
	return u
}

// option reads what both families of commands share; false if the word is
// something else.
func (s *search) option(word string, w *words) bool {
	switch word {
	case "ASC", "DESC":
		s.order = word
	case "COUNT":
		n, err := strictAtoi(w.take(1)[0])
		switch {
		case isError(w.bad):
		case err != nil:
			w.bad = errorReply(msgNotInt)
		case n <= 0:
			w.bad = errorReply("ERR COUNT must be > 0")
		}
		s.count = n
		if len(w.list) > 0 && upper(w.list[0]) == "ANY" {
			s.any = true
			w.take(1)
		}
	case "WITHCOORD":
		s.coord = true
	case "WITHDIST":
		s.dist = true
	case "WITHHASH":
		s.hash = true
	default:
		return false
	}
	return true
}

func (e *Engine) geoSearch(c *call, key string, list []string, store string) Reply {
	if _, bad := e.zset(key); isError(bad) {
		return bad
	}
	s := search{store: store}
	w := &words{list: list}
	from, by := 0, 0
	for len(w.list) > 0 && !isError(w.bad) {
		switch word := upper(w.take(1)[0]); word {
		case "FROMMEMBER":
			from++
			s.fromMember(e, key, w)
		case "FROMLONLAT":
			from++
			s.fromPoint(w)
		case "BYRADIUS":
			by++
			s.within(w)
		case "BYBOX":
			by++
			s.withinBox(w)
		default:
			if !s.option(word, w) && !s.storesDistance(word) {
				return errorReply(msgSyntax)
			}
		}
	}
	if isError(w.bad) {
		return w.bad
	}
	if bad := s.check(lower(c.info.Name), from, by); isError(bad) {
		return bad
	}
	return e.answerSearch(key, s)
}

// radiusOptions reads the words after the radius; STORE is for those that write.
func (s *search) radiusOptions(w *words, writes bool) {
	for len(w.list) > 0 && !isError(w.bad) {
		word := upper(w.take(1)[0])
		switch {
		case (word == "STORE" || word == "STOREDIST") && writes:
			s.store, s.storeDist = w.take(1)[0], word == "STOREDIST"
		case !s.option(word, w):
			w.bad = errorReply(msgSyntax)
		}
	}
}

// check says what is missing, given twice, or cannot be together.
func (s *search) check(name string, from, by int) Reply {
	switch {
	case from > 1 || by > 1:
		return errorReply(msgSyntax)
	case from != 1:
		return errorf("ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for %s", name)
	case by != 1:
		return errorf("ERR exactly one of BYRADIUS and BYBOX can be specified for %s", name)
	case s.store != "" && (s.coord || s.dist || s.hash):
		return errorf("ERR %s is not compatible with WITHDIST, WITHHASH and WITHCOORD options", name)
	}
	return nilReply
}

func (s *search) fromMember(e *Engine, key string, w *words) {
	name := w.take(1)[0]
	p, ok, bad := e.place(key, name)
	switch s.center = p; {
	case isError(bad):
		w.bad = bad
	case !ok && e.typeOf(key) != "none":
		w.bad = errorReply("ERR could not decode requested zset member")
	}
}

func (s *search) fromPoint(w *words) {
	at := w.take(2)
	if !isError(w.bad) {
		s.center, w.bad = parsePoint(at[0], at[1])
	}
}

func (s *search) within(w *words) {
	a := w.take(2)
	s.unit = w.unit(a[1])
	s.radius = w.size(a[0], "radius") * s.unit
}

func (s *search) withinBox(w *words) {
	a := w.take(3)
	s.unit = w.unit(a[2])
	s.width, s.height = w.size(a[0], "width")*s.unit, w.size(a[1], "height")*s.unit
}

func (s *search) storesDistance(word string) bool {
	s.storeDist = word == "STOREDIST"
	return s.storeDist && s.store != ""
}

// cmdGeoRadius is the older family: the center first, then the radius.
func cmdGeoRadius(e *Engine, c *call) Reply {
	key := c.args[1]
	if _, bad := e.zset(key); isError(bad) {
		return bad
	}
	var s search
	w := &words{list: c.args[2:]}
	if c.info.Name == "GEORADIUS" || c.info.Name == "GEORADIUS_RO" {
		s.fromPoint(w)
	} else {
		s.fromMember(e, key, w)
	}
	if !isError(w.bad) {
		s.within(w)
	}
	s.radiusOptions(w, c.info.Write)
	if isError(w.bad) {
		return w.bad
	}
	if s.store != "" && (s.coord || s.dist || s.hash) {
		return errorReply("ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options")
	}
	return e.answerSearch(key, s)
}
