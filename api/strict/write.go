package strict

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Marshal writes v, which encoding/json can encode, as YAML that Unmarshal reads back
// without loss: numbers as they are written in v's JSON, keys sorted, and text quoted
// where any reader would take it for something else.
func Marshal(v any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	r := parseJSON(text.Bytes())
	if err := r.found.err(); err != nil {
		return nil, fmt.Errorf("write YAML: %w", err)
	}
	return yaml.Dump(r.roots[0].yaml(), yaml.WithV2Defaults(), yaml.WithCompactSeqIndent(true), yaml.WithLineWidth(-1))
}

// yaml is the node as the library writes it.
func (n *node) yaml() *yaml.Node {
	switch n.kind {
	case object:
		y := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		if len(n.members) == 0 {
			y.Style = yaml.FlowStyle
		}
		for _, m := range slices.SortedFunc(slices.Values(n.members), func(a, b member) int { return cmp.Compare(a.name, b.name) }) {
			y.Content = append(y.Content, yamlText(m.name), m.value.yaml())
		}
		return y
	case list:
		y := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		if len(n.items) == 0 {
			y.Style = yaml.FlowStyle
		}
		for _, item := range n.items {
			y.Content = append(y.Content, item.yaml())
		}
		return y
	case text:
		s, _ := n.string()
		return yamlText(s)
	case null:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}
	case boolean:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: string(n.raw)}
	default:
		tag := "!!int"
		if bytes.ContainsAny(n.raw, ".eE") {
			tag = "!!float"
		}
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: string(n.raw)}
	}
}

// yamlText is text, quoted where plain text would be something else.
func yamlText(s string) *yaml.Node {
	y := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
	switch {
	case s == "<<" || s == "" || plainScalar(s).kind != text:
		y.Style = yaml.DoubleQuotedStyle
	case strings.Contains(s, "\n"):
		y.Style = yaml.LiteralStyle
	}
	return y
}
