package command

// PFAdd adds elements to the HyperLogLog at key and reports whether its
// estimate changed.
func PFAdd(key string, elements ...any) Command[bool] {
	return repeat(toBool, "PFADD", key).values(elements)
}

// PFCount returns the estimated number of different elements in the union of
// the HyperLogLogs at keys.
func PFCount(keys ...string) Command[int64] {
	return read(toInt, "PFCOUNT").add(keys...).failIf(len(keys) == 0, "no keys")
}

// PFMerge merges the HyperLogLogs at sources into destination.
func PFMerge(destination string, sources ...string) Command[OK] {
	return repeat(toOK, "PFMERGE", destination).add(sources...)
}
