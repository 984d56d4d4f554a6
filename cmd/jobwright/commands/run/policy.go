package run

import (
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/cmd/jobwright/cli"
)

// policyFlags are the flags for a job's start, time limits and failures.
type policyFlags struct {
	dependsOn      []string
	startAfter     string
	suspend        bool
	key            string
	limit          int32
	policy         string
	rate           string
	backoffLimit   int32
	backoff        time.Duration
	startDeadline  time.Duration
	idleTimeout    time.Duration
	attemptTimeout time.Duration
	onInterruption string

	set *pflag.FlagSet // tells which were given
}

func (p *policyFlags) bind(command *cobra.Command) {
	flags := command.Flags()
	p.set = flags
	flags.StringSliceVar(&p.dependsOn, "depends-on", nil, "NAME[:Succeeded|Failed|Finished], a job to wait for; may be given several times")
	flags.StringVar(&p.startAfter, "start-after", "", "earliest start: a time (RFC 3339) or a duration from now, e.g. 2h")
	flags.BoolVar(&p.suspend, "suspend", false, "create the job suspended")
	flags.StringVar(&p.key, "concurrency-key", "", "group whose jobs share --concurrency-limit")
	flags.Int32Var(&p.limit, "concurrency-limit", 0, "how many jobs of the group run at once (default 1)")
	flags.StringVar(&p.policy, "concurrency-policy", "", "Queue, Replace or Skip when the limit is reached (default Queue)")
	flags.StringVar(&p.rate, "rate-limit", "", "KEY=N/DURATION: at most N starts with KEY in DURATION, e.g. api=10/1m")
	flags.Int32Var(&p.backoffLimit, "backoff-limit", 0, "how often a failed attempt is retried")
	flags.DurationVar(&p.backoff, "backoff", 0, "longest wait before the first retry (default 10s); doubles with each retry")
	flags.DurationVar(&p.startDeadline, "start-deadline", 0, "how long the job may be queued; 0: no limit")
	flags.DurationVar(&p.idleTimeout, "idle-timeout", 0, "how long an attempt may run without output or progress; 0: no limit (default: 15m for a build, the limits of its stages for a deploy, its timeout for an api-call)")
	flags.DurationVar(&p.attemptTimeout, "attempt-timeout", 0, "how long one attempt may run; 0: no limit")
	flags.StringVar(&p.onInterruption, "on-interruption", "", "Rerun or Fail if the server dies during an attempt (default: rerun only what is safe to repeat)")
	cli.CompleteValues(command, "concurrency-policy", string(v1.ConcurrencyQueue), string(v1.ConcurrencyReplace), string(v1.ConcurrencySkip))
	cli.CompleteValues(command, "on-interruption", string(v1.InterruptionRerun), string(v1.InterruptionFail))
}

// apply sets the fields of spec from the flags. It refuses only text that has no meaning;
// the server validates the values.
func (p *policyFlags) apply(spec *v1.JobSpec, now time.Time) error {
	for _, text := range p.dependsOn {
		name, condition, _ := strings.Cut(text, ":")
		spec.DependsOn = append(spec.DependsOn, v1.JobDependency{Name: name, Condition: v1.DependencyCondition(condition)})
	}
	if p.startAfter != "" {
		at, err := time.Parse(time.RFC3339, p.startAfter)
		if err != nil {
			wait, err := time.ParseDuration(p.startAfter)
			if err != nil {
				return cli.Usagef("--start-after %q: use a time like 2026-12-01T08:00:00Z or a duration like 2h", p.startAfter)
			}
			at = now.Add(wait)
		}
		start := metav1.NewTime(at)
		spec.StartAfter = &start
	}
	spec.Suspend = p.suspend
	if p.key != "" {
		spec.Concurrency = &v1.Concurrency{Key: p.key, Policy: v1.ConcurrencyPolicy(p.policy)}
		if p.limit > 0 {
			spec.Concurrency.Limit = &p.limit
		}
	} else if p.limit > 0 || p.policy != "" {
		return cli.Usagef("--concurrency-limit and --concurrency-policy go with --concurrency-key")
	}
	if p.rate != "" {
		rate, err := parseRate(p.rate)
		if err != nil {
			return err
		}
		spec.RateLimit = rate
	}
	if p.backoffLimit > 0 {
		spec.BackoffLimit = &p.backoffLimit
	}
	if p.backoff > 0 {
		seconds := int32(wholeSeconds(p.backoff))
		spec.Backoff = &v1.Backoff{InitialSeconds: &seconds}
	}
	spec.OnInterruption = v1.InterruptionPolicy(p.onInterruption)
	for _, limit := range []struct {
		value time.Duration
		field **int64
	}{
		{p.startDeadline, &spec.StartDeadlineSeconds}, {p.idleTimeout, &spec.IdleTimeoutSeconds}, {p.attemptTimeout, &spec.AttemptTimeoutSeconds},
	} {
		if limit.value > 0 {
			seconds := wholeSeconds(limit.value)
			*limit.field = &seconds
		}
	}
	if p.idleTimeout <= 0 && p.set != nil && p.set.Changed("idle-timeout") {
		none := int64(0)
		spec.IdleTimeoutSeconds = &none
	}
	return nil
}

// wholeSeconds rounds up, so that a limit is never shorter than requested.
func wholeSeconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

// parseRate parses KEY=N/DURATION.
func parseRate(text string) (*v1.RateLimit, error) {
	bad := cli.Usagef("--rate-limit %q: use KEY=N/DURATION, e.g. api=10/1m", text)
	key, rest, ok := strings.Cut(text, "=")
	count, per, slash := strings.Cut(rest, "/")
	if !ok || !slash || key == "" {
		return nil, bad
	}
	n, err := strconv.ParseInt(count, 10, 32)
	if err != nil || n < 1 {
		return nil, bad
	}
	span, err := time.ParseDuration(per)
	if err != nil || span < time.Second {
		return nil, bad
	}
	limit := int32(n)
	return &v1.RateLimit{Key: key, Limit: &limit, PerSeconds: int32(wholeSeconds(span))}, nil
}
