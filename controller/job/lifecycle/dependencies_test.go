package lifecycle_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/job/lifecycle"
)

func dependsOn(name string, condition v1.DependencyCondition) func(*v1.Job) {
	return func(j *v1.Job) {
		j.Spec.DependsOn = append(j.Spec.DependsOn, v1.JobDependency{Name: name, Condition: condition})
	}
}

// knowing has the status know the dependency one by that uid.
func knowing(uid types.UID, met bool) func(*v1.Job) {
	return func(j *v1.Job) { j.Status.Dependencies = []v1.DependencyStatus{{Name: "one", UID: uid, Met: met}} }
}

func depending(d ...lifecycle.Dependency) lifecycle.Observed {
	return lifecycle.Observed{Worker: "w", Granted: true, Dependencies: d}
}

func knows(want ...v1.DependencyStatus) func(*testing.T, lifecycle.Decision) {
	return func(t *testing.T, d lifecycle.Decision) {
		if diff := cmp.Diff(want, d.Status.Dependencies); diff != "" {
			t.Errorf("dependencies (-want +got):\n%s", diff)
		}
	}
}

// dependencyTable is spec.dependsOn; which phase meets which condition stands in
// TestDependencyConditions.
var dependencyTable = table{
	"pending, seen for the first time": {spec: changes{dependsOn("one", "")}, seen: depending(lifecycle.Dependency{UID: "1", Phase: v1.JobRunning}), want: want{
		changed: true, soft: true, check: knows(v1.DependencyStatus{Name: "one", UID: "1"}),
	}},
	"pending, as before": {spec: changes{dependsOn("one", "")}, status: changes{knowing("1", false)}, seen: depending(lifecycle.Dependency{UID: "1"})},
	"not looked up yet":  {spec: changes{dependsOn("one", "")}, seen: granted},
	"not looked up yet, but known to be met": {spec: changes{dependsOn("one", "")}, status: changes{knowing("1", true)}, seen: granted, want: want{
		phase: v1.JobRunning, reason: v1.ReasonStarted, do: lifecycle.Start, changed: true,
	}},
	"met: the job starts": {spec: changes{dependsOn("one", "")}, seen: depending(lifecycle.Dependency{UID: "1", Phase: v1.JobSucceeded}), want: want{
		phase: v1.JobRunning, reason: v1.ReasonStarted, do: lifecycle.Start, changed: true, check: knows(v1.DependencyStatus{Name: "one", UID: "1", Met: true}),
	}},
	"met: the job is ready": {spec: changes{dependsOn("one", "")}, seen: lifecycle.Observed{Dependencies: []lifecycle.Dependency{{UID: "1", Phase: v1.JobSucceeded}}}, want: want{
		changed: true, soft: true, ready: true,
	}},
	"one of two met": {spec: changes{dependsOn("one", ""), dependsOn("two", "")}, seen: depending(lifecycle.Dependency{UID: "1", Phase: v1.JobSucceeded}, lifecycle.Dependency{UID: "2"}), want: want{
		changed: true, soft: true, check: knows(v1.DependencyStatus{Name: "one", UID: "1", Met: true}, v1.DependencyStatus{Name: "two", UID: "2"}),
	}},
	"the other of two met": {spec: changes{dependsOn("one", ""), dependsOn("two", "")}, seen: depending(lifecycle.Dependency{UID: "1"}, lifecycle.Dependency{UID: "2", Phase: v1.JobSucceeded}), want: want{
		changed: true, soft: true, check: knows(v1.DependencyStatus{Name: "one", UID: "1"}, v1.DependencyStatus{Name: "two", UID: "2", Met: true}),
	}},
	"one met, one never was": {spec: changes{dependsOn("one", ""), dependsOn("two", "")}, seen: depending(lifecycle.Dependency{UID: "1", Phase: v1.JobSucceeded}, lifecycle.Dependency{}), want: want{
		changed: true, soft: true, again: v1.DependencyWait, check: knows(v1.DependencyStatus{Name: "one", UID: "1", Met: true}),
	}},
	"fewer looked up than named": {
		spec: changes{dependsOn("one", ""), dependsOn("two", "")}, status: changes{knowing("1", true)}, seen: depending(lifecycle.Dependency{UID: "1", Phase: v1.JobSucceeded}),
		want: want{again: v1.DependencyWait},
	},
	"met stays met though it was deleted": {spec: changes{dependsOn("one", "")}, status: changes{knowing("1", true)}, seen: depending(lifecycle.Dependency{}), want: want{
		phase: v1.JobRunning, reason: v1.ReasonStarted, do: lifecycle.Start, changed: true,
	}},
	"met stays met though it is run again": {spec: changes{dependsOn("one", "")}, status: changes{knowing("1", true)}, seen: depending(lifecycle.Dependency{UID: "1", Phase: v1.JobRunning}), want: want{
		phase: v1.JobRunning, reason: v1.ReasonStarted, do: lifecycle.Start, changed: true,
	}},
	"met stays met though another has the name": {spec: changes{dependsOn("one", "")}, status: changes{knowing("1", true)}, seen: depending(lifecycle.Dependency{UID: "2", Phase: v1.JobFailed}), want: want{
		phase: v1.JobRunning, reason: v1.ReasonStarted, do: lifecycle.Start, changed: true,
	}},
	"deleted": {spec: changes{dependsOn("one", "")}, status: changes{knowing("1", false)}, seen: depending(lifecycle.Dependency{}), want: want{
		phase: v1.JobCanceled, reason: v1.ReasonDependencyFailed, changed: true, message: []string{`Job "one", which spec.dependsOn names, was deleted before it was Succeeded.`},
	}},
	"another has the name": {spec: changes{dependsOn("one", v1.DependencyFinished)}, status: changes{knowing("1", false)}, seen: depending(lifecycle.Dependency{UID: "2", Phase: v1.JobSucceeded}), want: want{
		phase: v1.JobCanceled, reason: v1.ReasonDependencyFailed, changed: true, message: []string{"was deleted before it was Finished"},
	}},
	"ended otherwise": {spec: changes{dependsOn("one", "")}, status: changes{knowing("1", false)}, seen: depending(lifecycle.Dependency{UID: "1", Phase: v1.JobCanceled}), want: want{
		phase: v1.JobCanceled, reason: v1.ReasonDependencyFailed, changed: true, message: []string{`Job "one"`, "ended Canceled; it had to be Succeeded", "jobwright retry"},
	}},
	"one of two ended otherwise": {spec: changes{dependsOn("one", ""), dependsOn("two", "")}, seen: depending(lifecycle.Dependency{UID: "1", Phase: v1.JobFailed}, lifecycle.Dependency{UID: "2"}), want: want{
		phase: v1.JobCanceled, reason: v1.ReasonDependencyFailed, changed: true, message: []string{`Job "one"`},
	}},
	"a failed dependency comes before a deadline that passed": {spec: changes{dependsOn("one", ""), startDeadline(5)}, seen: depending(lifecycle.Dependency{UID: "1", Phase: v1.JobFailed}), at: time.Minute, want: want{
		phase: v1.JobCanceled, reason: v1.ReasonDependencyFailed, changed: true,
	}},
	"a cycle": {spec: changes{dependsOn("one", "")}, seen: depending(lifecycle.Dependency{UID: "1", Cycle: []string{"x", "one", "x"}}), want: want{
		phase: v1.JobCanceled, reason: v1.ReasonDependencyFailed, changed: true, message: []string{"leads back to this job: x → one → x."},
	}},
	"unknown, within the default wait": {spec: changes{dependsOn("one", "")}, seen: depending(lifecycle.Dependency{}), at: time.Minute, want: want{again: v1.DependencyWait - time.Minute}},
	"unknown, beyond the default wait": {spec: changes{dependsOn("one", "")}, seen: depending(lifecycle.Dependency{}), at: v1.DependencyWait, want: want{
		phase: v1.JobCanceled, reason: v1.ReasonDependencyFailed, changed: true, message: []string{`There is no job "one"`, "waited for for 1h0m0s (the documented default)", "Create it"},
	}},
	"unknown, within the start deadline": {spec: changes{dependsOn("one", ""), startDeadline(7200)}, seen: depending(lifecycle.Dependency{}), at: time.Hour, want: want{again: time.Hour}},
	"unknown, beyond the start deadline": {spec: changes{dependsOn("one", ""), startDeadline(60)}, seen: depending(lifecycle.Dependency{}), at: time.Minute, want: want{
		phase: v1.JobCanceled, reason: v1.ReasonDependencyFailed, changed: true, message: []string{"waited for for 1m0s (spec.startDeadlineSeconds)"},
	}},
	"unknown, counted from startAfter":                        {spec: changes{dependsOn("one", ""), startAfter(2 * time.Hour)}, seen: depending(lifecycle.Dependency{}), at: 3*time.Hour - time.Second, want: want{again: time.Second}},
	"known and pending: the default wait is for unknown ones": {spec: changes{dependsOn("one", "")}, status: changes{knowing("1", false)}, seen: depending(lifecycle.Dependency{UID: "1"}), at: 2 * v1.DependencyWait},
	"known and pending, beyond the start deadline": {spec: changes{dependsOn("one", ""), startDeadline(60)}, status: changes{knowing("1", false)}, seen: depending(lifecycle.Dependency{UID: "1"}), at: time.Minute, want: want{
		phase: v1.JobFailed, reason: v1.ReasonStartDeadlineExceeded, changed: true,
	}},
	"taken out of the spec": {status: changes{knowing("1", false)}, want: want{changed: true, soft: true, ready: true, check: knows()}},
	"a name that the spec does not have any more": {spec: changes{dependsOn("two", "")}, status: changes{knowing("1", false)}, seen: depending(lifecycle.Dependency{UID: "2"}), want: want{
		changed: true, soft: true, check: knows(v1.DependencyStatus{Name: "two", UID: "2"}),
	}},
}

// TestDependencyConditions is every condition times every phase of the dependency.
func TestDependencyConditions(t *testing.T) {
	const (
		waits = v1.JobQueued
		runs  = v1.JobRunning
		fails = v1.JobCanceled
	)
	phases := []v1.JobPhase{"", v1.JobQueued, v1.JobRunning, v1.JobSucceeded, v1.JobFailed, v1.JobCanceled}
	for condition, want := range map[v1.DependencyCondition][]v1.JobPhase{
		"":                     {waits, waits, waits, runs, fails, fails},
		v1.DependencySucceeded: {waits, waits, waits, runs, fails, fails},
		v1.DependencyFailed:    {waits, waits, waits, fails, runs, fails},
		v1.DependencyFinished:  {waits, waits, waits, runs, runs, runs},
	} {
		for i, phase := range phases {
			d := next(job(dependsOn("one", condition)), depending(lifecycle.Dependency{UID: "1", Phase: phase}), start)
			if d.Status.Phase != want[i] {
				t.Errorf("dependsOn %q, the dependency is %q: %s, want %s", condition, phase, d.Status.Phase, want[i])
			}
		}
	}
}
