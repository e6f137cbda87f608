package command

// Circle is the area of the older geographical commands. [GeoSearch] replaces
// them and can do more.
type Circle struct {
	Radius float64
	Unit   GeoUnit // "" stands for meters
	Count  int     // at most so many, the nearest first; 0 for all
	Any    bool    // with Count: those found first, which is faster
	Order  Order   // "" for none
}

func (a Circle) unit() GeoUnit {
	if a.Unit == "" {
		return Meters
	}
	return a.Unit
}

func (c Command[T]) circle(a Circle) Command[T] {
	return c.add(Float(a.Radius), string(a.unit())).geoUnit(a.unit())
}

// GeoRadiusRO returns the members within a circle around a place, with their
// distances, hashes and places.
func GeoRadiusRO(key string, center Point, area Circle) Command[[]GeoResult] {
	return read(toGeoResults, "GEORADIUS_RO", key, Float(center.Longitude), Float(center.Latitude)).
		circle(area).add(withAll...).geoTail(area.Count, area.Any, area.Order)
}

// GeoRadiusByMemberRO is [GeoRadiusRO] around a member of the index.
func GeoRadiusByMemberRO(key, member string, area Circle) Command[[]GeoResult] {
	return read(toGeoResults, "GEORADIUSBYMEMBER_RO", key, member).
		circle(area).add(withAll...).geoTail(area.Count, area.Any, area.Order)
}

// GeoRadius is [GeoRadiusRO] as a write, for servers without the read-only
// form.
func GeoRadius(key string, center Point, area Circle) Command[[]GeoResult] {
	return write(toGeoResults, "GEORADIUS", key, Float(center.Longitude), Float(center.Latitude)).
		circle(area).add(withAll...).geoTail(area.Count, area.Any, area.Order)
}

// GeoRadiusByMember is [GeoRadius] around a member of the index.
func GeoRadiusByMember(key, member string, area Circle) Command[[]GeoResult] {
	return write(toGeoResults, "GEORADIUSBYMEMBER", key, member).
		circle(area).add(withAll...).geoTail(area.Count, area.Any, area.Order)
}

// GeoRadiusStore stores the members within a circle as a sorted set at
// destination and returns how many there are. The scores are their hashes.
func GeoRadiusStore(destination, source string, center Point, area Circle) Command[int64] {
	return write(toInt, "GEORADIUS", source, Float(center.Longitude), Float(center.Latitude)).
		circle(area).geoTail(area.Count, area.Any, area.Order).add("STORE", destination)
}

// GeoRadiusStoreDist is [GeoRadiusStore] with the distances as scores.
func GeoRadiusStoreDist(destination, source string, center Point, area Circle) Command[int64] {
	return write(toInt, "GEORADIUS", source, Float(center.Longitude), Float(center.Latitude)).
		circle(area).geoTail(area.Count, area.Any, area.Order).add("STOREDIST", destination)
}

// GeoRadiusByMemberStore is [GeoRadiusStore] around a member of the index.
func GeoRadiusByMemberStore(destination, source, member string, area Circle) Command[int64] {
	return write(toInt, "GEORADIUSBYMEMBER", source, member).
		circle(area).geoTail(area.Count, area.Any, area.Order).add("STORE", destination)
}

// GeoRadiusByMemberStoreDist is [GeoRadiusStoreDist] around a member of the index.
func GeoRadiusByMemberStoreDist(destination, source, member string, area Circle) Command[int64] {
	return write(toInt, "GEORADIUSBYMEMBER", source, member).
		circle(area).geoTail(area.Count, area.Any, area.Order).add("STOREDIST", destination)
}
