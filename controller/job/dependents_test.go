package job_test

import (
	"fmt"
	"strings"
	"testing"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

func (e *environment) delete(name string) {
	e.t.Helper()
	if _, err := e.store.Delete(e.t.Context(), key(name), store.Preconditions{}); err != nil {
		e.t.Fatal(err)
	}
}

// waits waits until the job knows the one that it depends on.
func (e *environment) waits(name string) {
	e.t.Helper()
	e.until(name, func(j *v1.Job) bool { return len(j.Status.Dependencies) > 0 })
}

func TestADependencyThatIsDeletedEndsItsDependents(t *testing.T) {
	g := newGates()
	e := newEnvironment(t, g.run)
	e.start()
	e.create("first")
	e.create("second", dependsOn("first"))
	e.create("third", dependsOn("second"))
	e.waits("second")
	e.waits("third")
	e.delete("first")
	if j := e.until("second", terminal); j.Status.Reason != v1.ReasonDependencyFailed || !strings.Contains(j.Status.Message, `"first", which spec.dependsOn names, was deleted`) {
		t.Errorf("second: %+v", j.Status)
	}
	if j := e.until("third", terminal); j.Status.Reason != v1.ReasonDependencyFailed || !strings.Contains(j.Status.Message, `"second"`) {
		t.Errorf("third: %+v", j.Status)
	}
}

func TestADependencyThatIsReplacedByAnotherOfItsNameEndsItsDependents(t *testing.T) {
	g := newGates()
	e := newEnvironment(t, g.run)
	e.start()
	e.create("first")
	e.create("second", dependsOn("first"))
	e.waits("second")
	e.delete("first")
	e.create("first")
	if j := e.until("second", terminal); j.Status.Reason != v1.ReasonDependencyFailed {
		t.Errorf("second: %+v", j.Status)
	}
	close(g.gate("first"))
	e.until("first", terminal)
}

func TestADependencyMayComeLater(t *testing.T) {
	e := newEnvironment(t, succeed)
	e.start()
	e.create("second", dependsOn("first"))
	b := e.blocked("second", kind(v1.BlockedByDependency))
	if b.Name != "first" || b.Until == nil || !strings.Contains(b.Message, `There is no job "first" yet; apply it by`) {
		t.Errorf("blocker = %+v", b)
	}
	e.create("first")
	if j := e.until("second", terminal); j.Status.Phase != v1.JobSucceeded {
		t.Errorf("second: %+v", j.Status)
	}
}

func TestADependencyThatNeverComesIsNotWaitedForForEver(t *testing.T) {
	e := newEnvironment(t, succeed)
	e.start()
	e.create("second", dependsOn("first"), func(j *v1.Job) { j.Spec.StartDeadlineSeconds = new(int64(1)) })
	j := e.until("second", terminal)
	if j.Status.Phase != v1.JobCanceled || j.Status.Reason != v1.ReasonDependencyFailed || !strings.Contains(j.Status.Message, `There is no job "first"`) {
		t.Errorf("second: %+v", j.Status)
	}
}

func TestWhatWasMetStaysMet(t *testing.T) {
	g := newGates()
	e := newEnvironment(t, g.run)
	e.start()
	e.create("one")
	e.create("two")
	e.create("last", dependsOn("one", "two"))
	close(g.gate("one"))
	e.until("last", func(j *v1.Job) bool {
		return len(j.Status.Dependencies) == 2 && j.Status.Dependencies[0].Met && !j.Status.Dependencies[1].Met
	})
	e.delete("one")
	close(g.gate("two"))
	close(g.gate("last"))
	if j := e.until("last", terminal); j.Status.Phase != v1.JobSucceeded {
		t.Errorf("last: %+v", j.Status)
	}
}

func TestADependencyThatEndedWhileNobodyLookedReleasesItsDependents(t *testing.T) {
	g := newGates()
	e := newEnvironment(t, g.run)
	e.start()
	e.create("first")
	e.create("second", dependsOn("first"))
	e.create("third", dependsOn("second"))
	e.waits("third")
	e.stop()
	e.open()
	e.update("first", func(j *v1.Job) {
		j.Spec.ForceFinish = &v1.ForceFinish{Phase: v1.JobSucceeded, Message: "done by hand"}
	})
	close(g.gate("second"))
	close(g.gate("third"))
	e.start()
	for _, name := range []string{"first", "second", "third"} {
		if j := e.until(name, terminal); j.Status.Phase != v1.JobSucceeded {
			t.Errorf("%s: %+v", name, j.Status)
		}
	}
}

// TestALongChainEnds runs 500 jobs that each wait for the one before, created last first.
func TestALongChainEnds(t *testing.T) {
	const length = 500
	e := newEnvironment(t, succeed)
	e.start()
	for i := length - 1; i > 0; i-- {
		e.create(fmt.Sprint("job-", i), dependsOn(fmt.Sprint("job-", i-1)))
	}
	e.create("job-0")
	if j := e.until(fmt.Sprint("job-", length-1), terminal); j.Status.Phase != v1.JobSucceeded {
		t.Errorf("the last: %+v", j.Status)
	}
}
