package jobs

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
)

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
		"suspended": {
			v1.JobExplanation{Name: "a", Namespace: "acme", Phase: v1.JobQueued, BlockedBy: []v1.Blocker{{Kind: v1.BlockedBySuspend, Message: "Held."}}},
			[]string{"none while it is suspended", "not known", "Held."},
		},
		"for another job": {
			v1.JobExplanation{Name: "a", Namespace: "acme", Phase: v1.JobQueued, BlockedBy: []v1.Blocker{{Kind: v1.BlockedByDependency, Message: "First b."}}},
			[]string{"none while it waits for other jobs", "not known", "First b."},
		},
		"before its time": {
			v1.JobExplanation{Name: "a", Namespace: "acme", Phase: v1.JobQueued, BlockedBy: []v1.Blocker{{Kind: v1.BlockedBySchedule, Until: &until, Message: "Later."}}},
			[]string{"none before its time", "Later."},
		},
		"behind one job": {
			v1.JobExplanation{Name: "a", Namespace: "acme", Phase: v1.JobQueued, Position: 1},
			[]string{"about 1 job starts before it"},
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
