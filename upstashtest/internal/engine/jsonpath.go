package engine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ohler55/ojg/jp"
)

// jsonPath is one path of a command. A legacy path, one that does not start
// with $, is answered by one value instead of a list.
type jsonPath struct {
	text   string
	expr   jp.Expr
	legacy bool
}

// maxDescents bounds how often ".." may stand in a path: each multiplies the
// places to look at.
const maxDescents = 4

// rootPath is what a command means that names no path.
const rootPath = "."

func parseJSONPath(text string) (jsonPath, Reply) {
	p := jsonPath{text: text, legacy: !strings.HasPrefix(text, "$")}
	full := text
	if p.legacy {
		switch {
		case text == "." || text == "":
			full = "$"
		case strings.HasPrefix(text, ".") || strings.HasPrefix(text, "["):
			full = "$" + text
		default:
			full = "$." + text
		}
	}
	expr, err := jp.ParseString(full)
	if err != nil {
		return p, errorf("ERR Search path error: %s", strings.ReplaceAll(err.Error(), "\n", " "))
	}
	descents := 0
	for _, frag := range expr {
		if _, ok := frag.(jp.Descent); ok {
			descents++
		}
	}
	if descents > maxDescents {
		return p, errorf("ERR Search path error: more than %d times ..", maxDescents)
	}
	p.expr = expr
	return p, nilReply
}

// step is one part of where a value is: a name or an index.
type step struct {
	name  string
	index int
}

// locate finds all places that the path means, in the order of the document.
func (p jsonPath) locate(root any) (places [][]step, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("path cannot be evaluated: %v", r)
		}
	}()
	if len(p.expr) <= 1 {
		return [][]step{nil}, nil // the document itself
	}
	seen := map[string]bool{}
	for _, loc := range p.expr.Locate(root, 0) {
		var place []step
		for _, frag := range loc {
			switch f := frag.(type) {
			case jp.Child:
				place = append(place, step{name: string(f)})
			case jp.Nth:
				place = append(place, step{index: int(f)})
			}
		}
		if key := fmt.Sprint(place); !seen[key] {
			seen[key] = true
			places = append(places, place)
		}
	}
	for _, frag := range p.expr {
		switch frag.(type) {
		case jp.Descent:
			deepestFirst(root, places)
			return places, nil
		case *jp.Filter:
			inOrder(root, places)
			return places, nil
		}
	}
	return places, nil
}

// inOrder sorts places as they stand in the document, parents first.
func inOrder(root any, places [][]step) {
	slices.SortStableFunc(places, func(a, b []step) int { return slices.Compare(rank(root, a), rank(root, b)) })
}

// deepestFirst is the order of Upstash for "..": what is inside a value comes
// before the matches of the value itself.
func deepestFirst(root any, places [][]step) {
	slices.SortStableFunc(places, func(a, b []step) int {
		x, y := rank(root, a), rank(root, b)
		parentX, parentY := x[:max(len(x)-1, 0)], y[:max(len(y)-1, 0)]
		n := min(len(parentX), len(parentY))
		if slices.Equal(parentX[:n], parentY[:n]) && len(x) != len(y) {
			return len(y) - len(x)
		}
		return slices.Compare(x, y)
	})
}

// rank is the position of a place among its siblings, at each level.
func rank(root any, place []step) []int {
	ranks := make([]int, len(place))
	v := root
	for i, s := range place {
		ranks[i] = s.index
		switch v := v.(type) {
		case *object:
			ranks[i] = slices.Index(v.names, s.name)
		case []any:
			if s.index < 0 {
				ranks[i] += len(v)
			}
		}
		v = child(v, s)
	}
	return ranks
}

func valueAt(root any, place []step) any {
	for _, s := range place {
		root = child(root, s)
	}
	return root
}

func child(v any, s step) any {
	switch v := v.(type) {
	case *object:
		return v.values[s.name]
	case []any:
		i := s.index
		if i < 0 {
			i += len(v)
		}
		if i >= 0 && i < len(v) {
			return v[i]
		}
	}
	return nil
}

// replaceAt puts v at a place that exists and returns the root.
func replaceAt(root any, place []step, v any) any {
	if len(place) == 0 {
		return v
	}
	last := place[len(place)-1]
	switch parent := valueAt(root, place[:len(place)-1]).(type) {
	case *object:
		parent.SetValueForKey(last.name, v)
	case []any:
		i := last.index
		if i < 0 {
			i += len(parent)
		}
		if i >= 0 && i < len(parent) {
			parent[i] = v
		}
	}
	return root
}

// removeAt removes a place that exists, not the root, and returns the root.
func removeAt(root any, place []step) any {
	last := place[len(place)-1]
	above := place[:len(place)-1]
	switch parent := valueAt(root, above).(type) {
	case *object:
		parent.RemoveValueForKey(last.name)
	case []any:
		i := last.index
		if i < 0 {
			i += len(parent)
		}
		if i >= 0 && i < len(parent) {
			return replaceAt(root, above, slices.Delete(parent, i, i+1))
		}
	}
	return root
}

// target splits a path that matches nothing into the places of its parent
// objects and the name to be created there.
func (p jsonPath) target(root any) (parents [][]step, name string) {
	if len(p.expr) < 2 {
		return nil, ""
	}
	last, ok := p.expr[len(p.expr)-1].(jp.Child)
	if !ok {
		return nil, ""
	}
	above := jsonPath{expr: p.expr[:len(p.expr)-1]}
	places, err := above.locate(root)
	if err != nil {
		return nil, ""
	}
	for _, place := range places {
		if _, ok := valueAt(root, place).(*object); ok {
			parents = append(parents, place)
		}
	}
	return parents, string(last)
}
