package lifecycle_test

import (
	"fmt"
	"testing"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/job/lifecycle"
)

func retries(n int32) func(*v1.Job) { return func(j *v1.Job) { j.Spec.BackoffLimit = &n } }

func failures(n int32) func(*v1.Job) {
	return func(j *v1.Job) { j.Status.Failures, j.Status.Attempts = n, n }
}

func rules(r ...v1.FailureRule) func(*v1.Job) {
	return func(j *v1.Job) { j.Spec.FailurePolicy = &v1.FailurePolicy{Rules: r} }
}

// atOnce takes the back-off out of a row.
func atOnce(j *v1.Job) { j.Spec.Backoff = &v1.Backoff{InitialSeconds: new(int32)} }

func exit(code int32) action.Outcome {
	o := action.Fail(v1.ReasonExitCode, fmt.Sprint("exit ", code))
	o.Facts = o.Facts.With(v1.FactExitCode, code)
	return o
}

func retryAfter(o action.Outcome, wait time.Duration) action.Outcome {
	o.RetryAfter = wait
	return o
}

func answered(reason string) action.Outcome {
	o := action.Fail(reason, "answered, but")
	o.Answered = true
	return o
}

// counts says what a decision has counted and when the next attempt may start.
func counts(failures int32, next time.Duration) func(*testing.T, lifecycle.Decision) {
	return func(t *testing.T, d lifecycle.Decision) {
		t.Helper()
		if d.Status.Failures != failures {
			t.Errorf("%d failures, want %d", d.Status.Failures, failures)
		}
		if !d.Status.Phase.Terminal() && !d.Status.NextAttemptTime.Equal(micro(next)) {
			t.Errorf("next attempt at %v, want %v", d.Status.NextAttemptTime, micro(next))
		}
	}
}

var anyFailure = v1.FailureRule{MessagePattern: "."}

func deciding(r v1.FailureRule, act v1.FailurePolicyAction) v1.FailureRule {
	r.Action = act
	return r
}

// failureTable is how failures are judged: rule 7. Which criterion matches what stands
// in TestFailureRuleCriteria, the wait itself in TestBackoff.
var failureTable = table{
	"no retry unless asked for": {status: changes{running}, seen: outcome(exit(3)), want: want{
		phase: v1.JobFailed, reason: v1.ReasonExitCode, changed: true, message: []string{"exit 3"}, check: counts(1, 0),
	}},
	"a retry": {spec: changes{retries(2), atOnce}, status: changes{running}, seen: outcome(exit(3)), want: want{
		reason: v1.ReasonRetrying, changed: true, message: []string{"Attempt 1 failed with ExitCode (failure 1, spec.backoffLimit allows 2)", "starts after 0s", "exit 3"}, check: counts(1, 0),
	}},
	"a retry gives the attempt up": {spec: changes{retries(2), atOnce}, status: changes{running, func(j *v1.Job) { j.Status.Step = "half" }}, seen: outcome(exit(3)), want: want{
		reason: v1.ReasonRetrying, changed: true, check: func(t *testing.T, d lifecycle.Decision) {
			if d.Status.CurrentAttempt != nil || d.Status.Step != "" || d.Status.StartTime == nil {
				t.Errorf("status = %+v", d.Status)
			}
		},
	}},
	"the last retry": {spec: changes{retries(2), atOnce}, status: changes{failures(1), running}, seen: outcome(exit(3)), want: want{reason: v1.ReasonRetrying, changed: true, check: counts(2, 0)}},
	"one failure too many": {spec: changes{retries(2), atOnce}, status: changes{failures(2), running}, seen: outcome(exit(3)), want: want{
		phase: v1.JobFailed, reason: v1.ReasonExitCode, changed: true, message: []string{"Failed 3 times, spec.backoffLimit allows 2 retries. Last: exit 3"}, check: counts(3, 0),
	}},
	"nothing is due of a job that has failed": {spec: changes{deadline(60)}, status: changes{running}, seen: outcome(exit(3)), want: want{
		phase: v1.JobFailed, reason: v1.ReasonExitCode, changed: true,
	}},
	"a retry waits": {spec: changes{retries(1)}, status: changes{running}, seen: outcome(exit(3)), want: want{
		reason: v1.ReasonRetrying, changed: true, check: counts(1, lifecycle.Backoff(nil, 1, "u-1")),
	}},
	"the second one up to twice as long": {spec: changes{retries(2)}, status: changes{failures(1), running, func(j *v1.Job) { j.Status.CurrentAttempt.ID = "u-2" }}, seen: outcome(exit(3)), want: want{
		reason: v1.ReasonRetrying, changed: true, check: counts(2, lifecycle.Backoff(nil, 2, "u-2")),
	}},
	"interruptions do not lengthen it": {spec: changes{retries(2)}, status: changes{interruptions(3), running}, seen: outcome(exit(3)), want: want{
		reason: v1.ReasonRetrying, changed: true, check: counts(1, lifecycle.Backoff(nil, 1, "u-1")),
	}},
	"runs before this one do not lengthen it": {spec: changes{retries(2)}, status: changes{func(j *v1.Job) {
		j.Status.Attempts, j.Status.Reruns, j.Status.History = 40, 1, []v1.RunStatus{{Attempts: 40}}
	}, running}, seen: outcome(exit(3)), want: want{
		reason: v1.ReasonRetrying, changed: true, check: counts(1, lifecycle.Backoff(nil, 1, "u-1")),
	}},

	"what was carried out is not carried out twice": {spec: changes{retries(5), atOnce}, status: changes{running}, seen: outcome(answered(v1.ReasonProtocolError)), want: want{
		phase: v1.JobFailed, reason: v1.ReasonProtocolError, changed: true, message: []string{"answered, but. There is no retry, which would carry it out a second time."}, check: counts(1, 0),
	}},
	"what was carried out is not carried out twice, whatever a rule says": {spec: changes{retries(5), atOnce, rules(deciding(anyFailure, v1.FailurePolicyIgnore))}, status: changes{running}, seen: outcome(answered(v1.ReasonProtocolError)), want: want{
		phase: v1.JobFailed, reason: v1.ReasonProtocolError, changed: true, check: counts(1, 0),
	}},
	"Retry-After is the least wait": {spec: changes{retries(1), atOnce}, status: changes{running}, seen: outcome(retryAfter(exit(3), time.Minute)), want: want{
		reason: v1.ReasonRetrying, changed: true, check: both(counts(1, time.Minute), held(time.Minute)),
	}},
	"Retry-After does not shorten the back-off": {spec: changes{retries(1)}, status: changes{running}, seen: outcome(retryAfter(exit(3), time.Nanosecond*1000)), want: want{
		reason: v1.ReasonRetrying, changed: true, check: counts(1, lifecycle.Backoff(nil, 1, "u-1")),
	}},
	"Retry-After is at most a day": {spec: changes{retries(1), atOnce}, status: changes{running}, seen: outcome(retryAfter(exit(3), 1000*time.Hour)), want: want{
		reason: v1.ReasonRetrying, changed: true, check: both(counts(1, 24*time.Hour), held(24*time.Hour)),
	}},
	"Retry-After of a success holds its rate limit too": {status: changes{running}, seen: outcome(retryAfter(verdict(action.Succeeded, ""), time.Minute)), want: want{
		phase: v1.JobSucceeded, reason: v1.ReasonCompleted, changed: true, check: held(time.Minute),
	}},
	"without Retry-After nothing is held": {status: changes{running}, seen: outcome(verdict(action.Succeeded, "")), want: want{
		phase: v1.JobSucceeded, reason: v1.ReasonCompleted, changed: true, check: func(t *testing.T, d lifecycle.Decision) {
			if d.Status.RetryAfterTime != nil {
				t.Errorf("held until %v", d.Status.RetryAfterTime)
			}
		},
	}},

	"FailJob ends the job though retries are left": {spec: changes{retries(5), rules(deciding(anyFailure, v1.FailurePolicyFailJob))}, status: changes{running}, seen: outcome(exit(3)), want: want{
		phase: v1.JobFailed, reason: v1.ReasonExitCode, changed: true, message: []string{"exit 3 A rule of spec.failurePolicy allows no retry."}, check: counts(1, 0),
	}},
	"Ignore retries though none is left": {spec: changes{atOnce, rules(deciding(anyFailure, v1.FailurePolicyIgnore))}, status: changes{running}, seen: outcome(exit(3)), want: want{
		reason: v1.ReasonRetrying, changed: true, message: []string{"(not counted, by a rule of spec.failurePolicy)"}, check: counts(0, 0),
	}},
	"Ignore heeds Retry-After": {spec: changes{atOnce, rules(deciding(anyFailure, v1.FailurePolicyIgnore))}, status: changes{running}, seen: outcome(retryAfter(exit(3), time.Minute)), want: want{
		reason: v1.ReasonRetrying, changed: true, check: counts(0, time.Minute),
	}},
	"Count counts": {spec: changes{retries(1), atOnce, rules(deciding(anyFailure, v1.FailurePolicyCount))}, status: changes{running}, seen: outcome(exit(3)), want: want{
		reason: v1.ReasonRetrying, changed: true, message: []string{"(failure 1, spec.backoffLimit allows 1)"}, check: counts(1, 0),
	}},
	"Count shields from a later rule": {spec: changes{retries(1), atOnce, rules(deciding(anyFailure, v1.FailurePolicyCount), deciding(anyFailure, v1.FailurePolicyFailJob))}, status: changes{running}, seen: outcome(exit(3)), want: want{
		reason: v1.ReasonRetrying, changed: true, check: counts(1, 0),
	}},
	"RetryAfter waits for as long as the rule says": {spec: changes{atOnce, rules(v1.FailureRule{Action: v1.FailurePolicyRetryAfter, MessagePattern: ".", RetryAfterSeconds: new(int32(30))})}, status: changes{running}, seen: outcome(exit(3)), want: want{
		reason: v1.ReasonRetrying, changed: true, check: counts(0, 30*time.Second),
	}},
	"RetryAfter waits for longer where the other side asks": {spec: changes{atOnce, rules(v1.FailureRule{Action: v1.FailurePolicyRetryAfter, MessagePattern: ".", RetryAfterSeconds: new(int32(30))})}, status: changes{running}, seen: outcome(retryAfter(exit(3), time.Minute)), want: want{
		reason: v1.ReasonRetrying, changed: true, check: counts(0, time.Minute),
	}},
	"RetryAfter without a wait of its own": {spec: changes{atOnce, rules(deciding(anyFailure, v1.FailurePolicyRetryAfter))}, status: changes{running}, seen: outcome(exit(3)), want: want{
		reason: v1.ReasonRetrying, changed: true, check: counts(0, 0),
	}},
	"no rule that matches": {spec: changes{rules(v1.FailureRule{Action: v1.FailurePolicyIgnore, ExitCodes: []int32{4}})}, status: changes{running}, seen: outcome(exit(3)), want: want{
		phase: v1.JobFailed, reason: v1.ReasonExitCode, changed: true, check: counts(1, 0),
	}},
	"the second rule matches": {spec: changes{atOnce, rules(v1.FailureRule{Action: v1.FailurePolicyFailJob, ExitCodes: []int32{4}}, v1.FailureRule{Action: v1.FailurePolicyIgnore, ExitCodes: []int32{3}})}, status: changes{running}, seen: outcome(exit(3)), want: want{
		reason: v1.ReasonRetrying, changed: true, check: counts(0, 0),
	}},
	"no rule turns a success into a failure": {spec: changes{rules(v1.FailureRule{Action: v1.FailurePolicyFailJob, MessagePattern: "done"})}, status: changes{running}, seen: outcome(verdict(action.Succeeded, "done")), want: want{
		phase: v1.JobSucceeded, reason: v1.ReasonCompleted, changed: true,
	}},
	"one attempt short of the most": {spec: changes{atOnce, rules(deciding(anyFailure, v1.FailurePolicyIgnore))}, status: changes{func(j *v1.Job) { j.Status.Attempts = v1.MaxAttempts - 2 }, running}, seen: outcome(exit(3)), want: want{
		reason: v1.ReasonRetrying, changed: true,
	}},
	"as many attempts as there may be": {spec: changes{atOnce, rules(deciding(anyFailure, v1.FailurePolicyIgnore))}, status: changes{func(j *v1.Job) { j.Status.Attempts = v1.MaxAttempts - 1 }, running}, seen: outcome(exit(3)), want: want{
		phase: v1.JobFailed, reason: v1.ReasonTooManyAttempts, changed: true, message: []string{"10000 attempts without a success, 10000 are allowed. Last: exit 3"},
	}},
	"attempts of earlier runs do not count": {spec: changes{atOnce, rules(deciding(anyFailure, v1.FailurePolicyIgnore))}, status: changes{func(j *v1.Job) {
		j.Status.Attempts, j.Status.Reruns, j.Status.History = v1.MaxAttempts, 1, []v1.RunStatus{{Attempts: v1.MaxAttempts}}
	}, running}, seen: outcome(exit(3)), want: want{reason: v1.ReasonRetrying, changed: true}},
}

func both(one, two func(*testing.T, lifecycle.Decision)) func(*testing.T, lifecycle.Decision) {
	return func(t *testing.T, d lifecycle.Decision) {
		one(t, d)
		two(t, d)
	}
}

// held is what a Retry-After does to the rate limit.
func held(until time.Duration) func(*testing.T, lifecycle.Decision) {
	return func(t *testing.T, d lifecycle.Decision) {
		if !d.Status.RetryAfterTime.Equal(micro(until)) {
			t.Errorf("held until %v, want %v", d.Status.RetryAfterTime, micro(until))
		}
	}
}

func TestFailureRuleCriteria(t *testing.T) {
	failure := func(change func(*action.Outcome)) action.Outcome {
		o := action.Fail(v1.ReasonToolError, "no space left on device")
		if change != nil {
			change(&o)
		}
		return o
	}
	status := func(n int32) action.Outcome {
		return failure(func(o *action.Outcome) { o.Facts = o.Facts.With(v1.FactHTTPStatus, n) })
	}
	tool := func(is bool) action.Outcome {
		return failure(func(o *action.Outcome) { o.Facts = o.Facts.With(v1.FactToolError, is) })
	}
	rpc := func(n int64) action.Outcome {
		return failure(func(o *action.Outcome) { o.Facts = o.Facts.With(v1.FactRPCCode, n) })
	}
	for name, tc := range map[string]struct {
		rule v1.FailureRule
		o    action.Outcome
		want bool
	}{
		"an exit code":                          {v1.FailureRule{ExitCodes: []int32{1, 3}}, exit(3), true},
		"another exit code":                     {v1.FailureRule{ExitCodes: []int32{1, 3}}, exit(2), false},
		"an exit code where there was none":     {v1.FailureRule{ExitCodes: []int32{1, 3}}, failure(nil), false},
		"a status":                              {v1.FailureRule{HTTPStatus: []int32{500, 503}}, status(503), true},
		"another status":                        {v1.FailureRule{HTTPStatus: []int32{500, 503}}, status(404), false},
		"a status where there was none":         {v1.FailureRule{HTTPStatus: []int32{500, 503}}, failure(nil), false},
		"a tool's error":                        {v1.FailureRule{IsError: new(true)}, tool(true), true},
		"not a tool's error":                    {v1.FailureRule{IsError: new(true)}, tool(false), false},
		"anything but a tool's error":           {v1.FailureRule{IsError: new(false)}, tool(false), true},
		"anything but a tool's error, which is": {v1.FailureRule{IsError: new(false)}, tool(true), false},
		"an RPC code":                           {v1.FailureRule{RPCCodes: []int64{-32602}}, rpc(-32602), true},
		"an RPC code where there was none":      {v1.FailureRule{RPCCodes: []int64{0}}, failure(nil), false},
		"the RPC code 0":                        {v1.FailureRule{RPCCodes: []int64{0}}, rpc(0), true},
		"another RPC code":                      {v1.FailureRule{RPCCodes: []int64{-32602}}, rpc(-32603), false},
		"a pattern":                             {v1.FailureRule{MessagePattern: `space (left|on)`}, failure(nil), true},
		"another pattern":                       {v1.FailureRule{MessagePattern: `^space`}, failure(nil), false},
		"a pattern that does not compile":       {v1.FailureRule{MessagePattern: `(`}, failure(nil), false},
		"two criteria, both met":                {v1.FailureRule{MessagePattern: `space`, HTTPStatus: []int32{507}}, status(507), true},
		"two criteria, the first met":           {v1.FailureRule{MessagePattern: `memory`, HTTPStatus: []int32{507}}, status(507), false},
		"two criteria, the second met":          {v1.FailureRule{MessagePattern: `space`, HTTPStatus: []int32{507}}, status(500), false},
	} {
		tc.rule.Action = v1.FailurePolicyIgnore
		d := next(job(running, rules(tc.rule)), outcome(tc.o), start)
		if got := d.Status.Phase == v1.JobQueued; got != tc.want {
			t.Errorf("%s: matched = %v, want %v", name, got, tc.want)
		}
	}
}

func TestBackoff(t *testing.T) {
	n := func(i int32) *int32 { return &i }
	second := float64(time.Second)
	for name, tc := range map[string]struct {
		b       *v1.Backoff
		failure int32
		bound   float64 // in nanoseconds
	}{
		"the defaults, first failure":               {nil, 1, 10 * second},
		"the defaults, second failure":              {nil, 2, 20 * second},
		"the defaults, sixth failure":               {nil, 6, 320 * second},
		"the defaults, seventh failure":             {nil, 7, 360 * second},
		"the defaults, ten thousandth failure":      {nil, 10_000, 360 * second},
		"no wait":                                   {&v1.Backoff{InitialSeconds: n(0)}, 100, 0},
		"a constant wait":                           {&v1.Backoff{InitialSeconds: n(5), Factor: n(1)}, 10_000, 5 * second},
		"a tenfold wait":                            {&v1.Backoff{InitialSeconds: n(1), Factor: n(10)}, 3, 100 * second},
		"a cap":                                     {&v1.Backoff{InitialSeconds: n(1), Factor: n(10), MaxSeconds: n(50)}, 3, 50 * second},
		"no wait by its cap":                        {&v1.Backoff{MaxSeconds: n(0)}, 3, 0},
		"an initial wait above the default cap":     {&v1.Backoff{InitialSeconds: n(1000)}, 1, 1000 * second},
		"and its second wait":                       {&v1.Backoff{InitialSeconds: n(1000)}, 2, 1000 * second},
		"a wait that goes beyond what a clock says": {&v1.Backoff{InitialSeconds: n(1_000_000_000), Factor: n(10), MaxSeconds: n(2_000_000_000)}, 2, 2_000_000_000 * second},
		"waits that go beyond what a clock says":    {&v1.Backoff{InitialSeconds: n(1_000_000_000), Factor: n(10), MaxSeconds: n(2_000_000_000)}, 3, 2_000_000_000 * second},
	} {
		t.Run(name, func(t *testing.T) {
			const samples = 2000
			var sum, least, most float64
			least = tc.bound
			for i := range samples {
				wait := float64(lifecycle.Backoff(tc.b, tc.failure, fmt.Sprint("u-", i)))
				sum, least, most = sum+wait, min(least, wait), max(most, wait)
			}
			if least < 0 || most > tc.bound || tc.bound == 0 && most != 0 {
				t.Fatalf("waits between %v and %v, bound %v", least, most, tc.bound)
			}
			// Full jitter is spread evenly from 0: with 2,000 names the mean is within
			// 5 % of the middle, and both ends are come near.
			if mean := sum / samples; tc.bound > 0 && (mean < 0.47*tc.bound || mean > 0.53*tc.bound || least > 0.01*tc.bound || most < 0.99*tc.bound) {
				t.Errorf("waits from %v to %v with a mean of %v, bound %v", least, most, mean, tc.bound)
			}
		})
	}
	if first, again := lifecycle.Backoff(nil, 1, "u-1"), lifecycle.Backoff(nil, 1, "u-1"); first != again {
		t.Error("the same failure waits differently")
	}
}
