package command

// SearchArgs says what [SearchQuery] returns and in which order.
type SearchArgs struct {
	Limit     int      // at most so many, up to 1000; 0 stands for 10
	Offset    int      // skip so many
	OrderBy   string   // a FAST field; "" for the score
	Order     Order    // of OrderBy; "" for the server's default
	Select    []string // these fields only; none for all
	NoContent bool     // keys and scores only
	Highlight []string // mark the matches in these fields
	Tags      [2]string
	Score     []ScoreField // numeric fields that change the score
	ScoreMode string       // how they are combined: SUM, MULTIPLY or REPLACE
	Combine   string       // how they are combined with the score: SUM or MULTIPLY
}

// ScoreField is a FAST numeric field that changes the score.
type ScoreField struct {
	Field    string
	Modifier string   // NONE, LOG, LOG1P, LOG2P, LN, LN1P, LN2P, SQUARE, SQRT or RECIPROCAL; "" for none
	Factor   *float64 // nil stands for 1
	Mode     string   // how it changes the score, where fields differ: SUM, MULTIPLY or REPLACE
	Missing  *float64 // the value of documents without the field; nil stands for 0
}

// SearchHit is a document that matches. Fields is empty with NoContent; of a
// JSON index it is one pair whose field is "$" and whose value is the document.
type SearchHit struct {
	Key    string
	Score  float64
	Fields []Pair
}

// SearchQuery returns the documents that match filter, or [ErrNil] if there
// is no such index.
func SearchQuery(name string, filter any, args SearchArgs) Command[[]SearchHit] {
	c := read(toHits, "SEARCH.QUERY", name).query(filter)
	c = c.failIf(args.NoContent && len(args.Select)+len(args.Highlight) > 0, "NoContent excludes Select and Highlight")
	c = c.failIf(args.OrderBy != "" && len(args.Score) > 0, "OrderBy excludes Score")
	if args.Limit != 0 {
		c = c.add("LIMIT", count(args.Limit))
	}
	if args.Offset != 0 {
		c = c.add("OFFSET", count(args.Offset))
	}
	if args.NoContent {
		c = c.add("NOCONTENT")
	}
	if args.OrderBy != "" {
		c = c.add("ORDERBY", args.OrderBy)
		if args.Order != "" {
			c = c.add(string(args.Order))
		}
	}
	c = c.score(args).highlight(args)
	if len(args.Select) > 0 {
		c = c.add("SELECT", count(len(args.Select))).add(args.Select...)
	}
	return c
}

func (c Command[T]) highlight(args SearchArgs) Command[T] {
	if len(args.Highlight) == 0 {
		return c
	}
	c = c.add("HIGHLIGHT", "FIELDS", count(len(args.Highlight))).add(args.Highlight...)
	if args.Tags != [2]string{} {
		c = c.add("TAGS", args.Tags[0], args.Tags[1])
	}
	return c
}

func (c Command[T]) score(args SearchArgs) Command[T] {
	if len(args.Score) == 0 {
		return c
	}
	c = c.add("SCOREFUNC")
	if args.Combine != "" {
		c = c.add("COMBINEMODE", args.Combine)
	}
	if args.ScoreMode != "" {
		c = c.add("SCOREMODE", args.ScoreMode)
	}
	for _, f := range args.Score {
		if f.Mode != "" {
			c = c.add("SCOREMODE", f.Mode)
		}
		c = c.add("FIELDVALUE", f.Field)
		if f.Modifier != "" {
			c = c.add("MODIFIER", f.Modifier)
		}
		if f.Factor != nil {
			c = c.add("FACTOR", Float(*f.Factor))
		}
		if f.Missing != nil {
			c = c.add("MISSING", Float(*f.Missing))
		}
	}
	return c
}

func toHits(r Reply) ([]SearchHit, error) {
	if r.Kind == KindNil {
		return nil, ErrNil
	}
	return hits(r)
}

var hits = listOf(func(r Reply) (SearchHit, error) {
	if r.Kind != KindArray || len(r.Array) < 2 {
		return SearchHit{}, mismatch("a key and a score", r)
	}
	var h SearchHit
	var err error
	if h.Key, err = toString(r.Array[0]); err != nil {
		return h, err
	}
	if h.Score, err = toFloat(r.Array[1]); err != nil {
		return h, err
	}
	if len(r.Array) > 2 {
		h.Fields, err = toPairs(r.Array[2])
	}
	return h, err
})
