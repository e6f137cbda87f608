package command

import "errors"

// Page is one page of a walk through a collection. A page may be empty
// although there are more: only Cursor says when the walk is over.
type Page[T any] struct {
	Cursor string // where to go on; "0" means that this was the last page
	Items  []T
}

// Last reports whether the walk ends with this page.
func (p Page[T]) Last() bool { return p.Cursor == "0" }

// ScanOption is an option of [Scan], [HScan], [SScan] and [ZScan]: [MATCH] or
// [COUNT].
type ScanOption interface {
	optional
	scanOption()
}

// ScanFilter is an option of the scan commands, see [MATCH] and [COUNT].
type ScanFilter struct{ option }

func (ScanFilter) scanOption() {}

const (
	groupMatch = groupLifetime
	groupCount = groupCondition
	groupType  = groupCompare
)

// MATCH leaves out what does not match the glob pattern.
func MATCH(pattern string) ScanFilter {
	return ScanFilter{option{token: "MATCH", arg: pattern, hasArg: true, group: groupMatch}}
}

// COUNT hints how much work one page should be; Redis's default is 10.
func COUNT(n int) ScanFilter {
	o := option{token: "COUNT", arg: count(n), hasArg: true, group: groupCount}
	if n < 1 {
		o.err = errors.New("COUNT wants at least 1")
	}
	return ScanFilter{o}
}

// ScanType is the option of [Scan] that asks for one type only, see [TYPE].
type ScanType struct{ option }

// TYPE leaves out keys of other types than name: string, list, set, zset,
// hash, stream.
func TYPE(name string) ScanType {
	return ScanType{option{token: "TYPE", arg: name, hasArg: true, group: groupType}}
}

// KeyScanOption is an option of [Scan]: those of [ScanOption] and [TYPE].
type KeyScanOption interface {
	optional
	keyScanOption()
}

func (ScanFilter) keyScanOption() {}
func (ScanType) keyScanOption()   {}

// Scan returns one page of the keys of the database, see [SScan].
// client.ScanAll walks all pages.
func Scan(cursor string, opts ...KeyScanOption) Command[Page[string]] {
	return with(read(toStringPage, "SCAN", cursor), opts)
}

func toPage[T any](items func(Reply) ([]T, error)) func(Reply) (Page[T], error) {
	return func(r Reply) (Page[T], error) {
		if r.Kind != KindArray || len(r.Array) != 2 {
			return Page[T]{}, mismatch("a cursor and items", r)
		}
		cursor, err := toString(r.Array[0])
		if err != nil {
			return Page[T]{}, mismatch("a cursor", r.Array[0])
		}
		list, err := items(r.Array[1])
		return Page[T]{Cursor: cursor, Items: list}, err
	}
}

var (
	toStringPage = toPage(toStrings)
	toPairPage   = toPage(toPairs)
)
