package jsonpath

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	kube "k8s.io/client-go/util/jsonpath"
)

// maxSteps bounds the values that are looked at for one path: four times as many as a body
// of the default --max-response-bytes can have.
const maxSteps = 4 << 20

// ErrNowhere says that a path leads to nothing.
var ErrNowhere = errors.New("leads nowhere")

// Find returns what the path leads to in a value of Decode: one value at least. The error
// wraps ErrNowhere when there is none, and says at what it ended.
func (p *Path) Find(value any) ([]any, error) {
	w := walk{left: maxSteps}
	found, err := w.all([]any{value}, p.nodes)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%w%s", ErrNowhere, w.ended)
	}
	return found, nil
}

// walk is one evaluation.
type walk struct {
	left  int    // steps
	ended string // why nothing was found, if so
}

func (w *walk) step(n int) error {
	if w.left -= n; w.left < 0 {
		return fmt.Errorf("takes more than %d steps", maxSteps)
	}
	return nil
}

func (w *walk) all(in []any, nodes []kube.Node) ([]any, error) {
	for _, node := range nodes {
		if err := w.step(len(in)); err != nil {
			return nil, err
		}
		out, err := w.node(in, node)
		if err != nil {
			return nil, err
		}
		if in = out; len(in) == 0 {
			if w.ended == "" {
				w.ended = ": " + missing(node)
			}
			return nil, nil
		}
	}
	return in, nil
}

// missing says what was not there.
func missing(node kube.Node) string {
	switch node := node.(type) {
	case *kube.FieldNode:
		return fmt.Sprintf("there is no %q", cut(node.Value))
	case *kube.ArrayNode:
		return "there is no list with such an index"
	case *kube.FilterNode:
		return "no element of a list fits the filter"
	}
	return "there is nothing in it"
}

func (w *walk) node(in []any, node kube.Node) ([]any, error) {
	var out []any
	switch node := node.(type) {
	case *kube.FieldNode:
		for _, value := range in {
			if object, ok := value.(map[string]any); ok {
				if member, ok := object[node.Value]; ok {
					out = append(out, member)
				}
			}
		}
	case *kube.ArrayNode:
		for _, value := range in {
			list, _ := value.([]any)
			out = append(out, element(list, node.Params)...)
		}
	case *kube.WildcardNode:
		for _, value := range in {
			out = append(out, children(value)...)
		}
	case *kube.RecursiveNode:
		for _, value := range in {
			var err error
			if out, err = w.descend(out, value); err != nil {
				return nil, err
			}
		}
	case *kube.FilterNode:
		for _, value := range in {
			list, _ := value.([]any)
			for _, one := range list {
				fits, err := w.fits(one, node)
				if err != nil {
					return nil, err
				}
				if fits {
					out = append(out, one)
				}
			}
		}
	case *kube.IntNode:
		return []any{json.Number(strconv.Itoa(node.Value))}, nil
	case *kube.FloatNode:
		return []any{json.Number(strconv.FormatFloat(node.Value, 'g', -1, 64))}, nil
	case *kube.BoolNode:
		return []any{node.Value}, nil
	case *kube.TextNode:
		return []any{node.Text}, nil
	}
	return out, nil
}

// descend adds a value and all below it that have something in them.
func (w *walk) descend(out []any, value any) ([]any, error) {
	below := children(value)
	if len(below) == 0 {
		return out, nil
	}
	if err := w.step(len(below)); err != nil {
		return nil, err
	}
	out = append(out, value)
	for _, child := range below {
		var err error
		if out, err = w.descend(out, child); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// children are the elements of a list or the members of an object, by name.
func children(value any) []any {
	switch v := value.(type) {
	case []any:
		return v
	case map[string]any:
		out := make([]any, 0, len(v))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			out = append(out, v[key])
		}
		return out
	}
	return nil
}

// element is what [start:end:step] selects; what is outside of the list is not there.
func element(list []any, params [3]kube.ParamsEntry) []any {
	start, end, step := 0, len(list), 1
	if params[0].Known {
		start = params[0].Value
	}
	if start < 0 {
		start += len(list)
	}
	switch {
	case params[1].Derived: // one index
		end = start + 1
	case params[1].Known:
		if end = params[1].Value; end < 0 {
			end += len(list)
		}
	}
	if params[2].Known {
		step = params[2].Value
	}
	if start < 0 || step < 1 {
		return nil
	}
	var out []any
	for i := start; i < min(end, len(list)); i += min(step, len(list)) {
		out = append(out, list[i])
	}
	return out
}

// fits reports whether an element passes a filter.
func (w *walk) fits(value any, filter *kube.FilterNode) (bool, error) {
	ended := w.ended
	defer func() { w.ended = ended }()
	lefts, err := w.all([]any{value}, filter.Left.Nodes)
	if err != nil || len(lefts) == 0 || filter.Operator == "exists" {
		return len(lefts) > 0, err
	}
	rights, err := w.all([]any{value}, filter.Right.Nodes)
	if err != nil || len(rights) == 0 {
		return false, err
	}
	if len(lefts) > 1 || len(rights) > 1 {
		return false, errors.New("has a filter that compares several values at once")
	}
	return compare(lefts[0], rights[0], filter.Operator), nil
}

// compare holds a against b. Values of different kinds are different, and neither is less.
func compare(a, b any, operator string) bool {
	switch operator {
	case "==":
		return Equal(a, b)
	case "!=":
		return !Equal(a, b)
	}
	order, ok := order(a, b)
	if !ok {
		return false
	}
	switch operator {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	case ">=":
		return order >= 0
	}
	return false
}

func order(a, b any) (int, bool) {
	switch a := a.(type) {
	case string:
		b, ok := b.(string)
		return strings.Compare(a, b), ok
	case json.Number:
		b, ok := b.(json.Number)
		x, known := parseDecimal(a)
		y, both := parseDecimal(b)
		return x.compare(y), ok && known && both
	}
	return 0, false
}
