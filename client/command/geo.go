package command

import (
	"errors"
	"fmt"
)

// GeoUnit is a unit of distance.
type GeoUnit string

// The units of distance.
const (
	Meters     GeoUnit = "m"
	Kilometers GeoUnit = "km"
	Feet       GeoUnit = "ft"
	Miles      GeoUnit = "mi"
)

func (c Command[T]) geoUnit(u GeoUnit) Command[T] {
	switch u {
	case Meters, Kilometers, Feet, Miles:
		return c
	}
	return c.fail(fmt.Errorf("unknown unit %q", string(u)))
}

// Point is a place on earth, in degrees.
type Point struct{ Longitude, Latitude float64 }

// GeoMember is a member of a geographical index with its place.
type GeoMember struct {
	Name  string
	Point Point
}

// GeoAddOption is an option of [GeoAdd]: [NX], [XX] or [CH].
type GeoAddOption interface {
	optional
	geoAddOption()
}

func (Existence) geoAddOption() {}
func (Changed) geoAddOption()   {}

// GeoAdd puts members into the geographical index at key and returns how many
// are new.
func GeoAdd(key string, members []GeoMember, opts ...GeoAddOption) Command[int64] {
	c := with(repeat(toInt, "GEOADD", key), opts).failIf(len(members) == 0, "no members")
	for _, m := range members {
		c = c.add(Float(m.Point.Longitude), Float(m.Point.Latitude), m.Name)
	}
	return c
}

// GeoDist returns the distance between two members, or [ErrNil] if one is not
// there.
func GeoDist(key, from, to string, unit GeoUnit) Command[float64] {
	return read(toFloat, "GEODIST", key, from, to, string(unit)).geoUnit(unit)
}

// GeoHash returns the geohashes of members in their order; those of missing
// members are not OK.
func GeoHash(key string, members ...string) Command[[]Maybe[string]] {
	return read(toMaybeStrings, "GEOHASH", key).add(members...)
}

// GeoPos returns the places of members in their order; those of missing
// members are not OK.
func GeoPos(key string, members ...string) Command[[]Maybe[Point]] {
	return read(listOf(maybe(toPoint)), "GEOPOS", key).add(members...)
}

func toPoint(r Reply) (Point, error) {
	if r.Kind != KindArray || len(r.Array) != 2 {
		return Point{}, mismatch("a longitude and a latitude", r)
	}
	lon, err := toFloat(r.Array[0])
	if err != nil {
		return Point{}, err
	}
	lat, err := toFloat(r.Array[1])
	return Point{Longitude: lon, Latitude: lat}, err
}

// GeoQuery is an area around a center, and what to return of its members.
// Exactly one of FromMember and From is the center; the area is a circle if
// Radius is set, else a box.
type GeoQuery struct {
	FromMember    string // a member of the index
	From          *Point // a place
	Radius        float64
	Width, Height float64
	Unit          GeoUnit // of the area and of the distances returned; "" stands for meters

	Count int   // at most so many, the nearest first; 0 for all
	Any   bool  // with Count: those found first, which is faster
	Order Order // "" for none
}

// Order is a direction of sorting.
type Order string

// The directions of sorting.
const (
	ASC  Order = "ASC"  // nearest first
	DESC Order = "DESC" // farthest first
)

// GeoResult is a member of an area. Only what was asked for is set.
type GeoResult struct {
	Name     string
	Distance float64 // from the center, in the unit of the query
	Hash     int64
	Point    Point
}

// GeoSearch returns the names of the members of an area.
func GeoSearch(key string, q GeoQuery) Command[[]string] {
	return read(toStrings, "GEOSEARCH", key).geoSearch(q)
}

// GeoSearchWith returns the members of an area with their distances, hashes
// and places.
func GeoSearchWith(key string, q GeoQuery) Command[[]GeoResult] {
	return read(toGeoResults, "GEOSEARCH", key).geoSearch(q).add(withAll...)
}

// GeoSearchStore stores the members of an area of source as a sorted set at
// destination and returns how many there are. The scores are their hashes.
func GeoSearchStore(destination, source string, q GeoQuery) Command[int64] {
	return write(toInt, "GEOSEARCHSTORE", destination, source).geoSearch(q)
}

// GeoSearchStoreDist is [GeoSearchStore] with the distances as scores.
func GeoSearchStoreDist(destination, source string, q GeoQuery) Command[int64] {
	return write(toInt, "GEOSEARCHSTORE", destination, source).geoSearch(q).add("STOREDIST")
}

var withAll = []string{"WITHCOORD", "WITHDIST", "WITHHASH"}

func (c Command[T]) geoSearch(q GeoQuery) Command[T] {
	unit := q.Unit
	if unit == "" {
		unit = Meters
	}
	c = c.geoUnit(unit)
	switch {
	case q.From != nil && q.FromMember != "":
		return c.fail(errors.New("a query takes From or FromMember, not both"))
	case q.From != nil:
		c = c.add("FROMLONLAT", Float(q.From.Longitude), Float(q.From.Latitude))
	default:
		c = c.add("FROMMEMBER", q.FromMember)
	}
	if q.Radius != 0 {
		c = c.failIf(q.Width != 0 || q.Height != 0, "an area is a circle or a box").
			add("BYRADIUS", Float(q.Radius), string(unit))
	} else {
		c = c.add("BYBOX", Float(q.Width), Float(q.Height), string(unit))
	}
	return c.geoTail(q.Count, q.Any, q.Order)
}

func (c Command[T]) geoTail(n int, first bool, o Order) Command[T] {
	switch o {
	case "":
	case ASC, DESC:
		c = c.add(string(o))
	default:
		return c.fail(fmt.Errorf("unknown order %q", string(o)))
	}
	if n > 0 {
		c = c.add("COUNT", count(n))
	}
	if first {
		c = c.add("ANY").failIf(n <= 0, "Any needs Count")
	}
	return c
}

// toGeoResults reads rows of name, distance, hash and place.
var toGeoResults = listOf(func(r Reply) (GeoResult, error) {
	if r.Kind != KindArray || len(r.Array) != 4 {
		return GeoResult{}, mismatch("a member with distance, hash and place", r)
	}
	var g GeoResult
	var err error
	if g.Name, err = toString(r.Array[0]); err != nil {
		return g, err
	}
	if g.Distance, err = toFloat(r.Array[1]); err != nil {
		return g, err
	}
	if g.Hash, err = toInt(r.Array[2]); err != nil {
		return g, err
	}
	g.Point, err = toPoint(r.Array[3])
	return g, err
})
