package engine

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Redis keeps a place as the score of a sorted set: 26 bits of longitude and
// latitude, interleaved. Latitudes end where the Mercator projection does.
const (
	maxLat      = 85.05112878
	maxLong     = 180.0
	geoBits     = 26
	earthRadius = 6372797.560856
)

type point struct{ long, lat float64 }

func (p point) encode(latRange float64) uint64 {
	x := uint64((p.long + maxLong) / (2 * maxLong) * (1 << geoBits))
	y := uint64((p.lat + latRange) / (2 * latRange) * (1 << geoBits))
	return spread(y) | spread(x)<<1
}

func decodePoint(hash uint64) point {
	x, y := squeeze(hash>>1), squeeze(hash)
	middle := func(n uint64, size float64) float64 {
		low := -size + float64(n)/(1<<geoBits)*2*size
		high := -size + float64(n+1)/(1<<geoBits)*2*size
		return (low + high) / 2
	}
	return point{
		long: min(max(middle(x, maxLong), -maxLong), maxLong),
		lat:  min(max(middle(y, maxLat), -maxLat), maxLat),
	}
}

// spread puts the bits of n into the even places.
func spread(n uint64) uint64 {
	var out uint64
	for i := range geoBits {
		out |= (n >> i & 1) << (2 * i)
	}
	return out
}

func squeeze(n uint64) uint64 {
	var out uint64
	for i := range 32 { // all bits: a score that is no place ends at the edge
		out |= (n >> (2 * i) & 1) << i
	}
	return out
}

func distance(a, b point) float64 {
	rad := math.Pi / 180
	u := math.Sin((b.lat*rad - a.lat*rad) / 2)
	v := math.Sin((b.long*rad - a.long*rad) / 2)
	if v == 0 {
		return earthRadius * math.Abs(b.lat*rad-a.lat*rad)
	}
	return 2 * earthRadius * math.Asin(math.Sqrt(u*u+math.Cos(a.lat*rad)*math.Cos(b.lat*rad)*v*v))
}

// meters of a unit; 0 if there is no such unit.
func meters(unit string) float64 {
	return map[string]float64{"M": 1, "KM": 1000, "FT": 0.3048, "MI": 1609.34}[upper(unit)]
}

const msgUnit = "ERR unsupported unit provided. please use M, KM, FT, MI"

func parsePoint(long, lat string) (point, Reply) {
	x, ok1 := parseFloat(long)
	y, ok2 := parseFloat(lat)
	if !ok1 || !ok2 {
		return point{}, errorReply(msgNotFloat)
	}
	if !(math.Abs(x) <= maxLong && math.Abs(y) <= maxLat) {
		return point{}, errorf("ERR invalid longitude,latitude pair %s,%s", cFixed(x), cFixed(y))
	}
	return point{x, y}, nilReply
}

// cFixed prints a number as C's %f does.
func cFixed(f float64) string {
	return strings.TrimPrefix(lower(strconv.FormatFloat(f, 'f', 6, 64)), "+")
}

func cmdGeoAdd(e *Engine, c *call) Reply {
	add := []string{"ZADD", c.args[1]}
	words := c.args[2:]
	for len(words) > 0 {
		word := upper(words[0])
		if word != "NX" && word != "XX" && word != "CH" {
			break
		}
		add, words = append(add, word), words[1:]
	}
	if len(words) == 0 || len(words)%3 != 0 {
		return errorReply(msgSyntax)
	}
	for w := range slices.Chunk(words, 3) {
		p, bad := parsePoint(w[0], w[1])
		if isError(bad) {
			return bad
		}
		add = append(add, strconv.FormatUint(p.encode(maxLat), 10), w[2])
	}
	return e.do(add...)
}

// place finds a member.
func (e *Engine) place(key, name string) (p point, ok bool, bad Reply) {
	r := e.do("ZSCORE", key, name)
	if isError(r) || isNil(r) {
		return p, false, r
	}
	score, err := strconv.ParseFloat(text(r), 64)
	if err != nil {
		return p, false, errorReply(msgNotFloat)
	}
	return decodePoint(uint64(score)), true, nilReply
}

func coordinates(p point) Reply {
	return array(bulk(geoFloat(p.long)), bulk(geoFloat(p.lat)))
}

// geoFloat prints a coordinate with 17 decimals and no zeros at the end.
func geoFloat(f float64) string {
	s := strconv.FormatFloat(f, 'f', 17, 64)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

func cmdGeoPos(e *Engine, c *call) Reply {
	if _, bad := e.zset(c.args[1]); isError(bad) {
		return bad
	}
	r := array()
	for _, name := range c.args[2:] {
		p, ok, bad := e.place(c.args[1], name)
		switch {
		case isError(bad):
			return bad
		case ok:
			r.Array = append(r.Array, coordinates(p))
		default:
			r.Array = append(r.Array, nilReply)
		}
	}
	return r
}

func cmdGeoDist(e *Engine, c *call) Reply {
	unit := 1.0
	switch {
	case len(c.args) == 5:
		if unit = meters(c.args[4]); unit == 0 {
			return errorReply(msgUnit)
		}
	case len(c.args) > 5:
		return errorReply(msgSyntax)
	}
	a, okA, bad := e.place(c.args[1], c.args[2])
	if isError(bad) {
		return bad
	}
	b, okB, bad := e.place(c.args[1], c.args[3])
	if isError(bad) || !okA || !okB {
		return bad
	}
	return bulk(strconv.FormatFloat(distance(a, b)/unit, 'f', 4, 64))
}

// cmdGeoHash gives standard geohashes, whose latitudes go to the poles.
func cmdGeoHash(e *Engine, c *call) Reply {
	const alphabet = "0123456789bcdefghjkmnpqrstuvwxyz"
	if _, bad := e.zset(c.args[1]); isError(bad) {
		return bad
	}
	r := array()
	for _, name := range c.args[2:] {
		p, ok, bad := e.place(c.args[1], name)
		if isError(bad) {
			return bad
		}
		if !ok {
			r.Array = append(r.Array, nilReply)
			continue
		}
		bits := p.encode(90)
		hash := make([]byte, 11)
		for i := range hash {
			if shift := 52 - (i+1)*5; shift >= 0 {
				hash[i] = alphabet[bits>>shift&31]
			} else {
				hash[i] = '0' // only 52 bits are known
			}
		}
		r.Array = append(r.Array, bulk(string(hash)))
	}
	return r
}

// search is what GEOSEARCH and GEORADIUS look for.
type search struct {
	center        point
	radius        float64 // in meters; of a box the half sides count
	width, height float64
	unit          float64
	order         string // ASC, DESC or ""
	count         int
	any           bool
	coord         bool
	dist          bool
	hash          bool
	store         string
	storeDist     bool
}

type hit struct {
	name string
	at   point
	hash uint64
	raw  float64 // the score as it is
	far  float64
}

// find returns the hits in the order that is asked for.
func (e *Engine) find(key string, s search) ([]hit, Reply) {
	z, bad := e.zset(key)
	if z == nil {
		return nil, bad
	}
	var hits []hit
	for _, m := range z.order {
		h := hit{name: m.name, at: decodePoint(uint64(m.score)), hash: uint64(m.score), raw: m.score}
		if h.far = distance(s.center, h.at); s.inside(h) {
			hits = append(hits, h)
		}
		if s.any && s.count > 0 && len(hits) == s.count {
			break
		}
	}
	order := s.order
	if order == "" && s.count > 0 && !s.any {
		order = "ASC"
	}
	if order != "" {
		slices.SortStableFunc(hits, func(a, b hit) int {
			if order == "DESC" {
				a, b = b, a
			}
			return cmp.Compare(a.far, b.far)
		})
	}
	if s.count > 0 {
		hits = hits[:min(s.count, len(hits))]
	}
	return hits, nilReply
}

func (s search) inside(h hit) bool {
	if s.width == 0 && s.height == 0 {
		return h.far <= s.radius
	}
	if distance(point{s.center.long, h.at.lat}, s.center) > s.height/2 {
		return false
	}
	return distance(point{s.center.long, h.at.lat}, h.at) <= s.width/2
}

// answerSearch shows the hits, or stores them.
func (e *Engine) answerSearch(key string, s search) Reply {
	hits, bad := e.find(key, s)
	if isError(bad) {
		return bad
	}
	if s.store != "" {
		var ms []member
		for _, h := range hits {
			score := h.raw
			if s.storeDist {
				score = h.far / s.unit
			}
			ms = append(ms, member{h.name, score})
		}
		return e.storeMembers(s.store, ms)
	}
	r := array()
	for _, h := range hits {
		one := array(bulk(h.name))
		if s.dist {
			one.Array = append(one.Array, bulk(strconv.FormatFloat(h.far/s.unit, 'f', 4, 64)))
		}
		if s.hash {
			one.Array = append(one.Array, intReply(int64(h.hash)))
		}
		if s.coord {
			one.Array = append(one.Array, coordinates(h.at))
		}
		if len(one.Array) == 1 {
			one = one.Array[0]
		}
		r.Array = append(r.Array, one)
	}
	return r
}
