package strict

import (
	"fmt"
	"regexp"
	"slices"
	"sync"

	"go.yaml.in/yaml/v4"
)

var (
	jsonNumber = whenUsed(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)
	// yamlNumber is what a YAML 1.1 or 1.2 reader takes for a number. Sexagesimal numbers
	// (12:30:00) are none: no reader in Go or JavaScript knows them.
	yamlNumber = whenUsed(`^[-+]?(0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9]+)?|\.[0-9][0-9_]*([eE][-+]?[0-9]+)?)$`)
	octal      = whenUsed(`^[-+]?0[0-9_]+$`)
	notFinite  = whenUsed(`^([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$`)
)

// whenUsed compiles a pattern when it is used first: most processes read no YAML.
func whenUsed(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}

// yaml11 reports what YAML 1.1 reads as a boolean and YAML 1.2 as text.
func yaml11(s string) (value, ok bool) {
	switch s {
	case "y", "Y", "yes", "Yes", "YES", "on", "On", "ON":
		return true, true
	case "n", "N", "no", "No", "NO", "off", "Off", "OFF":
		return false, true
	}
	return false, false
}

// plainScalar is a scalar without quotes and tag.
func plainScalar(s string) *node {
	switch s {
	case "", "~", "null", "Null", "NULL":
		return &node{kind: null, raw: []byte("null"), plain: s}
	case "true", "True", "TRUE":
		return &node{kind: boolean, raw: []byte("true"), plain: s}
	case "false", "False", "FALSE":
		return &node{kind: boolean, raw: []byte("false"), plain: s}
	}
	if value, ok := yaml11(s); ok {
		raw := fmt.Append(nil, value)
		return &node{
			kind: doubtful, raw: raw, plain: s,
			advice: fmt.Sprintf("%s is %s to some YAML readers and text to others: write %s, or quote it: %q", s, raw, raw, s),
		}
	}
	// Most scalars are words.
	if c := s[0]; c > '9' || c < '0' && c != '-' && c != '+' && c != '.' {
		return &node{kind: text, raw: quote(s)}
	}
	switch {
	case jsonNumber().MatchString(s) && len(s) > maxNumber:
		return &node{kind: doubtful, plain: s, advice: tooLong(len(s))}
	case jsonNumber().MatchString(s):
		return &node{kind: number, raw: []byte(s), plain: s}
	case octal().MatchString(s):
		return &node{kind: doubtful, plain: s, advice: fmt.Sprintf("%s is octal to some YAML readers and decimal to others: write the number without leading zeros, or quote it: %q", printable(s), printable(s))}
	case yamlNumber().MatchString(s):
		return &node{kind: doubtful, plain: s, advice: fmt.Sprintf("%s is a number to YAML, and JSON does not write numbers so: write it in decimal digits as JSON does, or quote it: %q", printable(s), printable(s))}
	case notFinite().MatchString(s):
		return &node{kind: doubtful, plain: s, advice: fmt.Sprintf("%s is a number that JSON does not have: quote it: %q", s, s)}
	}
	return &node{kind: text, raw: quote(s)}
}

// scalar is the node of a scalar; the message says what is wrong with its tag.
func scalar(y *yaml.Node) (n *node, message string) {
	quoted := y.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0
	asText := &node{kind: text, raw: quote(y.Value)}
	if y.Style&yaml.TaggedStyle == 0 && y.Tag != "!" {
		if quoted {
			return asText, ""
		}
		return plainScalar(y.Value), ""
	}
	allowed := map[string][]kind{"!!null": {null}, "!!bool": {boolean}, "!!int": {number}, "!!float": {number}}
	switch y.ShortTag() {
	case "!", "!!str", "!!timestamp":
		return asText, ""
	case "!!null", "!!bool", "!!int", "!!float":
		n := plainScalar(y.Value)
		if n.kind == doubtful {
			return n, ""
		}
		if !slices.Contains(allowed[y.ShortTag()], n.kind) {
			return n, fmt.Sprintf("the tag %s does not fit %q", y.ShortTag(), printable(y.Value))
		}
		return n, ""
	case "!!binary":
		return asText, "the tag !!binary is not supported: write the base64 text itself, quoted"
	}
	return asText, fmt.Sprintf("the tag %s is not supported: leave it out", printable(y.ShortTag()))
}

// keyProblem says why a scalar is no key; empty: it is one.
func keyProblem(n *node) string {
	is := n.kind.String()
	switch {
	case n.kind == text:
		return ""
	case n.kind == null && n.plain == "":
		return "a key is missing before the colon"
	case n.kind == doubtful && len(n.raw) > 0:
		return fmt.Sprintf("the key %s is %s to some YAML readers, not text: quote it: %q", n.plain, n.raw, n.plain)
	case n.kind == doubtful:
		is = number.String()
	}
	return fmt.Sprintf("the key %s is %s in YAML, not text: quote it: %q", printable(n.plain), is, printable(n.plain))
}
