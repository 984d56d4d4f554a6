package apicall

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/jsonpath"
)

const (
	// maxFound bounds what a message repeats of what was found.
	maxFound = 200
	// maxValues bounds all of status.result.values.
	maxValues = 64 << 10
)

// check holds the compiled expectations on a response and the values to extract.
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
	path    *jsonpath.Path
	equals  any
	exact   bool // equals is set
	pattern *regexp.Regexp
}

type extraction struct {
	name string
	path *jsonpath.Path
}

// newCheck reads the expectations of a call; an error names the field.
func newCheck(spec *v1.APICallAction) (*check, error) {
	c := new(check)
	if e := spec.Expect; e != nil {
		for _, name := range slices.Sorted(maps.Keys(e.Headers)) {
			pattern, err := regexp.Compile(e.Headers[name])
			if err != nil {
				return nil, fmt.Errorf("spec.apiCall.expect.headers[%s]: %w", name, err)
			}
			c.headers = append(c.headers, headerCheck{name, pattern})
		}
		var err error
		if c.body, err = newBodyChecks(e.Body, "spec.apiCall.expect.body"); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(spec.Result)) {
		path, err := jsonpath.Parse(spec.Result[name])
		if err != nil {
			return nil, fmt.Errorf("spec.apiCall.result[%s]: Invalid value: %q: %w", name, spec.Result[name], err)
		}
		c.extract = append(c.extract, extraction{name, path})
	}
	return c, nil
}

func newBodyChecks(expectations []v1.BodyExpectation, field string) ([]bodyCheck, error) {
	var out []bodyCheck
	for i, b := range expectations {
		one := bodyCheck{field: fmt.Sprintf("%s[%d]", field, i)}
		var err error
		if one.path, err = jsonpath.Parse(b.Path); err != nil {
			return nil, fmt.Errorf("%s.path: Invalid value: %q: %w", one.field, b.Path, err)
		}
		if one.pattern, err = regexp.Compile(b.Matches); err != nil {
			return nil, fmt.Errorf("%s.matches: %w", one.field, err)
		}
		if b.Equals != nil {
			one.exact = true
			if one.equals, err = decodeOwn(*b.Equals); err != nil {
				return nil, fmt.Errorf("%s.equals: %w", one.field, err)
			}
		}
		out = append(out, one)
	}
	return out, nil
}

func decodeOwn(j v1.JSON) (any, error) {
	if len(j.Raw) == 0 {
		return nil, nil
	}
	return jsonpath.Decode(j.Raw)
}

// judge is the outcome of a call by its response.
func (c *call) judge(a *answer) (o action.Outcome) {
	o = action.Outcome{Verdict: action.Succeeded, Facts: a.facts(), RetryAfter: a.retryAfter(time.Now())}
	result := map[string]any{"status": a.status(), "body": a.head(c.theirs, resultHead)}
	defer func() {
		if encoded, err := v1.NewJSON(result); err == nil {
			o.Result = &encoded
		}
	}()
	status := a.statusLine(c.theirs)
	if !c.expected(a.status()) {
		o.Verdict, o.Reason = action.Failed, v1.ReasonUnexpectedStatus
		o.Message = fmt.Sprintf("%s answered %s; expected is %s.%s", c.name, status, c.expectation(), c.whither(a))
		if head := a.head(c.theirs, messageHead); head != "" {
			o.Message += " It said: " + head
		}
		return o
	}
	problem, values := c.check.judge(a, c.theirs)
	if problem != "" {
		o.Verdict, o.Reason = action.Failed, v1.ReasonUnexpectedResponse
		o.Message = fmt.Sprintf("%s answered %s, but %s.", c.name, status, problem)
		return o
	}
	if len(values) > 0 {
		result["values"] = c.hide.Value(values)
	}
	o.Message = status
	return o
}

// expectation says which statuses are expected.
func (c *call) expectation() string {
	if len(c.spec.ExpectStatus) == 0 {
		return "2xx"
	}
	return strings.Trim(strings.Join(strings.Fields(fmt.Sprint(c.spec.ExpectStatus)), ", "), "[]")
}

// whither describes the target of a redirect that was not followed, and what to do.
func (c *call) whither(a *answer) string {
	location := a.response.Header.Get("Location")
	if a.status()/100 != 3 || location == "" {
		return ""
	}
	location = cut(c.theirURL(location), maxFound)
	if c.spec.MaxRedirects == nil {
		return fmt.Sprintf(" It redirects to %s, which would be asked by GET, without the method and the body of the job. Set spec.apiCall.maxRedirects if that is wanted, or call what does the work itself. The receiver may have acted on it.", location)
	}
	return fmt.Sprintf(" It redirects to %s; spec.apiCall.maxRedirects is %d.", location, *c.spec.MaxRedirects)
}

// judge returns how a response differs from the expected one (empty: it does not), and the
// values that the job takes from it. Parts of the response in a problem go through hide.
func (c *check) judge(a *answer, hide func(string) string) (problem string, values map[string]any) {
	for _, h := range c.headers {
		found := a.response.Header.Values(h.name)
		if slices.ContainsFunc(found, h.pattern.MatchString) {
			continue
		}
		what := shown(found, "the header, which is missing,", hide)
		if len(found) == 0 && len(a.response.Trailer.Values(h.name)) > 0 {
			what = "the header, which came behind the body as a trailer only,"
		}
		return fmt.Sprintf("spec.apiCall.expect.headers[%s]: %s does not match %q", h.name, what, h.pattern), nil
	}
	if len(c.body)+len(c.extract) == 0 {
		return "", nil
	}
	value, problem := a.value(hide)
	if problem != "" {
		return problem, nil
	}
	for _, b := range c.body {
		if problem := b.judge(value, hide); problem != "" {
			return b.field + ": " + problem, nil
		}
	}
	return c.take(value, hide)
}

// value is the body as JSON, or why nothing can be said about it.
func (a *answer) value(hide func(string) string) (value any, problem string) {
	if a.more {
		return nil, fmt.Sprintf("the body is larger than the %d bytes that the server reads (--max-response-bytes), so that nothing can be said about it", len(a.body))
	}
	if a.coding != "" {
		return nil, fmt.Sprintf("the body is encoded with %q, which was not asked for and cannot be read (gzip and deflate can)", cut(hide(a.coding), maxStatus))
	}
	value, err := jsonpath.Decode(a.body)
	if errors.Is(err, jsonpath.ErrEmpty) {
		return nil, "the body is empty, where JSON is expected"
	}
	if err != nil {
		media := cut(hide(a.response.Header.Get("Content-Type")), maxStatus)
		if media == "" {
			media = "no Content-Type"
		}
		return nil, fmt.Sprintf("the body is no JSON (%s, %d bytes): %s", media, len(a.body), hide(err.Error()))
	}
	return value, ""
}

// holds reports whether the expectation is met.
func (b bodyCheck) holds(body any) bool {
	return b.judge(body, func(text string) string { return text }) == ""
}

func (b bodyCheck) judge(body any, hide func(string) string) string {
	found, err := b.path.Find(body)
	switch {
	case err != nil:
		return fmt.Sprintf("%s %s", b.path, hide(err.Error()))
	case b.exact && !slices.ContainsFunc(found, func(v any) bool { return jsonpath.Equal(v, b.equals) }):
		return fmt.Sprintf("%s is %s; expected is %s", b.path, shownValues(found, hide), asJSON(b.equals))
	case !slices.ContainsFunc(found, func(v any) bool { return b.pattern.MatchString(asText(v)) }):
		return fmt.Sprintf("%s is %s, which does not match %q", b.path, shownValues(found, hide), b.pattern)
	}
	return ""
}

// take takes the values for status.result: what a path finds, or a list when it finds
// several.
func (c *check) take(body any, hide func(string) string) (problem string, values map[string]any) {
	values = map[string]any{}
	for _, e := range c.extract {
		found, err := e.path.Find(body)
		switch {
		case err != nil:
			return fmt.Sprintf("spec.apiCall.result[%s]: %s %s", e.name, e.path, hide(err.Error())), nil
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

// asText is a string's text, or the JSON of anything else.
func asText(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return asJSON(v)
}

func asJSON(v any) string {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func shownValues(values []any, hide func(string) string) string {
	var out []string
	for _, v := range values {
		out = append(out, asJSON(v))
	}
	return shown(out, "nothing", hide)
}

// shown is what was found, bounded; none is what to say of nothing.
func shown(found []string, none string, hide func(string) string) string {
	if len(found) == 0 {
		return none
	}
	return cut(hide(strings.Join(found, ", ")), maxFound)
}
