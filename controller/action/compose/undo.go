package compose

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/compose/engine"
	"jobwright.dev/controller/action/compose/revisions"
	"jobwright.dev/controller/action/compose/rollback"
)

const (
	// rollbackTime bounds a rollback: its images are there, and its containers were healthy
	// before. Five minutes are ten times what compose gives a container to start and stop.
	rollbackTime = 5 * time.Minute
	// stopRollbackTime bounds the rollback of a deploy that was asked to stop. Somebody
	// waits for it, and health is not waited for.
	stopRollbackTime = 30 * time.Second
)

// rollbackAttempt is the identity of what runs for a rollback: ending the compose of the
// attempt, which ends every process of its identity, does not end the rollback.
func rollbackAttempt(a action.Attempt) action.Attempt {
	a.ID += "+revision"
	return a
}

// undo says what a deploy that did not succeed has left, and brings the last good
// revision back where the job asks for that. The rendering is nil when compose could not
// read the file, or was not started.
func (r *Runner) undo(ctx context.Context, a action.Attempt, src source, rendering *rendering, began time.Time, outcome action.Outcome, out action.Sink) action.Outcome {
	d := a.Job.Spec.Deploy
	project := d.ProjectName
	switch {
	case rendering != nil:
		project = rendering.Name
	case project == "":
		project = r.projects.of(src)
	}
	outcome = withResult(outcome, map[string]any{"project": project})
	last, err := r.revisions.Last(project)
	wanted := d.Rollback == v1.RollbackOnFailure
	switch {
	case errors.Is(err, revisions.ErrNotFound):
		if wanted {
			outcome.Message += "\nThere is no revision to bring back: this project was never deployed well."
		}
		return outcome
	case !wanted && err == nil && r.restorer().Belongs(last, a.Job.Namespace) && outcome.Verdict == action.Failed:
		outcome.Message += fmt.Sprintf("\nThe last good revision is %d: jobwright rollback %s --to %d", last.Number, project, last.Number)
		return outcome
	case !wanted:
		return outcome
	case err != nil:
		return rollbackFailed(outcome, "The last good revision could not be read: "+err.Error())
	}
	u := revisions.Undoing{Project: project, Attempt: a.ID, Revision: last.Number, Since: began, Outcome: r.redactorFor(a.Job, project).Outcome(outcome)}
	if len(d.Services) > 0 {
		u.Services = d.Services
		if rendering != nil {
			u.Services = rendering.covered
		}
	}
	if rendering != nil {
		u.Drain = rendering.stopTime()
		for _, service := range rendering.covered {
			if _, ok := last.Service(service); !ok {
				u.Remove = append(u.Remove, service)
			}
		}
	}
	if err := r.revisions.BeginUndo(u); err != nil {
		out.Line(action.System, err.Error()+"; after a crash the deploy is run again") // the rollback matters more
	}
	outcome = r.bringBack(ctx, a, last, u, nil, out)
	if err := r.revisions.EndUndo(project); err != nil {
		out.Line(action.System, err.Error())
	}
	return outcome
}

// bringBack restores a revision within a limit of its own. When the attempt is asked to stop
// meanwhile, the rollback has its grace to end, and is then carried out once more without
// waiting for health: half a rollback is the one state that nobody asked for. before are the
// services that a server before may have brought back.
func (r *Runner) bringBack(ctx context.Context, a action.Attempt, rev *revisions.Revision, u revisions.Undoing, before []string, out action.Sink) action.Outcome {
	out.Line(action.System, fmt.Sprintf("the deploy did not succeed; bringing back revision %d of %s", rev.Number, rev.Project))
	t := rollback.Target{Revision: rev, Services: u.Services, Remove: u.Remove, Since: u.Since, Wait: u.Outcome.Verdict == action.Failed && ctx.Err() == nil}
	var restored, removed []string
	var err error
	if t.Wait {
		bounded, cancel := limited(ctx, rollbackTime+u.Drain)
		release := context.AfterFunc(ctx, func() { time.AfterFunc(a.Grace, cancel) })
		restored, removed, err = r.restorer().Restore(bounded, rollbackAttempt(a), t, out)
		release()
		cancel()
	}
	if !t.Wait || err != nil && ctx.Err() != nil {
		t.Wait = false
		bounded, cancel := limited(ctx, stopRollbackTime+u.Drain)
		restored, removed, err = r.restorer().Restore(bounded, rollbackAttempt(a), t, out)
		cancel()
	}
	outcome := u.Outcome
	if err != nil {
		return rollbackFailed(outcome, fmt.Sprintf("Revision %d could not be brought back: %v", rev.Number, err))
	}
	if len(restored) == 0 && len(removed) == 0 {
		restored = before
	}
	if len(restored) == 0 && len(removed) == 0 {
		outcome.Message += fmt.Sprintf("\nThe project still runs as revision %d has it; nothing had to be brought back.", rev.Number)
		return withResult(outcome, map[string]any{"revision": rev.Number})
	}
	outcome.Message = withoutLeft(outcome.Message) + "\n" + r.told(rev, restored, removed, a.Job.Namespace)
	if !t.Wait && len(restored) > 0 {
		outcome.Message += " Its containers were started; whether they are healthy was not waited for, as the job was asked to stop."
	}
	if outcome.Verdict == action.Failed {
		outcome.Reason = v1.ReasonRolledBack
	}
	return withResult(outcome, map[string]any{"revision": rev.Number, "rolledBackTo": rev.Number})
}

// withoutLeft is the message of a stopped deploy without what it had left of the project, which
// a rollback has changed since.
func withoutLeft(message string) string {
	if name, _, stopped := strings.Cut(message, wasStopped); stopped {
		return name + strings.TrimSuffix(wasStopped, "; ") + "."
	}
	return message
}

// limited is the context of a rollback, which outlives the attempt's.
func limited(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(context.WithoutCancel(ctx), limit, fmt.Errorf("the limit of a rollback is %s", limit))
}

// resumeUndo brings the rollback to its end that a dead server had begun for the attempt;
// false: it had begun none. The error means that the engine does not answer.
func (r *Runner) resumeUndo(ctx context.Context, a action.Attempt) (outcome action.Outcome, resumed bool, err error) {
	if r.revisions == nil {
		return outcome, false, nil
	}
	u, err := r.revisions.UndoingBy(a.ID)
	if errors.Is(err, revisions.ErrNotFound) {
		return outcome, false, nil
	}
	if err != nil {
		return outcome, false, err
	}
	if err := r.reachable(ctx, a); err != nil {
		return outcome, false, err
	}
	if rev, err := r.revisions.Get(u.Project, u.Revision); err != nil {
		outcome = rollbackFailed(u.Outcome, "The last good revision could not be read: "+err.Error())
	} else {
		var before []string
		for _, s := range rev.Services {
			if u.Services == nil || slices.Contains(u.Services, s.Name) {
				before = append(before, s.Name)
			}
		}
		outcome = r.bringBack(ctx, a, rev, u, before, quiet{})
	}
	if outcome.Reason == v1.ReasonRollbackFailed {
		if err := r.reachable(ctx, a); err != nil {
			return outcome, false, err // it is tried again when the engine is back
		}
	}
	return outcome, true, r.revisions.EndUndo(u.Project)
}

// told says what was brought back. What another workspace has deployed is its own
// business.
func (r *Runner) told(rev *revisions.Revision, restored, removed []string, workspace string) string {
	said := fmt.Sprintf("Revision %d was brought back", rev.Number)
	switch {
	case !r.restorer().Belongs(rev, workspace):
		return said + "; it was deployed by another workspace."
	case len(restored) > 0:
		said += fmt.Sprintf(" (job %s of %s): %s", rev.Job, rev.Time.UTC().Format(time.RFC3339), images(rev, restored))
	}
	if len(removed) > 0 {
		said += "; removed, as it does not have them: " + strings.Join(removed, ", ")
	}
	return said + "."
}

func rollbackFailed(outcome action.Outcome, why string) action.Outcome {
	outcome.Message += "\n" + why + ". The project may be a mix of both; look at it with docker compose ps, then deploy again or use jobwright rollback."
	if outcome.Verdict == action.Failed {
		outcome.Reason = v1.ReasonRollbackFailed
	}
	return outcome
}

// images are those of a revision's services, for a person; services nil: of all.
func images(rev *revisions.Revision, services []string) string {
	var out []string
	for _, s := range rev.Services {
		if services == nil || slices.Contains(services, s.Name) {
			out = append(out, fmt.Sprintf("%s %s (%s)", s.Name, s.Image, engine.ShortID(s.ImageID)))
		}
	}
	return strings.Join(out, ", ")
}
