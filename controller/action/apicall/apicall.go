package apicall

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
)

const (
	// DefaultTimeout bounds a call whose job sets no timeoutSeconds.
	DefaultTimeout = 30 * time.Second
	// DefaultMaxResponse is how much of a response is read, decompressed; the rest is left
	// alone.
	DefaultMaxResponse = 1 << 20
	// logHead, resultHead and messageHead are how much of it the log, the job's result
	// and the message of a failure show.
	logHead     = 64 << 10
	resultHead  = 4 << 10
	messageHead = 512
	// maxRedirects is what net/http allows too.
	maxRedirects = 10
)

// headerName is a token of RFC 9110, section 5.6.2.
var headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")

// Options configure a Runner.
type Options struct {
	// AllowPrivate lets calls go to private, loopback and link-local addresses.
	AllowPrivate bool
	// MaxResponse is how many bytes of a response are read, decompressed. 0:
	// DefaultMaxResponse.
	MaxResponse int64
	// UserAgent is sent with each call.
	UserAgent string
}

// Runner makes HTTP calls. It implements action.Runner.
type Runner struct {
	opts      Options
	transport *http.Transport
}

// New returns a Runner.
func New(opts Options) *Runner {
	if opts.MaxResponse <= 0 {
		opts.MaxResponse = DefaultMaxResponse
	}
	return &Runner{opts: opts, transport: transport(opts.AllowPrivate)}
}

// client follows redirects as the call says.
func (r *Runner) client(call *v1.APICallAction) *http.Client {
	most := maxRedirects
	if call.MaxRedirects != nil {
		most = min(int(*call.MaxRedirects), maxRedirects)
	}
	return &http.Client{Transport: r.transport, CheckRedirect: func(next *http.Request, via []*http.Request) error {
		first := via[0]
		switch {
		case most == 0:
			return http.ErrUseLastResponse
		case len(via) > most:
			return fmt.Errorf("more than %d redirects", most)
		case via[len(via)-1].URL.Scheme == "https" && next.URL.Scheme != "https":
			return fmt.Errorf("a redirect leads from https to %s, which anybody could read", next.URL.Redacted())
		case sameHost(first.URL, next.URL):
			return nil
		case next.Body != nil && next.ContentLength != 0:
			return fmt.Errorf("a redirect asks to send the body to another host, %s", next.URL.Redacted())
		}
		// Any of them may be a credential, whatever its name.
		for name := range call.Headers {
			next.Header.Del(name)
		}
		next.Header.Del("Cookie")
		next.Header.Del("Referer") // its query may be one too
		return nil
	}}
}

// sameHost reports whether what was meant for one URL may go to another: the same host and
// port, or the same host by https instead of http.
func sameHost(from, to *url.URL) bool {
	if from.Scheme == "http" && to.Scheme == "https" {
		return from.Hostname() == to.Hostname()
	}
	return from.Host == to.Host
}

// Recover implements action.Runner: a call ends with its process, and nobody can
// tell what the receiver made of it.
func (r *Runner) Recover(_ context.Context, a action.Attempt) (action.Outcome, error) {
	call := a.Job.Spec.APICall
	return action.Outcome{
		Verdict: action.Lost, Message: "The call may or may not have reached its receiver.",
		Repeatable: call == nil || call.URL == "" || idempotent(method(call)),
	}, nil
}

// method is the call's HTTP method.
func method(call *v1.APICallAction) string {
	switch {
	case call.Method != "":
		return call.Method
	case call.Body != nil:
		return http.MethodPost
	}
	return http.MethodGet
}

// idempotent reports whether a request may be sent twice (RFC 9110, section 9.2.2).
func idempotent(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodDelete, http.MethodTrace:
		return true
	}
	return false
}

// Run implements action.Runner.
func (r *Runner) Run(ctx context.Context, a action.Attempt, out action.Sink) action.Outcome {
	call := a.Job.Spec.APICall
	if call == nil || call.URL == "" {
		return action.Outcome{Verdict: action.Succeeded}
	}
	timeout := DefaultTimeout
	if call.TimeoutSeconds != nil {
		timeout = time.Duration(*call.TimeoutSeconds) * time.Second
	}
	check, err := newCheck(call)
	if err != nil {
		return action.Fail(v1.ReasonInvalidArguments, err.Error())
	}
	calling, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	request, err := r.request(calling, call, a.ID)
	if err != nil {
		return action.Fail(v1.ReasonInvalidArguments, err.Error())
	}
	name := request.Method + " " + request.URL.Redacted()
	out.Progress(0, "http:request")
	out.Line(action.System, name)
	if ctx.Err() != nil {
		return action.Outcome{Verdict: action.Stopped, Message: name + " was not sent.", Repeatable: true}
	}
	start := time.Now()
	response, err := r.client(call).Do(request)
	if err != nil {
		return r.failed(ctx, calling, request, name, err, timeout, time.Since(start))
	}
	defer response.Body.Close()
	out.Progress(50, "http:response")
	body, err := io.ReadAll(io.LimitReader(response.Body, r.opts.MaxResponse+1)) // one more tells that there is more
	if err != nil {
		outcome := r.failed(ctx, calling, request, name, err, timeout, time.Since(start))
		// The head of the response came, and a failure policy may go by it.
		outcome.HTTPStatus, outcome.RetryAfter = int32(response.StatusCode), retryAfter(response, time.Now())
		return outcome
	}
	size := fmt.Sprintf("%d bytes", len(body))
	if int64(len(body)) > r.opts.MaxResponse {
		size = fmt.Sprintf("more than %d bytes", r.opts.MaxResponse)
	}
	out.Line(action.System, fmt.Sprintf("%s in %s, %s", response.Status, time.Since(start).Round(time.Millisecond), size))
	if head := text(body, logHead); head != "" {
		for _, line := range lines(head) {
			out.Line(action.Content, line)
		}
	}
	return r.judge(call, check, name, response, body)
}

// request builds the HTTP request.
func (r *Runner) request(ctx context.Context, call *v1.APICallAction, attempt string) (*http.Request, error) {
	address, err := url.Parse(call.URL)
	if err != nil || address.Host == "" || address.Scheme != "http" && address.Scheme != "https" {
		return nil, errors.New("spec.apiCall.url: must be an absolute http or https URL")
	}
	body, media, err := requestBody(call.Body)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, method(call), address.String(), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("spec.apiCall: %w", err)
	}
	if r.opts.UserAgent != "" {
		request.Header.Set("User-Agent", r.opts.UserAgent)
	}
	if media != "" {
		request.Header.Set("Content-Type", media)
	}
	if call.Poll != nil {
		return nil, errors.New("spec.apiCall.poll: not supported yet")
	}
	if refs, err := call.Body.SecretRefs(); err != nil || len(refs) > 0 {
		return nil, errors.New("spec.apiCall.body: references to secrets are not supported yet")
	}
	for name, value := range call.Headers {
		if value.ValueFrom != nil {
			return nil, fmt.Errorf("spec.apiCall.headers[%q].valueFrom: not supported yet", name)
		}
		// The value is not repeated: it may be a secret.
		if !headerName.MatchString(name) || strings.ContainsFunc(value.Value, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
			return nil, fmt.Errorf("spec.apiCall.headers[%q]: Invalid value: a header's name is a word, and its value has no control characters", name)
		}
		request.Header.Set(name, value.Value)
	}
	request.Header.Set("Idempotency-Key", attempt)
	return request, nil
}

// requestBody is a JSON string's text, or any other value's JSON.
func requestBody(body *v1.JSON) (data []byte, media string, err error) {
	if body == nil {
		return nil, "", nil
	}
	value, err := body.Value()
	if err != nil {
		return nil, "", fmt.Errorf("spec.apiCall.body: %w", err)
	}
	if s, ok := value.(string); ok {
		return []byte(s), "text/plain; charset=utf-8", nil
	}
	return body.Raw, "application/json", nil
}

// failed is the outcome of a call without a whole response.
func (r *Runner) failed(ctx, calling context.Context, request *http.Request, name string, err error, timeout, took time.Duration) action.Outcome {
	var refused *refusedError
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err // its URL may hold what must not be shown; name is redacted
	}
	switch {
	case ctx.Err() != nil:
		return action.Outcome{Verdict: action.Stopped, Message: name + " was broken off; the receiver may have acted on it.", Repeatable: idempotent(request.Method)}
	case calling.Err() != nil:
		return action.Fail(v1.ReasonTimeout, fmt.Sprintf("%s: no whole response after %s; spec.apiCall.timeoutSeconds allows %d s.",
			name, took.Round(time.Millisecond), int(timeout.Seconds())))
	case errors.As(err, &refused):
		return action.Fail(v1.ReasonAddressRefused, fmt.Sprintf("%s: %v", name, refused))
	default:
		return action.Fail(v1.ReasonConnectionFailed, fmt.Sprintf("%s: %v", name, err))
	}
}

// judge compares a response with what is expected.
func (r *Runner) judge(call *v1.APICallAction, check *check, name string, response *http.Response, body []byte) action.Outcome {
	outcome := action.Outcome{Verdict: action.Succeeded, HTTPStatus: int32(response.StatusCode), RetryAfter: retryAfter(response, time.Now())}
	result := map[string]any{"status": response.StatusCode, "body": text(body, resultHead)}
	show := func() {
		if encoded, err := v1.NewJSON(result); err == nil {
			outcome.Result = &encoded
		}
	}
	show()
	expected := "2xx"
	ok := response.StatusCode/100 == 2
	if len(call.ExpectStatus) > 0 {
		expected = strings.Trim(strings.Join(strings.Fields(fmt.Sprint(call.ExpectStatus)), ", "), "[]")
		ok = slices.Contains(call.ExpectStatus, int32(response.StatusCode))
	}
	if ok {
		problem, values := check.judge(response, body, r.opts.MaxResponse)
		if problem != "" {
			outcome.Verdict, outcome.Reason = action.Failed, v1.ReasonUnexpectedResponse
			outcome.Message = fmt.Sprintf("%s answered %s, but %s.", name, response.Status, problem)
			return outcome
		}
		if len(values) > 0 {
			result["values"] = values
			show()
		}
		outcome.Message = response.Status
		return outcome
	}
	outcome.Verdict, outcome.Reason = action.Failed, v1.ReasonUnexpectedStatus
	outcome.Message = fmt.Sprintf("%s answered %s; expected is %s.", name, response.Status, expected)
	if head := text(body, messageHead); head != "" {
		outcome.Message += " It said: " + head
	}
	return outcome
}

// retryAfter is how long the other side asks to wait (RFC 9110, section 10.2.3).
func retryAfter(response *http.Response, now time.Time) time.Duration {
	value := response.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(value); err == nil && seconds >= 0 {
		return time.Duration(min(seconds, 1<<30)) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}

// lines are the lines of a text, each at most action.MaxLine long.
func lines(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		for len(line) > action.MaxLine {
			cut := action.MaxLine
			for !utf8.RuneStart(line[cut]) {
				cut--
			}
			out, line = append(out, line[:cut]), line[cut:]
		}
		out = append(out, line)
	}
	return out
}

// text is the head of a body as text; what is no text is only counted.
func text(body []byte, limit int) string {
	body = bytes.TrimSpace(body)
	if len(body) == 0 {
		return ""
	}
	if bytes.IndexByte(body, 0) >= 0 {
		return fmt.Sprintf("(%d bytes that are no text)", len(body))
	}
	head := strings.ToValidUTF8(string(body[:min(limit, len(body))]), "")
	if len(body) > limit {
		head += fmt.Sprintf("… (%d bytes in all)", len(body))
	}
	return head
}
