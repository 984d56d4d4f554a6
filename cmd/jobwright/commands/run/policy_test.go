package run

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
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
