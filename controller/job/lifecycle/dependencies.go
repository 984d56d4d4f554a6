package lifecycle

import (
	"fmt"
	"slices"

	v1 "jobwright.dev/api/v1"
)

// waiting is what a job's dependencies come to.
type waiting struct {
	pending bool   // not all of them are met
	unknown string // one that has never existed
	failed  string // why one can never be met
}

// depend brings status.dependencies up to what is seen, and reports whether that is
// news. What was met once stays met: the dependency may be deleted or run again.
func (t *transition) depend() (waits waiting, learned bool) {
	depends := t.job.Spec.DependsOn
	if len(depends) == 0 {
		learned = len(t.status.Dependencies) > 0
		t.status.Dependencies = nil
		return waiting{}, learned
	}
	known := make([]v1.DependencyStatus, 0, len(depends))
	for i, d := range depends {
		var now Dependency
		if i < len(t.seen.Dependencies) {
			now = t.seen.Dependencies[i]
		}
		at := slices.IndexFunc(t.status.Dependencies, func(s v1.DependencyStatus) bool { return s.Name == d.Name })
		var was v1.DependencyStatus
		if at >= 0 {
			was = t.status.Dependencies[at]
		}
		switch {
		case was.Met:
		case t.seen.Dependencies == nil:
			waits.pending = true
		case was.UID == "" && now.UID == "":
			waits.pending, waits.unknown = true, d.Name
		case was.UID != "" && was.UID != now.UID:
			waits.failed = fmt.Sprintf("Job %q, which spec.dependsOn names, was deleted before it was %s.", d.Name, condition(d))
		case now.Cycle != nil:
			waits.failed = fmt.Sprintf("spec.dependsOn leads back to this job: %s. Take one of them out.", v1.DependencyWay(now.Cycle))
		default:
			was = v1.DependencyStatus{Name: d.Name, UID: now.UID}
			if now.Phase.Terminal() {
				was.Met = d.Condition == v1.DependencyFinished || string(condition(d)) == string(now.Phase)
				if !was.Met {
					waits.failed = fmt.Sprintf("Job %q, which spec.dependsOn names, ended %s; it had to be %s. Run it again, then this one, with jobwright retry.",
						d.Name, now.Phase, condition(d))
				}
			}
			waits.pending = waits.pending || !was.Met
		}
		if was.UID != "" {
			known = append(known, was)
		}
	}
	if len(known) == 0 {
		known = nil
	}
	learned = !slices.Equal(known, t.status.Dependencies)
	t.status.Dependencies = known
	return waits, learned
}

// condition is what d waits for.
func condition(d v1.JobDependency) v1.DependencyCondition {
	if d.Condition == "" {
		return v1.DependencySucceeded
	}
	return d.Condition
}
