package dispatch

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unique"

	"github.com/google/uuid"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/job/lifecycle"
	"jobwright.dev/controller/job/schedule"
)

// Blockers says why a queued job does not run; none when it is not queued, or starts
// right now.
func (d *Dispatcher) Blockers(ctx context.Context, job *v1.Job) ([]v1.Blocker, error) {
	if job.Finished() || job.Status.CurrentAttempt != nil {
		return nil, nil
	}
	depends, err := d.readDependencies(ctx, &entry{workspace: unique.Make(job.Namespace), name: job.Name}, job)
	if err != nil {
		return nil, err
	}
	blockers := dependencyBlockers(job, depends)
	if job.Spec.Suspend {
		blockers = append(blockers, v1.Blocker{
			Kind: v1.BlockedBySuspend, Name: job.Name, Since: suspendedSince(job),
			Message: "The job is suspended; jobwright resume " + job.Name + " lets it run.",
		})
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	if d.draining {
		blockers = append(blockers, v1.Blocker{Kind: v1.BlockedByCapacity, Message: "The server is shutting down; the job runs after its next start."})
	}
	e := d.jobs.Get(idOf(job))
	if e == nil || e.scheduled != queued {
		if due := lifecycle.NotBefore(job); len(blockers) == 0 && due.After(now) {
			blockers = append(blockers, notBefore(job, due))
		}
		return blockers, nil
	}
	if why, ok := d.schedule.Explain(e.uid, now); ok {
		for _, block := range why.Blocks {
			blockers = append(blockers, d.blocker(job, block, why.Position))
		}
	}
	return blockers, nil
}

// idOf is the job's uid; the zero one, which no job has, when it has no proper one.
func idOf(job *v1.Job) uuid.UUID {
	id, err := uuid.Parse(string(job.UID))
	if err != nil {
		return uuid.Nil
	}
	return id
}

// Explain says why a job is where it is.
func (d *Dispatcher) Explain(ctx context.Context, job *v1.Job) (*v1.JobExplanation, error) {
	s := &job.Status
	answer := &v1.JobExplanation{
		TypeMeta: metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindJobExplanation},
		Name:     job.Name, Namespace: job.Namespace, Phase: s.Phase, Reason: s.Reason, Message: s.Message,
	}
	switch {
	case job.Finished():
		answer.Since = s.CompletionTime
		answer.Advice = "The job has finished. jobwright logs " + job.Name + " shows its output; jobwright retry " + job.Name + " runs it again."
		return answer, nil
	case s.CurrentAttempt != nil:
		answer.Since = &s.CurrentAttempt.StartTime
		answer.Advice = "The job is running. jobwright logs -f " + job.Name + " follows it."
		return answer, nil
	}
	answer.Phase = v1.JobQueued
	since := metav1.NewMicroTime(lifecycle.QueuedSince(job))
	answer.Since = &since
	var err error
	if answer.BlockedBy, err = d.Blockers(ctx, job); err != nil {
		return nil, err
	}
	known := true // whether the start can be estimated
	var until time.Time
	advice := make([]string, 0, len(answer.BlockedBy))
	for _, b := range answer.BlockedBy {
		answer.Position = max(answer.Position, b.Position)
		if b.Until != nil && b.Until.After(until) {
			until = b.Until.Time
		}
		switch b.Kind {
		case v1.BlockedByDependency, v1.BlockedBySuspend:
			known = false
		case v1.BlockedByCapacity, v1.BlockedByLimit, v1.BlockedByPosition, v1.BlockedBySchedule:
		}
		advice = append(advice, b.Message)
	}
	answer.Advice = strings.Join(advice, " ")
	if len(answer.BlockedBy) == 0 {
		answer.Advice = "Nothing blocks the job; it starts now."
	}
	if known {
		answer.EstimatedStart = d.estimate(job, int(answer.Position), len(answer.BlockedBy) > 0, until)
	}
	return answer, nil
}

// estimate is when a job starts that has position jobs before it, from the mean run
// times of late.
func (d *Dispatcher) estimate(job *v1.Job, position int, blocked bool, until time.Time) *metav1.MicroTime {
	d.mu.Lock()
	mean, known := d.runTimes[job.Spec.Type]
	d.mu.Unlock()
	now := time.Now()
	start := now
	if blocked && until.IsZero() || position > 0 {
		if !known {
			return nil
		}
		// Each slot comes free once a mean run time; the job needs position+1 of them.
		start = now.Add(mean * time.Duration(position/d.Slots+1))
	}
	if until.After(start) {
		start = until
	}
	at := metav1.NewMicroTime(start)
	return &at
}

func suspendedSince(job *v1.Job) *metav1.MicroTime {
	for _, condition := range job.Status.Conditions {
		if condition.Type == v1.ConditionSuspended && condition.Status == metav1.ConditionTrue {
			at := metav1.NewMicroTime(condition.LastTransitionTime.Time)
			return &at
		}
	}
	return nil
}

func dependencyBlockers(job *v1.Job, known []lifecycle.Dependency) []v1.Blocker {
	var blockers []v1.Blocker
	for i, on := range job.Spec.DependsOn {
		if met(job, on.Name) || known == nil {
			continue
		}
		wanted := on.Condition
		if wanted == "" {
			wanted = v1.DependencySucceeded
		}
		if known[i].UID == "" {
			limit := v1.DependencyWait
			if s := job.Spec.StartDeadlineSeconds; s != nil {
				limit = time.Duration(*s) * time.Second
			}
			until := metav1.NewMicroTime(lifecycle.QueuedSince(job).Add(limit))
			blockers = append(blockers, v1.Blocker{
				Kind: v1.BlockedByDependency, Name: on.Name, Until: &until,
				Message: fmt.Sprintf("There is no job %q yet; apply it by %s, or this job is canceled.", on.Name, until.UTC().Format(time.RFC3339)),
			})
			continue
		}
		phase := known[i].Phase
		if phase == "" {
			phase = v1.JobQueued
		}
		if string(phase) == string(wanted) || phase.Terminal() && wanted == v1.DependencyFinished {
			continue // seen just now; the next reconcile writes it down
		}
		blockers = append(blockers, v1.Blocker{
			Kind: v1.BlockedByDependency, Name: on.Name,
			Message: fmt.Sprintf("Job %q is %s; it has to be %s first (jobwright explain-wait %s tells more).", on.Name, phase, wanted, on.Name),
		})
	}
	return blockers
}

func notBefore(job *v1.Job, due time.Time) v1.Blocker {
	until := metav1.NewMicroTime(due)
	what := "spec.startAfter"
	if next := job.Status.NextAttemptTime; next != nil && (job.Spec.StartAfter == nil || next.After(job.Spec.StartAfter.Time)) {
		what = "the back-off after a failed attempt"
	}
	return v1.Blocker{
		Kind: v1.BlockedBySchedule, Until: &until,
		Message: fmt.Sprintf("Starts at %s, not before (%s).", until.UTC().Format(time.RFC3339), what),
	}
}

// blocker words what the schedule found. The caller holds mu.
func (d *Dispatcher) blocker(job *v1.Job, block schedule.Block, position int) v1.Blocker {
	b := v1.Blocker{Kind: block.Kind}
	if !block.Until.IsZero() {
		until := metav1.NewMicroTime(block.Until)
		b.Until = &until
	}
	if !block.Since.IsZero() {
		since := metav1.NewMicroTime(block.Since)
		b.Since = &since
	}
	holders := d.holderNames(job.Namespace, block.Holders)
	if len(holders) > 0 {
		b.Name = holders[0]
	}
	held := ""
	if len(holders) > 0 {
		held = ": " + strings.Join(holders, ", ")
	}
	b.Message = sentence(job, block, position, held, d.keyOf(job).Subject)
	if block.Cause == schedule.Others {
		b.Position = int32(position)
	}
	if block.Cause == schedule.Time {
		return notBefore(job, block.Until)
	}
	return b
}

// holderNames are the jobs that hold what is waited for. Those of other workspaces
// are not named.
func (d *Dispatcher) holderNames(workspace string, holders []uuid.UUID) []string {
	var names []string
	for _, uid := range holders {
		if e := d.jobs.Get(uid); e != nil && e.workspace.Value() == workspace {
			names = append(names, e.name)
		}
	}
	return names
}
