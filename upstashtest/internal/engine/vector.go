package engine

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"maps"
	"math"
	"slices"
	"strconv"
)

// vectors is a value of type vector: an index of float32 vectors. It is
// searched by comparing with all of them, which is exact.
type vectors struct {
	dim    int
	metric string
	rows   map[string]int // by ID: which row of data
	ids    []string
	data   []float32 // one row after the other
}

func (v *vectors) kind() string { return "vector" }

func (v *vectors) clone() native {
	return &vectors{v.dim, v.metric, maps.Clone(v.rows), slices.Clone(v.ids), slices.Clone(v.data)}
}

func (v *vectors) row(i int) []float32 { return v.data[i*v.dim : (i+1)*v.dim] }

func (v *vectors) parts() []string {
	var out []string
	for i, id := range v.ids {
		out = append(out, id, string(packFloats(v.row(i))))
	}
	return out
}

func (v *vectors) dump() []string {
	return append([]string{strconv.Itoa(v.dim), v.metric}, v.parts()...)
}

func undumpVectors(parts []string) (native, bool) {
	r := &dumpReader{list: parts}
	v := &vectors{dim: int(r.number()), metric: r.text(), rows: map[string]int{}}
	for len(r.list) > 1 {
		id := r.text()
		row, ok := unpackFloats(r.text())
		if !ok || len(row) != v.dim {
			return nil, false
		}
		v.add(id, row)
	}
	return v, !r.broken && len(r.list) == 0 && v.dim > 0 && slices.Contains(metrics, v.metric)
}

// add stores a vector and reports whether its ID is new.
func (v *vectors) add(id string, row []float32) bool {
	if i, ok := v.rows[id]; ok {
		copy(v.row(i), row)
		return false
	}
	v.rows[id] = len(v.ids)
	v.ids = append(v.ids, id)
	v.data = append(v.data, row...)
	return true
}

// remove puts the last row in the place of the removed one.
func (v *vectors) remove(id string) bool {
	i, ok := v.rows[id]
	if !ok {
		return false
	}
	last := len(v.ids) - 1
	copy(v.row(i), v.row(last))
	v.ids[i] = v.ids[last]
	v.rows[v.ids[i]] = i
	delete(v.rows, id)
	v.ids, v.data = v.ids[:last], v.data[:last*v.dim]
	return true
}

func packFloats(row []float32) []byte {
	b := make([]byte, 0, 4*len(row))
	for _, f := range row {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(f))
	}
	return b
}

func unpackFloats(s string) ([]float32, bool) {
	if len(s) == 0 || len(s)%4 != 0 {
		return nil, false
	}
	row := make([]float32, len(s)/4)
	for i := range row {
		row[i] = math.Float32frombits(binary.LittleEndian.Uint32([]byte(s[4*i : 4*i+4])))
		if !finite(row[i]) {
			return nil, false
		}
	}
	return row, true
}

func finite(f float32) bool { return !math.IsNaN(float64(f)) && !math.IsInf(float64(f), 0) }

var metrics = []string{"COSINE", "EUCLIDEAN", "DOT"}

func vectorCommands() map[string]handler {
	return map[string]handler{
		"VECTOR.CREATE": cmdVectorCreate, "VECTOR.ADD": cmdVectorAdd, "VECTOR.GET": cmdVectorGet, "VECTOR.QUERY": cmdVectorQuery,
		"VECTOR.DEL": cmdVectorDel, "VECTOR.COUNT": cmdVectorCount, "VECTOR.INFO": cmdVectorInfo, "VECTOR.DROP": cmdVectorDrop,
	}
}

// vectors returns the index at key, nil if there is none.
func (e *Engine) vectors(key string) (*vectors, Reply) {
	if v, ok := e.natives[key].(*vectors); ok {
		return v, nilReply
	}
	if e.exists(key) {
		return nil, errorReply(msgWrongType)
	}
	return nil, nilReply
}

// index is vectors where a missing one is an error.
func (e *Engine) index(key string) (*vectors, Reply) {
	v, bad := e.vectors(key)
	if v == nil && !isError(bad) {
		bad = errorf("ERR Index %s is not found", key)
	}
	return v, bad
}

const maxDim = 32768

func cmdVectorCreate(e *Engine, c *call) Reply {
	key, dim, metric, existsOK := c.args[1], int64(0), "", false
	for i := 2; i < len(c.args); i++ {
		word, more := upper(c.args[i]), i+1 < len(c.args)
		switch {
		case word == "DIM" && more:
			i++
			var ok bool
			if dim, ok = parseInteger(c.args[i]); !ok || dim < 1 || dim > maxDim {
				return errorf("ERR DIM must be between 1 and %d", maxDim)
			}
		case word == "METRIC" && more:
			i++
			if metric = upper(c.args[i]); !slices.Contains(metrics, metric) {
				return errorReply("ERR METRIC must be COSINE, EUCLIDEAN or DOT")
			}
		case word == "EXISTSOK":
			existsOK = true
		default:
			return errorReply(msgSyntax)
		}
	}
	if dim == 0 || metric == "" {
		return errorReply(msgSyntax)
	}
	return e.createIndex(key, dim, metric, existsOK)
}

func (e *Engine) createIndex(key string, dim int64, metric string, existsOK bool) Reply {
	old, bad := e.vectors(key)
	switch {
	case isError(bad):
		return bad
	case old == nil:
		e.setNative(key, &vectors{dim: int(dim), metric: metric, rows: map[string]int{}})
		return intReply(1)
	case !existsOK:
		return errorf("ERR Index %s already exists", key)
	case old.dim != int(dim) || old.metric != metric:
		return errorf("ERR Index %s already exists with a different configuration", key)
	}
	return intReply(0)
}

// parseVector reads VALUES, FP32 or BASE64-FP32 at the front of words, and
// returns what follows. ok is false if there is none of them.
func parseVector(list []string) (row []float32, rest []string, ok bool, bad Reply) {
	if len(list) < 2 {
		return nil, nil, false, nilReply
	}
	switch upper(list[0]) {
	case "VALUES":
		n, valid := parseInteger(list[1])
		if !valid || n < 1 || n > int64(len(list)-2) {
			return nil, nil, true, errorReply("ERR invalid number of vector values")
		}
		for _, word := range list[2 : 2+n] {
			f, valid := parseFloat(word)
			if !valid || !finite(float32(f)) {
				return nil, nil, true, errorReply("ERR invalid vector value")
			}
			row = append(row, float32(f))
		}
		return row, list[2+n:], true, nilReply
	case "FP32":
		row, ok = unpackFloats(list[1])
	case "BASE64-FP32":
		b, err := base64.StdEncoding.DecodeString(list[1])
		row, ok = unpackFloats(string(b))
		ok = ok && err == nil
	default:
		return nil, nil, false, nilReply
	}
	if !ok {
		return nil, nil, true, errorReply("ERR invalid vector blob")
	}
	return row, list[2:], true, nilReply
}

func (v *vectors) checkDim(row []float32) Reply {
	if len(row) != v.dim {
		return errorf("ERR vector dimension mismatch: expected %d, got %d", v.dim, len(row))
	}
	return nilReply
}

func cmdVectorAdd(e *Engine, c *call) Reply {
	id := c.args[2]
	row, rest, ok, bad := parseVector(c.args[3:])
	switch {
	case isError(bad):
		return bad
	case !ok || len(rest) > 0:
		return errorReply(msgSyntax)
	case id == "":
		return errorReply("ERR vector id must not be empty")
	}
	v, bad := e.index(c.args[1])
	if isError(bad) {
		return bad
	}
	if bad := v.checkDim(row); isError(bad) {
		return bad
	}
	return boolReply(v.add(id, row))
}

func float32Reply(f float32) Reply {
	return bulk(strconv.FormatFloat(float64(f), 'g', -1, 32))
}

func cmdVectorGet(e *Engine, c *call) Reply {
	v, bad := e.index(c.args[1])
	if isError(bad) {
		return bad
	}
	i, ok := v.rows[c.args[2]]
	if !ok {
		return nilReply
	}
	r := array()
	for _, f := range v.row(i) {
		r.Array = append(r.Array, float32Reply(f))
	}
	return r
}

func cmdVectorDel(e *Engine, c *call) Reply {
	v, bad := e.index(c.args[1])
	if isError(bad) {
		return bad
	}
	return boolReply(v.remove(c.args[2]))
}

func cmdVectorCount(e *Engine, c *call) Reply {
	v, bad := e.vectors(c.args[1])
	if v == nil {
		return orZero(bad)
	}
	return intReply(int64(len(v.ids)))
}

func cmdVectorInfo(e *Engine, c *call) Reply {
	v, bad := e.vectors(c.args[1])
	if v == nil {
		return bad
	}
	return array(bulk("dimension"), intReply(int64(v.dim)), bulk("metric"), bulk(v.metric))
}

func cmdVectorDrop(e *Engine, c *call) Reply {
	v, bad := e.vectors(c.args[1])
	if v == nil {
		return orZero(bad)
	}
	e.remove(c.args[1])
	return intReply(1)
}

// maxTopK is the most that a query returns.
const maxTopK = 1000

func cmdVectorQuery(e *Engine, c *call) Reply {
	row, topK, bad := parseNearest(c.args[2:])
	if isError(bad) {
		return bad
	}
	v, bad := e.index(c.args[1])
	if isError(bad) {
		return bad
	}
	if bad := v.checkDim(row); isError(bad) {
		return bad
	}
	r := array()
	for _, n := range v.nearest(row, int(topK)) {
		r.Array = append(r.Array, array(bulk(v.ids[n.row]), float32Reply(v.score(n.likeness))))
	}
	return r
}

// parseNearest reads the vector and how many neighbours are wanted.
func parseNearest(list []string) (row []float32, topK int64, bad Reply) {
	for len(list) > 0 {
		found, rest, ok, bad := parseVector(list)
		switch {
		case isError(bad):
			return nil, 0, bad
		case ok && row == nil:
			row, list = found, rest
		case len(list) > 1 && upper(list[0]) == "TOPK":
			if topK, ok = parseInteger(list[1]); !ok || topK < 1 || topK > maxTopK {
				return nil, 0, errorf("ERR TOPK must be between 1 and %d", maxTopK)
			}
			list = list[2:]
		case len(list) > 1 && upper(list[0]) == "PROFILE":
			if !slices.Contains([]string{"FAST", "BALANCED", "PRECISE"}, upper(list[1])) {
				return nil, 0, errorReply("ERR PROFILE must be FAST, BALANCED or PRECISE")
			}
			list = list[2:]
		default:
			return nil, 0, errorReply(msgSyntax)
		}
	}
	if row == nil || topK == 0 {
		return nil, 0, errorReply(msgSyntax)
	}
	return row, topK, nilReply
}

// neighbour is a row and how like the query it is; more is nearer.
type neighbour struct {
	row      int
	likeness float32
}

// nearest compares with all rows and keeps the best.
func (v *vectors) nearest(query []float32, k int) []neighbour {
	all := make([]neighbour, len(v.ids))
	length := float32(math.Sqrt(float64(dot(query, query))))
	for i := range all {
		row := v.row(i)
		all[i].row = i
		switch v.metric {
		case "COSINE":
			if norm := length * float32(math.Sqrt(float64(dot(row, row)))); norm > 0 {
				all[i].likeness = dot(query, row) / norm
			}
		case "EUCLIDEAN":
			all[i].likeness = -squaredDistance(query, row)
		default:
			all[i].likeness = dot(query, row)
		}
	}
	slices.SortFunc(all, func(a, b neighbour) int {
		return cmp.Or(cmp.Compare(b.likeness, a.likeness), cmp.Compare(v.ids[a.row], v.ids[b.row]))
	})
	return all[:min(k, len(all))]
}

// score is from 0 to 1, by the formulas of Upstash Vector.
func (v *vectors) score(likeness float32) float32 {
	if v.metric == "EUCLIDEAN" {
		return 1 / (1 - likeness)
	}
	return min(max((1+likeness)/2, 0), 1)
}

// dot adds four products at a time: that is twice as fast.
func dot(a, b []float32) float32 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float32
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return s0 + s1 + s2 + s3
}

func squaredDistance(a, b []float32) float32 {
	b = b[:len(a)]
	var s0, s1 float32
	i := 0
	for ; i+2 <= len(a); i += 2 {
		d0, d1 := a[i]-b[i], a[i+1]-b[i+1]
		s0 += d0 * d0
		s1 += d1 * d1
	}
	for ; i < len(a); i++ {
		s0 += (a[i] - b[i]) * (a[i] - b[i])
	}
	return s0 + s1
}
