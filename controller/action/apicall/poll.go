package apicall

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/jsonpath"
	"jobwright.dev/controller/action/outbound"
)

const (
	// defaultPollInterval lies between two questions about an operation, and
	// defaultPollTimeout is how long one may take, when the job says nothing else.
	defaultPollInterval = 5 * time.Second
	defaultPollTimeout  = time.Hour
	// heartbeat is how often an attempt that waits for its next question gives a sign of
	// life, unless its idle limit asks for more.
	heartbeat = 10 * time.Second
	// stepPoll is the step of an attempt that waits for an operation.
	stepPoll = "http:poll"
	// maxURL bounds a URL that a response has told.
	maxURL = 8192
)

// monitors are the headers that lead to an operation's state, by which it goes on or has
// ended whatever the status of the response says (Microsoft's REST guidelines, long-running
// operations); a Location beside them leads to the result.
var monitors = []string{"Operation-Location", "Azure-AsyncOperation"}

// monitor is the URL of an operation's state in a header; empty: there is none.
func (a *answer) monitor() string {
	for _, name := range monitors {
		if value := a.response.Header.Get(name); value != "" {
			return value
		}
	}
	return ""
}

// polling is a job's spec.apiCall.poll, ready to use.
type polling struct {
	url               *jsonpath.Template // nil: the Location header
	interval, timeout time.Duration
	done, failed      []bodyCheck
}

func newPolling(spec *v1.APICallPoll) (*polling, error) {
	if spec == nil {
		return nil, nil
	}
	p := &polling{interval: defaultPollInterval, timeout: defaultPollTimeout}
	if spec.IntervalSeconds != nil {
		p.interval = time.Duration(*spec.IntervalSeconds) * time.Second
	}
	if spec.TimeoutSeconds != nil {
		p.timeout = time.Duration(*spec.TimeoutSeconds) * time.Second
	}
	var err error
	if spec.URL != "" {
		if p.url, err = jsonpath.ParseTemplate(spec.URL); err != nil {
			return nil, fmt.Errorf("spec.apiCall.poll.url: Invalid value: %q: %w", spec.URL, err)
		}
	}
	if p.done, err = newBodyChecks(spec.Done, "spec.apiCall.poll.done"); err != nil {
		return nil, err
	}
	p.failed, err = newBodyChecks(spec.Failed, "spec.apiCall.poll.failed")
	return p, err
}

// shown is the operation's URL without what must not be shown.
func (o *operation) shown() string {
	u, err := url.Parse(o.URL)
	if err != nil {
		return "its URL"
	}
	return u.Redacted()
}

// remembered is the operation that an attempt of this run of the job has begun; nil: there
// is none.
func (r *Runner) remembered(job *v1.Job) *operation {
	if spec := job.Spec.APICall; spec == nil || spec.Poll == nil {
		return nil
	}
	o, err := r.memory.Read(job.UID)
	if err != nil {
		r.opts.Log.Error(err, "read the operation of a job", "job", job.Namespace+"/"+job.Name)
		return nil
	}
	if o == nil || o.Run != runKey(job) {
		return nil
	}
	return o
}

// follow goes on from the answer to the job's request: it is the outcome, or it has begun
// an operation.
func (c *call) follow(ctx context.Context, a *answer) action.Outcome {
	switch ended, why := c.state(a); {
	case ended == operationFailed:
		return c.operationFailed(a, why)
	case ended == operationDone && len(c.polling.done) > 0:
		return c.judge(a)
	case ended == operationDone && c.polling.url == nil: // there is nothing to wait for
		return c.judge(a)
	}
	to, err := c.place(a)
	if err != nil {
		o := c.judge(a)
		o.Verdict, o.Reason = action.Failed, v1.ReasonUnexpectedResponse
		o.Message = fmt.Sprintf("%s answered %s, but where its operation could be asked about is not known: %s. The receiver may go on with it.", c.name, a.statusLine(c.theirs), c.theirs(err.Error()))
		return o
	}
	o := &operation{Run: runKey(c.job), Namespace: c.job.Namespace, Job: c.job.Name, Attempt: c.attempt, URL: to.String(), Began: time.Now()}
	c.out.Line(action.System, fmt.Sprintf("the operation is asked about at %s", c.theirURL(o.shown())))
	if err := c.memory.Write(c.job.UID, *o); err != nil { // it costs the way back after a crash, not the call
		c.opts.Log.Error(err, "remember the operation of a job", "job", c.job.Namespace+"/"+c.job.Name)
		c.out.Line(action.System, "the operation could not be written down, so a crash of the server would lose it")
	}
	return c.poll(ctx, o, max(c.polling.interval, a.retryAfter(time.Now())))
}

// place is where to ask about the operation that an answer has begun.
func (c *call) place(a *answer) (*url.URL, error) {
	text := cmp.Or(a.monitor(), a.response.Header.Get("Location"))
	if t := c.polling.url; t != nil {
		var value any
		if t.NeedsValue() {
			var problem string
			if value, problem = a.value(c.theirs); problem != "" {
				return nil, errors.New(problem)
			}
		}
		var err error
		if text, err = t.Expand(value); err != nil {
			return nil, fmt.Errorf("spec.apiCall.poll.url: %w", err)
		}
	} else if text == "" {
		return nil, errors.New("there is no Location header, and spec.apiCall.poll.url is unset")
	}
	if len(text) > maxURL {
		return nil, fmt.Errorf("its URL has %d characters, at most %d are allowed", len(text), maxURL)
	}
	base := a.response.Request.URL
	relative, err := base.Parse(text)
	if err != nil {
		return nil, errors.New("its URL cannot be read")
	}
	to, err := target(relative.String())
	switch {
	case err != nil:
		return nil, fmt.Errorf("its URL %w", err)
	case to.User != nil:
		return nil, errors.New("its URL must not contain user or password")
	case base.Scheme == "https" && to.Scheme != "https":
		return nil, errors.New("its URL leads from https to http, which anybody could read")
	}
	return to, nil
}

// The states of an operation.
type operationState int

const (
	operationRuns operationState = iota
	operationDone
	operationFailed
)

// state returns the state of an operation according to an answer, and for a failed operation
// the condition that was met.
func (c *call) state(a *answer) (s operationState, why string) {
	p := c.polling
	if len(p.done)+len(p.failed) > 0 {
		value, problem := a.value(c.theirs)
		for _, failed := range p.failed {
			if problem == "" && failed.holds(value) {
				found, _ := failed.path.Find(value) // it holds, so there is something
				return operationFailed, fmt.Sprintf("%s: %s is %s", failed.field, failed.path, shownValues(found, c.theirs))
			}
		}
		for _, done := range p.done {
			if problem != "" || !done.holds(value) {
				return operationRuns, ""
			}
		}
		if len(p.done) > 0 {
			return operationDone, ""
		}
	}
	return c.stated(a)
}

// stated is what an answer says of an operation where the job sets no condition for its
// end: by the member status of its body, else by its own status.
func (c *call) stated(a *answer) (s operationState, why string) {
	value, problem := a.value(c.theirs)
	object, _ := value.(map[string]any)
	status, known := object["status"].(string)
	switch {
	case problem != "" || !known:
	case isOneOf(status, "Failed", "Canceled", "Cancelled") && len(c.polling.failed) == 0:
		return operationFailed, "its status is " + shownValues([]any{status}, c.theirs)
	case isOneOf(status, "NotStarted", "Running", "InProgress"):
		return operationRuns, ""
	case isOneOf(status, "Succeeded"):
		return operationDone, ""
	}
	if a.status() == http.StatusAccepted || a.monitor() != "" && !known {
		return operationRuns, ""
	}
	return operationDone, ""
}

func isOneOf(text string, words ...string) bool {
	return slices.ContainsFunc(words, func(word string) bool { return strings.EqualFold(text, word) })
}

// poll asks about an operation until it has ended; first is how long to wait before.
func (c *call) poll(ctx context.Context, o *operation, first time.Duration) action.Outcome {
	to, err := target(o.URL)
	if err != nil {
		return action.Fail(v1.ReasonInternalError, fmt.Sprintf("The URL of the operation that attempt %s began cannot be read.", o.Attempt))
	}
	now := time.Now()
	left := min(c.polling.timeout-now.Sub(o.Began.Round(0)), c.polling.timeout) // not longer because of a clock that was set back
	end := now.Add(left)
	said := "it has not been asked about yet"
	for wait, alive := first, true; ; {
		left := time.Until(end)
		last := wait >= left // it is asked once more at the end, and after a crash at least once
		if err := c.wait(ctx, min(wait, left), alive); err == nil {
			outcome, now, retryAfter := c.ask(ctx, to)
			if outcome != nil {
				return *outcome
			}
			if now.said != said {
				c.out.Line(action.System, now.said)
			}
			said, alive, wait = now.said, now.answered, max(c.polling.interval, retryAfter)
		}
		switch {
		case ctx.Err() != nil:
			return action.Outcome{
				Verdict: action.Stopped, Repeatable: true,
				Message: fmt.Sprintf("Nobody asks any more about the operation that %s began; it may go on at %s. Another attempt of this run asks further and does not begin it again.", c.name, c.theirURL(o.shown())),
			}
		case last:
			return action.Fail(v1.ReasonTimeout, fmt.Sprintf("The operation that %s began has not ended within the %d s that spec.apiCall.poll.timeoutSeconds allows: %s. It may go on at %s.",
				c.name, int(c.polling.timeout.Seconds()), said, c.theirURL(o.shown())))
		}
	}
}

// unaskable returns the outcome of a poll whose answer shows that polling cannot succeed.
func (c *call) unaskable(a *answer, said string) *action.Outcome {
	o := action.Fail(v1.ReasonUnexpectedStatus, fmt.Sprintf("The operation that %s began cannot be asked about: %s. It may go on; a retry asks again and does not begin it again.", c.name, said))
	o.Facts = a.facts()
	return &o
}

// asked is the result of a poll that has not ended the operation.
type asked struct {
	said     string
	answered bool // which is a sign of life
}

// ask asks once. An answer that says nothing of the operation's end is not the end: it goes
// on, whether it can be asked about or not.
func (c *call) ask(ctx context.Context, to *url.URL) (*action.Outcome, asked, time.Duration) {
	name := http.MethodGet + " " + c.theirURL(to.Redacted())
	a, err := c.exchange(ctx, http.MethodGet, to, c.pollHeader(to), nil, stepPoll)
	var refused *outbound.RefusedError
	var ended *exchangeError
	switch {
	case errors.As(err, &refused):
		o := action.Fail(v1.ReasonAddressRefused, fmt.Sprintf("%s: %v", name, refused))
		return &o, asked{}, 0
	case errors.As(err, &ended) && ended.redirect != nil && !ended.timedOut:
		said := c.theirs(fmt.Sprintf("%s was answered %s, and the redirect was not followed: %v", name, ended.redirect.statusLine(c.theirs), err))
		return c.unaskable(ended.redirect, said), asked{said: said, answered: true}, 0
	case err != nil:
		return nil, asked{said: c.theirs(fmt.Sprintf("%s: %v; it is asked again", name, err))}, 0
	case a.broken != nil:
		return nil, asked{said: c.theirs(fmt.Sprintf("%s: the body broke off: %v; it is asked again", name, a.broken))}, 0
	}
	now := asked{said: c.theirs(fmt.Sprintf("%s answered %s", name, a.statusLine(c.theirs))), answered: true}
	if head := a.head(c.theirs, messageHead); head != "" {
		now.said += ": " + strings.Join(strings.Fields(head), " ")
	}
	switch {
	case passing(a.status()):
		return nil, asked{said: now.said}, a.retryAfter(time.Now())
	case a.status()/100 != 2:
		return c.unaskable(a, now.said), now, 0
	}
	switch state, why := c.state(a); state {
	case operationFailed:
		c.log(a)
		o := c.operationFailed(a, why)
		c.forget()
		return &o, now, 0
	case operationDone:
		c.log(a)
		o := c.conclude(a)
		if err := c.memory.end(c.job.UID, time.Now()); err != nil {
			c.opts.Log.Error(err, "forget the operations of jobs")
		}
		return &o, now, 0
	case operationRuns:
	}
	return nil, now, a.retryAfter(time.Now())
}

// passing reports whether a status says something of this moment only.
func passing(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return status/100 == 5
}

// conclude is the outcome of an operation that is done. expectStatus was about the request
// that began it.
func (c *call) conclude(a *answer) action.Outcome {
	final := *c
	spec := *c.spec
	spec.ExpectStatus = nil
	final.spec = &spec
	return final.judge(a)
}

// operationFailed is the outcome of an operation of which an answer says that it failed.
func (c *call) operationFailed(a *answer, why string) action.Outcome {
	o := c.conclude(a)
	o.Verdict, o.Reason = action.Failed, v1.ReasonUnexpectedResponse
	o.Message = fmt.Sprintf("The operation that %s began has failed: %s.", c.name, why)
	return o
}

// pollHeader is what a question is sent with: the job's headers to the host of the call
// only, and nothing about a body.
func (c *call) pollHeader(to *url.URL) http.Header {
	header := c.header.Clone()
	for _, name := range []string{headerKey, "Content-Type", "Content-Encoding", "Content-Language"} {
		header.Del(name)
	}
	if !sameHost(c.url, to) {
		for _, name := range c.own {
			header.Del(name)
		}
	}
	return header
}

// wait waits, with a sign of life now and then where the other side has given one.
func (c *call) wait(ctx context.Context, d time.Duration, alive bool) error {
	beat := heartbeat
	if limit, limited := c.job.IdleTimeout(); limited {
		beat = min(beat, time.Duration(limit)*time.Second/3)
	}
	for end := time.Now().Add(d); ; {
		if alive {
			c.out.Progress(-1, stepPoll)
		}
		left := time.Until(end)
		if left <= 0 {
			return ctx.Err()
		}
		timer := time.NewTimer(min(left, beat))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// forget has another attempt begin the operation again.
func (c *call) forget() {
	if err := c.memory.Remove(c.job.UID); err != nil {
		c.opts.Log.Error(err, "forget the operation of a job", "job", c.job.Namespace+"/"+c.job.Name)
	}
}
