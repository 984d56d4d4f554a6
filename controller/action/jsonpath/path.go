package jsonpath

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	kube "k8s.io/client-go/util/jsonpath"
)

// Path is a JSONPath that leads to values. It is safe for concurrent use.
type Path struct {
	source string
	nodes  []kube.Node
}

// String is the path as its author wrote it.
func (p *Path) String() string { return p.source }

// Parse reads a path, of which the braces, "$" and the first dot may be left out.
func Parse(source string) (*Path, error) {
	text := source
	if !strings.HasPrefix(text, "{") {
		text = strings.TrimPrefix(text, "$")
		if !strings.HasPrefix(text, ".") && !strings.HasPrefix(text, "[") {
			text = "." + text
		}
		text = "{" + text + "}"
	}
	parts, err := parse(text)
	if err != nil {
		return nil, err
	}
	if len(parts) != 1 {
		return nil, errors.New("it must be one expression")
	}
	list, ok := parts[0].(*kube.ListNode)
	if !ok {
		return nil, errors.New("it must be one expression")
	}
	return &Path{source, list.Nodes}, checkNodes(list.Nodes, false)
}

// parse is the library's parser, which is not trusted with any text.
func parse(text string) (nodes []kube.Node, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("it cannot be read: %v", p)
		}
	}()
	if err := bounded(text); err != nil {
		return nil, err
	}
	parser, err := kube.Parse("path", text)
	if err != nil {
		return nil, err
	}
	return parser.Root.Nodes, nil
}

// literal is a number that a filter compares with. The parser keeps integers of 64 bits
// and float64; more digits than those hold would be another number.
var literal = regexp.MustCompile(`[!<>=]\s*[+-]?([0-9][0-9.]*)`)

const exactDigits = 15 // of any decimal fraction in a float64

func bounded(text string) error {
	for _, m := range literal.FindAllStringSubmatch(text, -1) {
		_, err := strconv.ParseInt(m[1], 10, 64)
		if err != nil && len(strings.ReplaceAll(m[1], ".", "")) > exactDigits {
			return fmt.Errorf("the number %s has more digits than a filter can compare with (%d, or an integer of 64 bits); take the value and compare it with equals", m[1], exactDigits)
		}
	}
	return nil
}

// checkNodes refuses what could make much more of a value than there is in it, and what
// has no meaning here.
func checkNodes(nodes []kube.Node, operand bool) error {
	if n := countDescents(nodes); n > 1 {
		return errors.New("it may descend with .. once only")
	}
	for _, node := range nodes {
		switch node := node.(type) {
		case *kube.FieldNode, *kube.ArrayNode, *kube.WildcardNode, *kube.RecursiveNode:
		case *kube.FilterNode:
			if operand {
				return errors.New("a filter within a filter is not supported")
			}
			if !operators[node.Operator] {
				return fmt.Errorf("the operator %q of a filter is not supported; use ==, !=, <, <=, > or >=", node.Operator)
			}
			if err := errors.Join(checkNodes(node.Left.Nodes, true), checkNodes(node.Right.Nodes, true)); err != nil {
				return err
			}
		case *kube.UnionNode:
			return errors.New("lists of names or indexes are not supported; use several paths")
		case *kube.IdentifierNode:
			return fmt.Errorf("%s is not supported; use [*]", node.Name)
		case *kube.IntNode, *kube.FloatNode, *kube.BoolNode, *kube.TextNode:
			if !operand {
				return errors.New("it must lead somewhere: begin with a name or [index]")
			}
			if len(nodes) != 1 {
				return errors.New("a filter compares with one value or one path")
			}
		default:
			return fmt.Errorf("%s is not supported", node)
		}
	}
	return nil
}

var operators = map[string]bool{"exists": true, "==": true, "!=": true, "<": true, "<=": true, ">": true, ">=": true}

// countDescents counts .. in the nodes and in the filters among them.
func countDescents(nodes []kube.Node) int {
	n := 0
	for _, node := range nodes {
		switch node := node.(type) {
		case *kube.RecursiveNode:
			n++
		case *kube.FilterNode:
			n += countDescents(node.Left.Nodes) + countDescents(node.Right.Nodes)
		}
	}
	return n
}
