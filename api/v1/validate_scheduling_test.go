package v1

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestValidateLimits covers fields that are refused as unsupported as well, so it
// leaves that refusal out.
func TestValidateSchedulingRunsAndRetries(t *testing.T) {
	cases := map[string]jobCase{
		"dependencies that cannot be": {
			spec: func(j *Job) {
				j.Spec.DependsOn = []JobDependency{
					{}, {Name: j.Name}, {Name: "a"}, {Name: "a", Condition: DependencyFinished}, {Name: "b", Condition: "Done"}, {Name: "B"},
				}
			},
			want: []string{
				"spec.dependsOn[0].name: Required value: name the job to wait for",
				`spec.dependsOn[1].name: Invalid value: "add-health-route": a job cannot depend on itself`,
				`spec.dependsOn[3].name: Duplicate value: "a"`,
				`spec.dependsOn[4].condition: Unsupported value: "Done": supported values: "Succeeded", "Failed", "Finished"`,
				`spec.dependsOn[5].name: Invalid value: "B": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`,
			},
		},
		"too many dependencies": {
			spec: func(j *Job) {
				for i := range 101 {
					j.Spec.DependsOn = append(j.Spec.DependsOn, JobDependency{Name: strings.Repeat("a", i%50+1) + strings.Repeat("b", i/50+1)})
				}
			},
			want: []string{"spec.dependsOn: Too many: 101: must have at most 100 items"},
		},
		"a concurrency without key and limit": {
			spec: func(j *Job) { j.Spec.Concurrency = &Concurrency{Limit: new(int32(0))} },
			want: []string{
				"spec.concurrency.key: Required value: name the group whose jobs share the limit",
				"spec.concurrency.limit: Invalid value: 0: must be at least 1",
			},
		},
		"durations out of range": {
			spec: func(j *Job) {
				j.Spec.StartDeadlineSeconds = new(int64(0))
				j.Spec.IdleTimeoutSeconds = new(int64(-1))
				j.Spec.AttemptTimeoutSeconds = new(int64(maxSeconds + 1))
				j.Spec.TTLSecondsAfterFinished = &TTLSeconds{Succeeded: new(int64(0)), Failed: new(int64(-1)), Canceled: new(int64(-1))}
			},
			want: []string{
				"spec.startDeadlineSeconds: Invalid value: 0: must be between 1 and 3153600000",
				"spec.idleTimeoutSeconds: Invalid value: -1: must be between 0 and 3153600000",
				"spec.attemptTimeoutSeconds: Invalid value: 3153600001: must be between 1 and 3153600000",
				"spec.ttlSecondsAfterFinished.failed: Invalid value: -1: must be between 0 and 3153600000",
				"spec.ttlSecondsAfterFinished.canceled: Invalid value: -1: must be between 0 and 3153600000",
			},
		},
		"retries out of range": {
			spec: func(j *Job) {
				j.Spec.BackoffLimit = new(int32(1001))
				j.Spec.Backoff = &Backoff{InitialSeconds: new(int32(20)), Factor: new(int32(11)), MaxSeconds: new(int32(10))}
			},
			want: []string{
				"spec.backoffLimit: Invalid value: 1001: must be between 0 and 1000",
				"spec.backoff.factor: Invalid value: 11: must be between 1 and 10",
				"spec.backoff.maxSeconds: Invalid value: 10: must not be less than initialSeconds",
			},
		},
		"failure rules that could never match": {
			spec: func(j *Job) {
				j.Spec.FailurePolicy = &FailurePolicy{Rules: []FailureRule{
					{IsError: new(true)},
					{Action: "Retry", IsError: new(true)},
					{Action: FailurePolicyCount},
					{Action: FailurePolicyFailJob, ExitCodes: []int32{1}},
					{Action: FailurePolicyFailJob, HTTPStatus: []int32{500}}, // a build whose server is behind HTTP
				}}
			},
			want: []string{
				"spec.failurePolicy.rules[0].action: Required value: say what a match decides",
				`spec.failurePolicy.rules[1].action: Unsupported value: "Retry": supported values: "FailJob", "Ignore", "Count", "RetryAfter"`,
				"spec.failurePolicy.rules[2]: Required value: set at least one of exitCodes, httpStatus, isError, rpcCodes and messagePattern",
				"spec.failurePolicy.rules[3].exitCodes: Forbidden: only a job of type deploy reports it, this one is of type build",
			},
		},
		"a failure rule for a status that no deploy has": {
			spec: func(j *Job) {
				deploy(DeployAction{Verb: DeployUp})(j)
				j.Spec.FailurePolicy = &FailurePolicy{Rules: []FailureRule{{Action: FailurePolicyCount, HTTPStatus: []int32{500}}}}
			},
			want: []string{"spec.failurePolicy.rules[0].httpStatus: Forbidden: only a job of type api_call or build reports it, this one is of type deploy"},
		},
		"exit codes that are no failure": {
			spec: func(j *Job) {
				deploy(DeployAction{Verb: DeployUp})(j)
				j.Spec.FailurePolicy = &FailurePolicy{Rules: []FailureRule{{Action: FailurePolicyCount, ExitCodes: []int32{0, 1, 1, 256}}}}
			},
			want: []string{
				"spec.failurePolicy.rules[0].exitCodes[0]: Invalid value: 0: must be between 1 and 255",
				"spec.failurePolicy.rules[0].exitCodes[2]: Duplicate value: 1",
				"spec.failurePolicy.rules[0].exitCodes[3]: Invalid value: 256: must be between 1 and 255",
			},
		},
		"too many failure rules": {
			spec: func(j *Job) {
				j.Spec.FailurePolicy = &FailurePolicy{Rules: slices.Repeat([]FailureRule{{Action: FailurePolicyCount, IsError: new(true)}}, 21)}
			},
			want: []string{"spec.failurePolicy.rules: Too many: 21: must have at most 20 items"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := slices.DeleteFunc(messages(ValidateJob(newJob(c.spec))), func(s string) bool {
				return strings.HasSuffix(s, ": not supported yet")
			})
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
		})
	}
}
