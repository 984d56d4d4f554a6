package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	v1 "jobwright.dev/api/v1"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestPolicyFlagsBecomeASpec(t *testing.T) {
	for name, tc := range map[string]struct {
		flags policyFlags
		want  string
	}{
		"none":           {policyFlags{}, "{}"},
		"dependencies":   {policyFlags{dependsOn: []string{"a", "b:Finished"}}, "dependsOn: [{name: a}, {name: b, condition: Finished}]"},
		"a time":         {policyFlags{startAfter: "2026-12-01T08:00:00Z"}, `startAfter: "2026-12-01T08:00:00Z"`},
		"a wait":         {policyFlags{startAfter: "2h"}, `startAfter: "2026-11-23T14:00:00Z"`},
		"a group":        {policyFlags{key: "k", limit: 2, policy: "Skip"}, "concurrency: {key: k, limit: 2, policy: Skip}"},
		"a rate":         {policyFlags{rate: "api=10/1m"}, "rateLimit: {key: api, limit: 10, perSeconds: 60}"},
		"retries":        {policyFlags{backoffLimit: 3, backoff: 1500 * time.Millisecond}, "{backoffLimit: 3, backoff: {initialSeconds: 2}}"},
		"limits in time": {policyFlags{startDeadline: time.Hour, idleTimeout: time.Minute, attemptTimeout: time.Second}, "{startDeadlineSeconds: 3600, idleTimeoutSeconds: 60, attemptTimeoutSeconds: 1}"},
		"the rest":       {policyFlags{suspend: true, onInterruption: "Fail"}, "{suspend: true, onInterruption: Fail}"},
	} {
		t.Run(name, func(t *testing.T) {
			var got, want v1.JobSpec
			if err := tc.flags.apply(&got, noon); err != nil {
				t.Fatal(err)
			}
			if err := yaml.UnmarshalStrict([]byte(tc.want), &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("spec (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPolicyFlagsThatCannotBeWrittenDown(t *testing.T) {
	for want, flags := range map[string]policyFlags{
		"--start-after":       {startAfter: "tomorrow"},
		"--concurrency-limit": {limit: 2},
		`--rate-limit "api"`:  {rate: "api"},
		`"api=0/1m"`:          {rate: "api=0/1m"},
		`"api=1/1ms"`:         {rate: "api=1/1ms"},
		`"=1/1m"`:             {rate: "=1/1m"},
	} {
		if err := flags.apply(&v1.JobSpec{}, noon); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}

func TestFailuresThatMeanTheSameAreOneGroup(t *testing.T) {
	failed := func(name, reason, message string, ago time.Duration) *v1.Job {
		at := metav1.NewMicroTime(noon.Add(-ago))
		return &v1.Job{
			ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1.JobSpec{Type: v1.JobTypeAPICall},
			Status: v1.JobStatus{Reason: reason, Message: message, CompletionTime: &at},
		}
	}
	groups := groupFailures([]*v1.Job{
		failed("a", "Timeout", "No answer for 30 s", time.Minute),
		failed("b", "UnexpectedStatus", "503 from http://10.0.0.1:80/x", time.Hour),
		failed("c", "UnexpectedStatus", "503 from http://10.0.0.2:81/x\nmore", time.Second),
		failed("d", "UnexpectedStatus", "job 0199f3c2-0000-7000-8000-000000000001 is not there", 0),
	})
	var out strings.Builder
	if err := printFailures(&out, groups, noon); err != nil {
		t.Fatal(err)
	}
	want := `COUNT   TYPE       REASON             LAST   EXAMPLE   MESSAGE
2       api_call   UnexpectedStatus   1s     b         … from http://…/x
1       api_call   UnexpectedStatus   0ms    d         job … is not there
1       api_call   Timeout            60s    a         No answer for … s
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

func TestAnExplanationInWords(t *testing.T) {
	until, start := metav1.NewMicroTime(noon.Add(time.Hour)), metav1.NewMicroTime(noon.Add(-time.Minute))
	for name, tc := range map[string]struct {
		e    v1.JobExplanation
		want []string
	}{
		"blocked": {
			v1.JobExplanation{
				Name: "a", Namespace: "acme", Phase: v1.JobQueued, Reason: v1.ReasonRetrying, Since: &start, Position: 3, EstimatedStart: &until,
				BlockedBy: []v1.Blocker{{Kind: v1.BlockedBySchedule, Until: &until, Message: "Starts later."}},
			},
			[]string{"acme/a", "Queued (Retrying), for 60s", "about 3 jobs start before it", "about 60m from now", "Schedule   -       2026-11-23T13:00:00Z (in 60m)   Starts later."},
		},
		"about to start": {
			v1.JobExplanation{Name: "a", Namespace: "acme", Phase: v1.JobQueued, Advice: "Nothing blocks the job."},
			[]string{"next, as far as its turn goes", "not known", "Nothing blocks the job."},
		},
		"finished": {
			v1.JobExplanation{Name: "a", Namespace: "acme", Phase: v1.JobFailed, Message: "exit 1", Advice: "The job has finished."},
			[]string{"Failed", "exit 1", "The job has finished."},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			if err := printExplanation(&out, &tc.e, noon); err != nil {
				t.Fatal(err)
			}
			for _, want := range tc.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("%q is not in\n%s", want, out.String())
				}
			}
		})
	}
}
