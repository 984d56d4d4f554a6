package jsonpath

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	kube "k8s.io/client-go/util/jsonpath"
)

// Template is a text with paths in braces, e.g. "/v1/{.name}". It is safe for concurrent
// use.
type Template struct {
	parts []part
}

// part is a text, or a path.
type part struct {
	text string
	path *Path
}

// ParseTemplate reads a template.
func ParseTemplate(text string) (*Template, error) {
	nodes, err := parse(text)
	if err != nil {
		return nil, err
	}
	t := new(Template)
	for _, node := range nodes {
		switch node := node.(type) {
		case *kube.TextNode:
			t.parts = append(t.parts, part{text: node.Text})
		case *kube.ListNode:
			if err := checkNodes(node.Nodes, false); err != nil {
				return nil, err
			}
			t.parts = append(t.parts, part{path: &Path{fmt.Sprintf("expression %d", len(t.parts)+1), node.Nodes}})
		default:
			return nil, fmt.Errorf("%s is not supported", node)
		}
	}
	return t, nil
}

// NeedsValue reports whether there is a path in the template.
func (t *Template) NeedsValue() bool {
	for _, p := range t.parts {
		if p.path != nil {
			return true
		}
	}
	return false
}

// Expand replaces each path with the one string or number that it leads to.
func (t *Template) Expand(value any) (string, error) {
	var b strings.Builder
	for _, p := range t.parts {
		if p.path == nil {
			b.WriteString(p.text)
			continue
		}
		found, err := p.path.Find(value)
		if err != nil {
			return "", fmt.Errorf("%s %w", p.path, err)
		}
		if len(found) > 1 {
			return "", fmt.Errorf("%s leads to several values", p.path)
		}
		switch v := found[0].(type) {
		case string:
			b.WriteString(v)
		case json.Number:
			b.WriteString(v.String())
		default:
			return "", errors.New(p.path.String() + " leads to neither a string nor a number")
		}
	}
	return b.String(), nil
}
