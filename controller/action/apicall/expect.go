package apicall

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"k8s.io/client-go/util/jsonpath"

	v1 "jobwright.dev/api/v1"
)

const (
	// maxFound bounds what a message repeats of what was found.
	maxFound = 200
	// maxValues bounds all of status.result.values.
	maxValues = 64 << 10
)

// check is what a job expects of responses and takes from them, ready to use.
type check struct {
	headers []headerCheck
	body    []bodyCheck
	extract []extraction
}

type headerCheck struct {
	name    string
	pattern *regexp.Regexp
}

type bodyCheck struct {
	field   string
	path    *jsonpath.JSONPath
	source  string
	equals  any
	exact   bool // equals is set
	pattern *regexp.Regexp
}

type extraction struct {
	name, source string
	path         *jsonpath.JSONPath
}

// newCheck reads the expectations of a call; an error names the field.
func newCheck(call *v1.APICallAction) (*check, error) {
	c := new(check)
	if e := call.Expect; e != nil {
		for _, name := range slices.Sorted(maps.Keys(e.Headers)) {
			pattern, err := regexp.Compile(e.Headers[name])
			if err != nil {
				return nil, fmt.Errorf("spec.apiCall.expect.headers[%s]: %w", name, err)
			}
			c.headers = append(c.headers, headerCheck{name, pattern})
		}
		for i, b := range e.Body {
			one := bodyCheck{field: fmt.Sprintf("spec.apiCall.expect.body[%d]", i), source: b.Path}
			var err error
			if one.path, err = parsePath(b.Path); err != nil {
				return nil, fmt.Errorf("%s.path: Invalid value: %q: %w", one.field, b.Path, err)
			}
			if one.pattern, err = regexp.Compile(b.Matches); err != nil {
				return nil, fmt.Errorf("%s.matches: %w", one.field, err)
			}
			if b.Equals != nil {
				if one.equals, err = b.Equals.Value(); err != nil {
					return nil, fmt.Errorf("%s.equals: %w", one.field, err)
				}
				one.exact = true
			}
			c.body = append(c.body, one)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(call.Result)) {
		path, err := parsePath(call.Result[name])
		if err != nil {
			return nil, fmt.Errorf("spec.apiCall.result[%s]: Invalid value: %q: %w", name, call.Result[name], err)
		}
		c.extract = append(c.extract, extraction{name, call.Result[name], path})
	}
	return c, nil
}

// parsePath reads a JSONPath, of which the braces, "$" and the first dot may be left out.
func parsePath(path string) (*jsonpath.JSONPath, error) {
	if !strings.HasPrefix(path, "{") {
		path = strings.TrimPrefix(path, "$")
		if !strings.HasPrefix(path, ".") && !strings.HasPrefix(path, "[") {
			path = "." + path
		}
		path = "{" + path + "}"
	}
	if err := bounded(path); err != nil {
		return nil, err
	}
	p := jsonpath.New("path")
	return p, p.Parse(path)
}

// bounded refuses what could make much more of a body than there is in it: the library
// knows no limit of time or size, and a job is not its server's author. What is left visits
// each value of a body a bounded number of times.
func bounded(path string) error {
	var quote rune
	descents, braces := 0, 0
	for i, c := range path {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == ',':
			return errors.New("lists of names or indexes are not supported; use several paths")
		case c == '{':
			braces++
		case c == '.' && strings.HasPrefix(path[i:], ".."):
			descents++
		}
	}
	switch {
	case braces > 1:
		return errors.New("it must be one expression")
	case descents > 1:
		return errors.New("it may descend with .. once only")
	case strings.HasPrefix(strings.TrimLeft(path, "{ "), "range"):
		return errors.New("range is not supported; use [*]")
	}
	return nil
}

// needsBody reports whether the body has to be read as JSON.
func (c *check) needsBody() bool { return len(c.body)+len(c.extract) > 0 }

// judge says how a response is not as expected (empty: it is), and what is taken from it.
func (c *check) judge(response *http.Response, body []byte, limit int64) (problem string, values map[string]any) {
	for _, h := range c.headers {
		found := response.Header.Values(h.name)
		if !slices.ContainsFunc(found, h.pattern.MatchString) {
			return fmt.Sprintf("spec.apiCall.expect.headers[%s]: %s does not match %q", h.name, shown(found, "the header, which is missing,"), h.pattern), nil
		}
	}
	if !c.needsBody() {
		return "", nil
	}
	if int64(len(body)) > limit {
		return fmt.Sprintf("the body is larger than the %d bytes that the server reads (--max-response-bytes), so that nothing can be said about it", limit), nil
	}
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		media := response.Header.Get("Content-Type")
		if media == "" {
			media = "no Content-Type"
		}
		return fmt.Sprintf("the body is no JSON (%s, %d bytes): %v", media, len(body), err), nil
	}
	for _, b := range c.body {
		if problem := b.judge(value); problem != "" {
			return b.field + ": " + problem, nil
		}
	}
	return c.take(value)
}

func (b bodyCheck) judge(body any) string {
	found, err := find(b.path, body)
	switch {
	case err != nil:
		return fmt.Sprintf("%s leads nowhere: %v", b.source, err)
	case len(found) == 0:
		return b.source + " leads nowhere"
	case b.exact && !slices.ContainsFunc(found, func(v any) bool { return reflect.DeepEqual(v, b.equals) }):
		return fmt.Sprintf("%s is %s; expected is %s", b.source, shownValues(found), shownValues([]any{b.equals}))
	case !slices.ContainsFunc(found, func(v any) bool { return b.pattern.MatchString(asText(v)) }):
		return fmt.Sprintf("%s is %s, which does not match %q", b.source, shownValues(found), b.pattern)
	}
	return ""
}

// take takes the values for status.result: what a path finds, or a list when it finds
// several.
func (c *check) take(body any) (problem string, values map[string]any) {
	values = map[string]any{}
	for _, e := range c.extract {
		found, err := find(e.path, body)
		switch {
		case err != nil:
			return fmt.Sprintf("spec.apiCall.result[%s]: %s leads nowhere: %v", e.name, e.source, err), nil
		case len(found) == 0:
			return fmt.Sprintf("spec.apiCall.result[%s]: %s leads nowhere", e.name, e.source), nil
		case len(found) == 1:
			values[e.name] = found[0]
		default:
			values[e.name] = found
		}
	}
	if encoded, err := json.Marshal(values); err != nil || len(encoded) > maxValues {
		return fmt.Sprintf("spec.apiCall.result: what was found takes %d bytes, the limit is %d", len(encoded), maxValues), nil
	}
	return "", values
}

// find is what a path leads to.
func find(path *jsonpath.JSONPath, body any) (_ []any, err error) {
	defer func() {
		if p := recover(); p != nil { // the library's own, over a body that it did not foresee
			err = fmt.Errorf("the path cannot be followed: %v", p)
		}
	}()
	results, err := path.FindResults(body)
	if err != nil {
		return nil, err
	}
	var out []any
	for _, list := range results {
		for _, value := range list {
			if value.IsValid() && value.CanInterface() {
				out = append(out, value.Interface())
			}
		}
	}
	return out, nil
}

// asText is a string's text, or the JSON of anything else.
func asText(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	encoded, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(encoded)
}

func shownValues(values []any) string {
	var out []string
	for _, v := range values {
		encoded, err := json.Marshal(v)
		if err != nil {
			encoded = []byte(fmt.Sprint(v))
		}
		out = append(out, string(encoded))
	}
	return shown(out, "nothing")
}

// shown is what was found, bounded; none is what to say of nothing.
func shown(found []string, none string) string {
	if len(found) == 0 {
		return none
	}
	text := strings.Join(found, ", ")
	if len(text) > maxFound {
		text = strings.ToValidUTF8(text[:maxFound], "") + "…"
	}
	return text
}
