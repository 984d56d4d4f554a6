package apicall

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/secrets"
)

const (
	headerKey     = "Idempotency-Key"
	headerAttempt = "Jobwright-Attempt"
)

// headerName is a token of RFC 9110, section 5.6.2.
var headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")

// call is one attempt's call, with its secrets looked up.
type call struct {
	*Runner
	job     *v1.Job
	attempt string
	spec    *v1.APICallAction
	out     action.Sink
	check   *check
	polling *polling // nil: the call is not polled
	timeout time.Duration

	method string
	url    *url.URL
	header http.Header
	body   []byte
	// own are the names of the headers that the job sets.
	own []string
	// name is the request in the author's words, without any secret.
	name string
	// hide has the secrets that this call sends, and no other: of one that the caller
	// cannot use, a mask would tell that it was guessed.
	hide *secrets.Redactor
}

// theirs is a text of the other side without the secrets that it was sent. The job's own
// words never go through it.
func (c *call) theirs(text string) string { return c.hide.String(text) }

// theirURL is a URL of the other side without the secrets that it was sent, however much of
// them is escaped in it.
func (c *call) theirURL(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		if hidden := c.theirs(plain); hidden != plain {
			return hidden
		}
	}
	return c.theirs(text)
}

// prepare reads what the job says; an error names the field.
func (r *Runner) prepare(job *v1.Job, attempt string) (*call, error) {
	spec := job.Spec.APICall
	c := &call{Runner: r, job: job, attempt: attempt, spec: spec, method: method(spec), timeout: defaultTimeout, header: http.Header{}}
	if spec.TimeoutSeconds != nil {
		c.timeout = time.Duration(*spec.TimeoutSeconds) * time.Second
	}
	var err error
	if c.check, err = newCheck(spec); err != nil {
		return nil, err
	}
	if c.polling, err = newPolling(spec.Poll); err != nil {
		return nil, err
	}
	if c.url, err = target(spec.URL); err != nil {
		return nil, fmt.Errorf("spec.apiCall.url: %w", err)
	}
	c.name = c.method + " " + c.url.Redacted()
	if !headerName.MatchString(c.method) {
		return nil, fmt.Errorf("spec.apiCall.method: Invalid value: %q: must be a word", c.method)
	}
	var used []string
	lookup := func(name string) (string, error) {
		value, err := r.opts.Secrets.LookupFor(job.Namespace, name, c.url.Hostname())
		if err == nil {
			used = append(used, value)
			used = append(used, credentials(value)...)
		}
		return value, err
	}
	if err := c.setHeaders(lookup); err != nil {
		return nil, err
	}
	if err := c.setBody(lookup); err != nil {
		return nil, err
	}
	c.hide = secrets.NewRedactor(used...)
	return c, nil
}

// credentials are the parts of a header's value that a receiver may repeat by themselves:
// what stands behind the scheme, and user:password behind Basic.
func credentials(value string) []string {
	scheme, rest, ok := strings.Cut(value, " ")
	if !ok {
		return nil
	}
	rest = strings.TrimSpace(rest)
	out := []string{rest}
	if strings.EqualFold(scheme, "Basic") {
		if login, err := base64.StdEncoding.DecodeString(rest); err == nil {
			_, password, _ := strings.Cut(string(login), ":")
			out = append(out, string(login), password)
		}
	}
	return out
}

// target reads an absolute URL. What may not stand in a query is escaped, as browsers do:
// a space would end the request's line.
func target(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if _, ok := errors.AsType[url.EscapeError](err); ok {
		return nil, errors.New("has a % that two hexadecimal digits must follow: write %25 for a percent sign")
	}
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("must be an absolute http or https URL")
	}
	u.RawQuery = escapeQuery(u.RawQuery)
	u.Fragment, u.RawFragment = "", ""
	return u, nil
}

// escapeQuery escapes what RFC 3986 does not allow in a query, a percent sign that escapes
// nothing included; what is escaped already stays.
func escapeQuery(query string) string {
	const refused = "\"<>`\\^{}|"
	var b strings.Builder
	for i, c := range []byte(query) {
		lone := c == '%' && (i+2 >= len(query) || strings.Trim(query[i+1:i+3], "0123456789abcdefABCDEF") != "")
		if c <= ' ' || c >= 0x7f || lone || strings.IndexByte(refused, c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

// setHeaders fills the headers: the server's own first, so that the job's win.
func (c *call) setHeaders(lookup func(string) (string, error)) error {
	if c.opts.UserAgent != "" {
		c.header.Set("User-Agent", c.opts.UserAgent)
	}
	c.header.Set(headerKey, runKey(c.job))
	for _, name := range slices.Sorted(maps.Keys(c.spec.Headers)) {
		field := fmt.Sprintf("spec.apiCall.headers[%s]", name)
		value := c.spec.Headers[name]
		text := value.Value
		if value.ValueFrom != nil {
			var err error
			if text, err = lookup(value.ValueFrom.SecretRef); err != nil {
				return fmt.Errorf("%s.valueFrom.secretRef: %w", field, err)
			}
		}
		// The value is not repeated: it may be a secret.
		if !headerName.MatchString(name) || strings.ContainsFunc(text, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
			return fmt.Errorf("%s: Invalid value: a header's name is a word, and its value has no control characters, such as a line end", field)
		}
		c.header.Set(name, text)
		c.own = append(c.own, name)
	}
	c.header.Set(headerAttempt, strconv.Itoa(int(max(c.job.Status.Attempts, 1))))
	if c.header.Get("Accept-Encoding") == "" && c.header.Get("Range") == "" {
		c.header.Set("Accept-Encoding", acceptEncoding)
	}
	return nil
}

// runKey is the same for all attempts of one run, also after a crash, and another one for
// the next run.
func runKey(job *v1.Job) string {
	return fmt.Sprintf("%s-run-%d", job.UID, job.Status.Reruns)
}

// setBody makes the body: a JSON string's text, or any other value's JSON.
func (c *call) setBody(lookup func(string) (string, error)) error {
	if c.spec.Body == nil {
		return nil
	}
	refs, err := c.spec.Body.SecretRefs()
	if err != nil {
		return fmt.Errorf("spec.apiCall.body: %w", err)
	}
	body, err := c.spec.Body.Resolve(refs, func(ref v1.SecretRef) (string, error) {
		value, err := lookup(ref.Name)
		if err != nil {
			return "", fmt.Errorf("spec.apiCall.body%s.valueFrom.secretRef: %w", ref.Path, err)
		}
		return value, nil
	})
	if err != nil {
		return err
	}
	media := "application/json"
	c.body = body.Raw
	value, err := body.Value()
	if err != nil {
		return fmt.Errorf("spec.apiCall.body: %w", err)
	}
	switch value := value.(type) {
	case string:
		c.body, media = []byte(value), "text/plain; charset=utf-8"
	case nil:
		c.body = []byte("null")
	}
	if c.header.Get("Content-Type") == "" {
		c.header.Set("Content-Type", media)
	}
	return nil
}
