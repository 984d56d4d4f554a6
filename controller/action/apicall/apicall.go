package apicall

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/go-logr/logr"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/outbound"
	"jobwright.dev/controller/action/secrets"
)

const (
	// defaultTimeout bounds a call whose job sets no timeoutSeconds.
	defaultTimeout = 30 * time.Second
	// DefaultMaxResponse is how much of a response is read, decompressed; the rest is left
	// alone.
	DefaultMaxResponse = 1 << 20
	// logHead, resultHead and messageHead are how much of it the log, the job's result
	// and the message of a failure show.
	logHead     = 64 << 10
	resultHead  = 4 << 10
	messageHead = 512
)

// Options configure a Runner.
type Options struct {
	// Network sends the requests; nil: one that calls public addresses.
	Network *outbound.Network
	// MaxResponse is how many bytes of a response are read, decompressed. 0:
	// DefaultMaxResponse.
	MaxResponse int64
	// UserAgent is sent with each call.
	UserAgent string
	// Secrets are what headers and bodies may name; nil: none.
	Secrets *secrets.Set
	// StateDir is where operations that are polled are remembered, so that a crash begins
	// none a second time; empty: they are not.
	StateDir string
	// Log gets what no job's log can take.
	Log logr.Logger
}

// Runner makes HTTP calls. It implements action.Runner.
type Runner struct {
	opts   Options
	memory *memory
}

// New returns a Runner.
func New(opts Options) *Runner {
	if opts.MaxResponse <= 0 {
		opts.MaxResponse = DefaultMaxResponse
	}
	if opts.Network == nil {
		opts.Network = outbound.New(outbound.Options{})
	}
	r := &Runner{opts: opts, memory: newMemory(opts.StateDir)}
	if err := r.memory.Purge(time.Now(), memoryTime); err != nil {
		opts.Log.Error(err, "remove what is remembered of old operations")
	}
	return r
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
	if spec := a.Job.Spec.APICall; spec == nil || spec.URL == "" {
		return action.Outcome{Verdict: action.Succeeded}
	}
	c, err := r.prepare(a.Job, a.ID)
	if err != nil {
		return action.Fail(v1.ReasonInvalidArguments, err.Error())
	}
	c.out = out
	if old := r.remembered(a.Job); old != nil {
		out.Line(action.System, fmt.Sprintf("going on with the operation at %s, which attempt %s began; %s is not sent again", c.theirURL(old.shown()), old.Attempt, c.name))
		return c.poll(ctx, old, 0)
	}
	return c.run(ctx)
}

// run sends the request that the job describes.
func (c *call) run(ctx context.Context) action.Outcome {
	c.out.Progress(0, "http:request")
	c.out.Line(action.System, c.name)
	if ctx.Err() != nil {
		return action.Outcome{Verdict: action.Stopped, Message: c.name + " was not sent.", Repeatable: true}
	}
	answer, err := c.exchange(ctx, c.method, c.url, c.header, c.body, "http:response")
	if err != nil {
		return c.failed(ctx, err)
	}
	c.log(answer)
	if answer.broken != nil {
		return c.brokenOff(ctx, answer)
	}
	if c.spec.Poll != nil && c.expected(answer.status()) {
		return c.follow(ctx, answer)
	}
	return c.judge(answer)
}

// log writes down what came.
func (c *call) log(a *answer) {
	c.out.Line(action.System, fmt.Sprintf("%s in %s, %s", a.statusLine(c.theirs), a.took.Round(time.Millisecond), a.size(c.theirs)))
	if head := a.head(c.theirs, logHead); head != "" {
		for _, line := range lines(head) {
			c.out.Line(action.Content, line)
		}
	}
}

// Recover implements action.Runner: a call ends with its process, and nobody can
// tell what the receiver made of it; but for an operation, which the next attempt asks
// about.
func (r *Runner) Recover(_ context.Context, a action.Attempt) (action.Outcome, error) {
	spec := a.Job.Spec.APICall
	old := r.remembered(a.Job)
	if old != nil && a.Job.Spec.Cancel {
		if err := r.memory.Remove(a.Job.UID); err != nil {
			return action.Outcome{}, fmt.Errorf("forget the operation of job %s/%s: %w", a.Job.Namespace, a.Job.Name, err)
		}
		return action.Outcome{Verdict: action.Lost, Message: "Nobody asks any more about the operation that attempt " + old.Attempt + " began; it may go on."}, nil
	}
	if old != nil {
		return action.Outcome{
			Verdict: action.Lost, Repeatable: true,
			Message: "The operation that attempt " + old.Attempt + " began goes on by itself; it is asked about further, and the request that began it is not sent again.",
		}, nil
	}
	return action.Outcome{
		Verdict: action.Lost, Message: "The call may or may not have reached its receiver.",
		Repeatable: spec == nil || spec.URL == "" || idempotent(method(spec)),
	}, nil
}
