package command

import (
	"encoding/base64"
	"encoding/binary"
	"math"
)

// The VECTOR commands are Upstash's own: an index is a value at an ordinary
// key, see https://upstash.com/docs/redis/vector. Vectors travel as float32 in
// base64, bit for bit.

// VectorMetric is how the vectors of an index are compared.
type VectorMetric string

// The metrics of [VectorIndex].
const (
	Cosine     VectorMetric = "COSINE"
	Euclidean  VectorMetric = "EUCLIDEAN"
	DotProduct VectorMetric = "DOT"
)

// VectorIndex describes an index for [VectorCreate]. Dim and Metric stay what
// they are for as long as it lives.
type VectorIndex struct {
	Dim      int // 1 to 32768
	Metric   VectorMetric
	ExistsOK bool // an equal index is no error, and the reply is false
}

// VectorCreate creates an index and reports whether it is new. It is repeated
// after a lost answer only with ExistsOK.
func VectorCreate(index string, args VectorIndex) Command[bool] {
	c := write(toBool, "VECTOR.CREATE", index).add("DIM", count(args.Dim), "METRIC", string(args.Metric))
	c = c.failIf(args.Dim < 1 || args.Dim > 32768, "Dim is not 1 to 32768").failIf(args.Metric == "", "no Metric")
	if args.ExistsOK {
		return c.add("EXISTSOK").Repeat()
	}
	return c
}

// VectorAdd stores a vector under id, in place of one that is there, and
// reports whether there was none.
func VectorAdd(index, id string, vector []float32) Command[bool] {
	return repeat(toBool, "VECTOR.ADD", index, id).failIf(id == "", "the id is empty").vector(vector)
}

func (c Command[T]) vector(vector []float32) Command[T] {
	raw := make([]byte, 0, 4*len(vector))
	for _, f := range vector {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(f))
	}
	return c.add("BASE64-FP32", base64.StdEncoding.EncodeToString(raw)).failIf(len(vector) == 0, "the vector is empty")
}

// VectorGet returns the vector under id, or [ErrNil] if there is none. An index
// that does not exist is an error of the server.
func VectorGet(index, id string) Command[[]float32] {
	return read(toVector, "VECTOR.GET", index, id)
}

func toVector(r Reply) ([]float32, error) {
	if r.Kind == KindNil {
		return nil, ErrNil
	}
	return listOf(func(r Reply) (float32, error) {
		f, err := toFloat(r)
		return float32(f), err
	})(r)
}

// VectorProfile trades the speed of a query for its precision.
type VectorProfile string

// The profiles of [VectorSearch].
const (
	Fast     VectorProfile = "FAST"
	Balanced VectorProfile = "BALANCED"
	Precise  VectorProfile = "PRECISE"
)

// VectorSearch says what [VectorQuery] returns.
type VectorSearch struct {
	TopK    int           // at most so many, 1 to 1000; 0 stands for 10
	Profile VectorProfile // "" stands for BALANCED
}

// VectorHit is a vector that is near: the higher the score, 0 to 1, the nearer.
type VectorHit struct {
	ID    string
	Score float64
}

// VectorQuery returns the vectors nearest to vector, best first. The search is
// approximate.
func VectorQuery(index string, vector []float32, args VectorSearch) Command[[]VectorHit] {
	k := args.TopK
	if k == 0 {
		k = 10
	}
	c := read(toVectorHits, "VECTOR.QUERY", index).add("TOPK", count(k)).vector(vector)
	c = c.failIf(k < 1 || k > 1000, "TopK is not 1 to 1000")
	if args.Profile != "" {
		c = c.add("PROFILE", string(args.Profile))
	}
	return c
}

var toVectorHits = listOf(func(r Reply) (h VectorHit, err error) {
	if r.Kind != KindArray || len(r.Array) != 2 {
		return h, mismatch("an id and a score", r)
	}
	if h.ID, err = toString(r.Array[0]); err != nil {
		return h, err
	}
	h.Score, err = toFloat(r.Array[1])
	return h, err
})

// VectorDel deletes the vector under id and reports whether there was one. The
// index stays, also when it is empty.
func VectorDel(index, id string) Command[bool] { return repeat(toBool, "VECTOR.DEL", index, id) }

// VectorCount returns how many vectors an index holds; 0 if there is none.
func VectorCount(index string) Command[int64] { return read(toInt, "VECTOR.COUNT", index) }

// VectorDescription is what [VectorInfo] tells of an index.
type VectorDescription struct {
	Dim    int64
	Metric VectorMetric
}

// VectorInfo describes an index, or returns [ErrNil] if there is none.
func VectorInfo(index string) Command[VectorDescription] {
	return read(toVectorDescription, "VECTOR.INFO", index)
}

func toVectorDescription(r Reply) (VectorDescription, error) {
	if r.Kind == KindNil {
		return VectorDescription{}, ErrNil
	}
	rec := toRecord(r)
	d := VectorDescription{
		Dim:    field(rec, "dimension", toInt).Value,
		Metric: VectorMetric(field(rec, "metric", toString).Value),
	}
	return d, rec.err
}

// VectorDrop deletes an index with its vectors and reports whether there was
// one.
func VectorDrop(index string) Command[bool] { return repeat(toBool, "VECTOR.DROP", index) }
