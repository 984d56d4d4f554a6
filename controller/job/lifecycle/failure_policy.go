package lifecycle

import (
	"fmt"
	"hash/fnv"
	"regexp"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
)

// The documented defaults of spec.backoff.
const (
	defaultBackoffInitial = 10
	defaultBackoffFactor  = 2
	defaultBackoffMax     = 360
)

// maxRetryAfter bounds what the other side may ask for: a day is longer than any
// service means, and shorter than what a wrong number could say.
const maxRetryAfter = 24 * time.Hour

// failed decides about a failed attempt: the first rule of the failure policy that
// matches, and otherwise backoffLimit. An action that was carried out is not retried,
// whatever they say.
func (t *transition) failed(o action.Outcome) move {
	if o.Answered {
		t.status.Failures++
		return t.finish(v1.JobFailed, o.Reason, o.Message+". There is no retry, which would carry it out a second time.")
	}
	rule := match(t.job.Spec.FailurePolicy, o)
	act := v1.FailurePolicyCount
	if rule != nil {
		act = rule.Action
	}
	limit := int32(0)
	if t.job.Spec.BackoffLimit != nil {
		limit = *t.job.Spec.BackoffLimit
	}
	switch act {
	case v1.FailurePolicyFailJob:
		t.status.Failures++
		return t.finish(v1.JobFailed, o.Reason, o.Message+" A rule of spec.failurePolicy allows no retry.")
	case v1.FailurePolicyCount:
		t.status.Failures++
		if t.status.Failures > limit {
			return t.finish(v1.JobFailed, o.Reason, exhausted(t.status.Failures, limit, o.Message))
		}
		return t.retry(o, 0, fmt.Sprintf("failure %d, spec.backoffLimit allows %d", t.status.Failures, limit))
	case v1.FailurePolicyRetryAfter:
		var least time.Duration
		if rule.RetryAfterSeconds != nil {
			least = seconds(int64(*rule.RetryAfterSeconds))
		}
		return t.retry(o, least, "not counted, by a rule of spec.failurePolicy")
	default: // Ignore
		return t.retry(o, 0, "not counted, by a rule of spec.failurePolicy")
	}
}

// What stands in the message of a retry between the failure's reason and its own words.
const (
	nextStart  = "; the next one starts after "
	afterStart = "Z. " // the end of a time in UTC
)

// retry queues the job for another attempt, least from now at the earliest.
func (t *transition) retry(o action.Outcome, least time.Duration, counted string) move {
	if t.status.RunAttempts() >= v1.MaxAttempts {
		return t.finish(v1.JobFailed, v1.ReasonTooManyAttempts, fmt.Sprintf(
			"%d attempts without a success, %d are allowed. Last: %s", t.status.RunAttempts(), v1.MaxAttempts, o.Message))
	}
	failures := t.status.RunAttempts() - t.status.Interruptions
	wait := max(Backoff(t.job.Spec.Backoff, failures, t.status.CurrentAttempt.ID), least, min(o.RetryAfter, maxRetryAfter))
	next := metav1.NewMicroTime(t.now.Add(wait))
	t.status.NextAttemptTime = &next
	t.status.Phase, t.status.Reason = v1.JobQueued, v1.ReasonRetrying
	t.status.Message = fmt.Sprintf("Attempt %d failed with %s (%s)"+nextStart+"%s, at %s"+afterStart+"%s",
		t.status.Attempts, o.Reason, counted, wait.Round(time.Millisecond), strings.TrimSuffix(next.UTC().Format(time.RFC3339), "Z"), o.Message)
	t.status.CurrentAttempt, t.status.Step = nil, ""
	return t.changed(Nothing)
}

// Backoff is the wait before the attempt that follows failure number n (from 1): full
// jitter, that is evenly spread between 0 and initial·factor^(n−1), at most max
// (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter). The
// spread comes from the attempt's id, so the same failure always leads to the same
// wait and different ones are spread.
func Backoff(b *v1.Backoff, n int32, attempt string) time.Duration {
	initial, factor, limit := int32(defaultBackoffInitial), int32(defaultBackoffFactor), int32(defaultBackoffMax)
	if b != nil {
		set(&initial, b.InitialSeconds)
		set(&factor, b.Factor)
		set(&limit, b.MaxSeconds)
		if b.MaxSeconds == nil {
			limit = max(limit, initial)
		}
	}
	bound := time.Duration(initial) * time.Second
	most := time.Duration(limit) * time.Second
	for range n - 1 {
		if bound >= most || bound == 0 || factor == 1 {
			break
		}
		bound = min(bound, most/time.Duration(factor)+1) * time.Duration(factor) // beyond most already: no overflow
	}
	return time.Duration(float64(min(bound, most)) * spread(attempt))
}

func set(to *int32, from *int32) {
	if from != nil {
		*to = *from
	}
}

// spread maps a name evenly to [0, 1): FNV-1a, and the finalizer of SplitMix64, since
// FNV leaves the high bits of names that differ at their end alike.
func spread(name string) float64 {
	h := fnv.New64a()
	h.Write([]byte(name))
	x := h.Sum64()
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	x ^= x >> 31
	return float64(x>>11) / (1 << 53)
}

// match is the first rule that o meets; nil: none.
func match(policy *v1.FailurePolicy, o action.Outcome) *v1.FailureRule {
	if policy == nil {
		return nil
	}
	for i := range policy.Rules {
		if meets(&policy.Rules[i], o) {
			return &policy.Rules[i]
		}
	}
	return nil
}

// meets reports whether o meets every criterion of the rule.
func meets(r *v1.FailureRule, o action.Outcome) bool {
	for _, criterion := range v1.CriteriaOf(r) {
		if !criterion.Met(r, o.Facts) {
			return false
		}
	}
	if r.MessagePattern != "" {
		// Validated at admission; a pattern that does not compile matches nothing.
		pattern, err := regexp.Compile(r.MessagePattern)
		return err == nil && pattern.MatchString(o.Message)
	}
	return true
}

func exhausted(failures, limit int32, message string) string {
	if failures == 1 {
		return message
	}
	retries := "retries"
	if limit == 1 {
		retries = "retry"
	}
	return fmt.Sprintf("Failed %d times, spec.backoffLimit allows %d %s. Last: %s", failures, limit, retries, message)
}
