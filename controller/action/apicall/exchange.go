package apicall

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/outbound"
)

// maxRedirects is the limit of net/http as well.
const maxRedirects = 10

// exchangeError is the error of a request without a final answer.
type exchangeError struct {
	err      error
	timedOut bool // the call's own timeout has passed
	took     time.Duration
	// redirect is the head of the answer whose redirect was not followed; nil: there was no
	// answer.
	redirect *answer
}

func (e *exchangeError) Error() string { return e.err.Error() }
func (e *exchangeError) Unwrap() error { return e.err }

// exchange sends one request, follows redirects as the job says, and reads the answer; step
// is that of the attempt from the head of the answer on.
func (c *call) exchange(ctx context.Context, method string, to *url.URL, header http.Header, body []byte, step string) (*answer, error) {
	start := time.Now()
	calling, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	fail := func(err error) *exchangeError {
		return &exchangeError{err: err, timedOut: ctx.Err() == nil && calling.Err() != nil, took: time.Since(start)}
	}
	request, err := http.NewRequestWithContext(calling, method, to.String(), bytes.NewReader(body))
	if err != nil {
		return nil, fail(err)
	}
	request.Header = header.Clone()
	last := &lastAnswer{next: c.opts.Network}
	client, err := c.client(last)
	if err != nil {
		return nil, fail(err)
	}
	response, err := client.Do(request)
	if err != nil {
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			err = wrapped.Err // its URL may hold what must not be shown; the call's name is redacted
		}
		failure := fail(err)
		if last.response != nil {
			failure.redirect = &answer{response: last.response}
		}
		return nil, failure
	}
	defer response.Body.Close()
	c.out.Progress(50, step)
	a := &answer{response: response}
	a.read(response.Body, c.opts.MaxResponse)
	a.took = time.Since(start)
	if a.broken != nil && ctx.Err() == nil && calling.Err() != nil {
		a.timedOut = true
	}
	return a, nil
}

// lastAnswer keeps the head of the last answer. If net/http reports an error although the last
// request was answered, that answer is a redirect that was not followed.
type lastAnswer struct {
	next     http.RoundTripper
	response *http.Response
}

// RoundTrip implements http.RoundTripper.
func (l *lastAnswer) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := l.next.RoundTrip(r)
	l.response = response // nil with an error
	return response, err
}

// client follows redirects as the job says. Cookies that one sets go along to where it
// leads, and end with the call.
func (c *call) client(network http.RoundTripper) (*http.Client, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: network, Jar: jar, CheckRedirect: c.redirect}, nil
}

// redirect decides about the next request of a chain of redirects.
func (c *call) redirect(next *http.Request, via []*http.Request) error {
	most := maxRedirects
	if c.spec.MaxRedirects != nil {
		most = min(int(*c.spec.MaxRedirects), maxRedirects)
	}
	first, from := via[0], via[len(via)-1]
	switch {
	case most == 0, c.losesMethod(from.Method, next.Method):
		return http.ErrUseLastResponse
	case len(via) > most:
		return fmt.Errorf("more than %d redirects", most)
	case from.URL.Scheme == "https" && next.URL.Scheme != "https":
		return fmt.Errorf("a redirect leads from https to %s, which anybody could read", c.theirURL(next.URL.Redacted()))
	case next.URL.Scheme != "https" && next.URL.Scheme != "http":
		return fmt.Errorf("a redirect leads to %s, and only http and https are spoken", c.theirURL(next.URL.Redacted()))
	case !sameHost(first.URL, next.URL) && next.Body != nil && next.ContentLength != 0:
		return fmt.Errorf("a redirect asks to send the body to another host, %s", c.theirURL(next.URL.Redacted()))
	}
	if !sameHost(first.URL, next.URL) {
		// Any of them may be a credential, whatever its name.
		for _, name := range c.own {
			next.Header.Del(name)
		}
		next.Header.Del("Cookie")
		next.Header.Del("Referer") // its query may be one too
	}
	c.out.Line(action.System, fmt.Sprintf("%d %s: goes on as %s", next.Response.StatusCode,
		http.StatusText(next.Response.StatusCode), next.Method+" "+c.theirURL(next.URL.Redacted())))
	return nil
}

// losesMethod reports whether a redirect makes another request of the job's than the job
// asks for, without the job having said that redirects may be followed.
func (c *call) losesMethod(from, to string) bool {
	return c.spec.MaxRedirects == nil && from != to && from != http.MethodGet && from != http.MethodHead
}

// sameHost reports whether what was meant for one URL may go to another: the same host and
// port, or the same host by https instead of http.
func sameHost(from, to *url.URL) bool {
	if from.Scheme == "http" && to.Scheme == "https" {
		return from.Hostname() == to.Hostname()
	}
	return from.Host == to.Host
}

// failed is the outcome of a call without an answer.
func (c *call) failed(ctx context.Context, err error) action.Outcome {
	var refused *outbound.RefusedError
	var ended *exchangeError
	timedOut := errors.As(err, &ended) && ended.timedOut
	switch {
	case ctx.Err() != nil:
		return action.Outcome{Verdict: action.Stopped, Message: c.name + " was broken off; the receiver may have acted on it.", Repeatable: idempotent(c.method)}
	case timedOut:
		return action.Fail(v1.ReasonTimeout, fmt.Sprintf("%s: no whole response after %s; spec.apiCall.timeoutSeconds allows %d s. The receiver may have acted on it.",
			c.name, ended.took.Round(time.Millisecond), int(c.timeout.Seconds())))
	case errors.As(err, &refused):
		return action.Fail(v1.ReasonAddressRefused, fmt.Sprintf("%s: %v", c.name, refused))
	case ended != nil && ended.redirect != nil:
		return c.notFollowed(ended)
	case headerTooLarge(err):
		return action.Fail(v1.ReasonProtocolError, fmt.Sprintf("%s was answered, but the headers of the response are larger than %d bytes, the most that is read. The receiver may have acted on it.", c.name, outbound.MaxHeaderBytes))
	case errors.Is(err, outbound.ErrUnanswered) && strings.Contains(err.Error(), "malformed"): // net/http's, without a type
		return action.Fail(v1.ReasonProtocolError, fmt.Sprintf("%s was answered with what is no HTTP: %s. The receiver may have acted on it.", c.name, c.unquoted(err.Error())))
	case errors.Is(err, outbound.ErrUnanswered):
		return action.Fail(v1.ReasonInterrupted, fmt.Sprintf("%s was interrupted: %s. The receiver may have acted on it; it was not sent again. It counts as a failure; a retry (spec.backoffLimit) sends the same %s.",
			c.name, c.theirs(err.Error()), headerKey))
	default:
		return action.Fail(v1.ReasonConnectionFailed, fmt.Sprintf("%s: %s", c.name, c.theirs(err.Error())))
	}
}

// notFollowed returns the outcome of a redirect that was not followed. Failure policies can
// match its status.
func (c *call) notFollowed(e *exchangeError) action.Outcome {
	a := e.redirect
	return action.Outcome{
		Verdict: action.Failed, Reason: v1.ReasonUnexpectedStatus, Facts: a.facts(), RetryAfter: a.retryAfter(time.Now()),
		Message: fmt.Sprintf("%s was answered %s, and the redirect was not followed: %s. The receiver may have acted on it.", c.name, a.statusLine(c.theirs), c.theirs(e.Error())),
	}
}

// unquoted is an error of net/http without what it quotes of the answer, where that may be a
// piece of a secret: a piece is not recognised.
func (c *call) unquoted(text string) string {
	if c.hide == nil {
		return text
	}
	said, _, _ := strings.Cut(text, `"`)
	return c.theirs(strings.TrimSpace(said))
}

// headerTooLarge recognises net/http's error, which has no type.
func headerTooLarge(err error) bool {
	text := err.Error()
	return strings.Contains(text, "server response headers exceeded") || strings.Contains(text, "response header list larger than advertised limit")
}

// brokenOff is the outcome of a call whose answer began and did not come to its end. A
// failure policy may go by its status.
func (c *call) brokenOff(ctx context.Context, a *answer) action.Outcome {
	if ctx.Err() != nil {
		return c.failed(ctx, ctx.Err())
	}
	o := action.Outcome{Verdict: action.Failed, Reason: v1.ReasonConnectionFailed, Facts: a.facts(), RetryAfter: a.retryAfter(time.Now())}
	said := fmt.Sprintf("%s answered %s, but the body", c.name, a.statusLine(c.theirs))
	switch {
	case a.timedOut:
		o.Reason = v1.ReasonTimeout
		o.Message = fmt.Sprintf("%s did not end: spec.apiCall.timeoutSeconds allows %d s; %s came until then.", said, int(c.timeout.Seconds()), a.size(c.theirs))
	case a.undecodable:
		o.Reason = v1.ReasonProtocolError
		o.Message = fmt.Sprintf("%s is not what its Content-Encoding says: %s.", said, c.theirs(a.broken.Error()))
	default:
		o.Message = fmt.Sprintf("%s broke off after %s: %s.", said, a.size(c.theirs), c.theirs(a.broken.Error()))
	}
	return o
}

// expected reports whether a status means success.
func (c *call) expected(status int) bool {
	if len(c.spec.ExpectStatus) > 0 {
		return slices.Contains(c.spec.ExpectStatus, int32(status))
	}
	return status/100 == 2
}
