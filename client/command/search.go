package command

import (
	"errors"

	"github.com/cldcde/restash/internal/json"
)

// The SEARCH commands are Upstash's own, see
// https://upstash.com/docs/redis/search. Filters and aggregations are JSON
// objects: anything that encodes to one, or a string that holds one.

func (c Command[T]) query(q any) Command[T] {
	if s, ok := q.(string); ok {
		return c.add(s).failIf(!json.Valid([]byte(s)), "the filter is not JSON")
	}
	return c.json(q)
}

// SearchIndex describes an index for [SearchCreate]. Either Prefixes or
// Stream is set.
type SearchIndex struct {
	On              string   // JSON, HASH or STRING; not with Stream
	Prefixes        []string // of the keys to index
	Stream          string   // the key of a stream to index
	Language        string   // "" stands for english
	SkipInitialScan bool     // index only what is written from now on
	ExistsOK        bool     // an equal index is no error
	Schema          []SearchField
}

// SearchField is a field of an index.
type SearchField struct {
	Name       string
	Type       string // TEXT, U64, I64, F64, BOOL, DATE, KEYWORD, FACET or HYBRID
	Fast       bool   // numbers, booleans and dates: can be sorted and aggregated
	NoStem     bool   // TEXT only
	NoTokenize bool   // TEXT only
	From       string // the field of the document, if that has another name
}

func (i SearchIndex) args() ([]string, error) {
	var args []string
	if i.SkipInitialScan {
		args = append(args, "SKIPINITIALSCAN")
	}
	if i.ExistsOK {
		args = append(args, "EXISTSOK")
	}
	switch {
	case i.Stream != "" && (len(i.Prefixes) > 0 || i.On != ""):
		return nil, errors.New("Stream excludes On and Prefixes")
	case i.Stream != "":
		args = append(args, "ON", "STREAM", i.Stream)
	case i.On == "" || len(i.Prefixes) == 0:
		return nil, errors.New("an index needs On and Prefixes, or Stream")
	default:
		args = append(append(args, "ON", i.On, "PREFIX", count(len(i.Prefixes))), i.Prefixes...)
	}
	if i.Language != "" {
		args = append(args, "LANGUAGE", i.Language)
	}
	if len(i.Schema) == 0 {
		return nil, errors.New("an index needs a Schema")
	}
	args = append(args, "SCHEMA")
	for _, f := range i.Schema {
		args = f.append(args)
	}
	return args, nil
}

func (f SearchField) append(args []string) []string {
	args = append(args, f.Name, f.Type)
	if f.Fast {
		args = append(args, "FAST")
	}
	if f.NoTokenize {
		args = append(args, "NOTOKENIZE")
	}
	if f.NoStem {
		args = append(args, "NOSTEM")
	}
	if f.From != "" {
		args = append(args, "FROM", f.From)
	}
	return args
}

// SearchCreate creates an index and reports whether it is new.
func SearchCreate(name string, index SearchIndex) Command[bool] {
	args, err := index.args()
	return write(toBool, "SEARCH.CREATE", name).add(args...).fail(err)
}

// SearchDrop deletes an index, not the keys, and reports whether there was
// one.
func SearchDrop(name string) Command[bool] { return repeat(toBool, "SEARCH.DROP", name) }

// SearchInfo describes an index. Each row of Schema is the name of a field,
// its type and its options.
type SearchInfo struct {
	Name, Type, Language      string
	Prefixes                  []string
	IndexSize, PendingUpdates int64
	Schema                    [][]string
}

// SearchDescribe describes an index, or returns [ErrNil] if there is none.
func SearchDescribe(name string) Command[SearchInfo] {
	return read(toSearchInfo, "SEARCH.DESCRIBE", name)
}

func toSearchInfo(r Reply) (SearchInfo, error) {
	if r.Kind == KindNil {
		return SearchInfo{}, ErrNil
	}
	rec := toRecord(r)
	info := SearchInfo{
		Name:           field(rec, "name", toString).Value,
		Type:           field(rec, "type", toString).Value,
		Language:       field(rec, "language", toString).Value,
		Prefixes:       field(rec, "prefixes", toStrings).Value,
		IndexSize:      field(rec, "indexSize", toInt).Value,
		PendingUpdates: field(rec, "pendingUpdates", toInt).Value,
		Schema:         field(rec, "schema", listOf(toStrings)).Value,
	}
	return info, rec.err
}

// SearchWaitIndexing waits until queries see all writes so far, and reports
// whether there is such an index.
func SearchWaitIndexing(name string) Command[bool] {
	return read(toBool, "SEARCH.WAITINDEXING", name)
}

// SearchReindex builds an index anew from the keys and reports whether there
// is one.
func SearchReindex(name string) Command[bool] { return repeat(toBool, "SEARCH.REINDEX", name) }

// SearchAliasAdd lets alias stand for an index and reports whether the alias
// is new.
func SearchAliasAdd(alias, name string) Command[bool] {
	return repeat(toNew, "SEARCH.ALIASADD", alias, name)
}

// toNew reads 1 for new and 2 for changed.
func toNew(r Reply) (bool, error) {
	n, err := toInt(r)
	return n == 1, err
}

// SearchAliasDel deletes an alias and reports whether there was one.
func SearchAliasDel(alias string) Command[bool] { return repeat(toBool, "SEARCH.ALIASDEL", alias) }

// SearchListAliases returns the indexes by alias.
func SearchListAliases() Command[map[string]string] {
	return read(toAliases, "SEARCH.LISTALIASES")
}

func toAliases(r Reply) (map[string]string, error) {
	pairs, err := toPairs(r)
	out := make(map[string]string, len(pairs))
	for _, p := range pairs {
		out[p.Field] = p.Value
	}
	return out, err
}

// SearchListing is a row of [SearchListIndexes].
type SearchListing struct{ Name, Type string }

// SearchListIndexes returns the indexes whose names match pattern, all if it
// is "".
func SearchListIndexes(pattern string) Command[[]SearchListing] {
	c := read(toListings, "SEARCH.LISTINDEXES")
	if pattern != "" {
		c = c.add("MATCH", pattern)
	}
	return c
}

var toListings = listOf(func(r Reply) (SearchListing, error) {
	rec := toRecord(r)
	l := SearchListing{
		Name: field(rec, "name", toString).Value,
		Type: field(rec, "type", toString).Value,
	}
	return l, rec.err
})

// SearchCount returns how many documents match filter.
func SearchCount(name string, filter any) Command[int64] {
	return read(toInt, "SEARCH.COUNT", name).query(filter)
}

// SearchAggregate computes aggregations over the documents that match filter
// and returns each by its name, in the shape of Redis replies: nil, int64,
// string and []any with names and values in turn. It is [ErrNil] if there is
// no such index.
func SearchAggregate(name string, filter, aggregations any) Command[map[string]any] {
	return read(toTrees, "SEARCH.AGGREGATE", name).query(filter).query(aggregations)
}

func toTrees(r Reply) (map[string]any, error) {
	if r.Kind == KindNil {
		return nil, ErrNil
	}
	rec := toRecord(r)
	out := make(map[string]any, len(rec.values))
	for name, v := range rec.values {
		t, err := tree(v)
		if err != nil {
			return nil, err
		}
		out[name] = t
	}
	return out, rec.err
}
