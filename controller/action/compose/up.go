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
// attempt, which looks for everything of its identity, does not end the rollback.
func rollbackAttempt(a action.Attempt) action.Attempt {
	a.ID += "+revision"
	return a
}

// up deploys, keeps what was found good, and brings the last good revision back when the
// job says so.
func (r *Runner) up(ctx context.Context, a action.Attempt, c command, out action.Sink) action.Outcome {
	began := time.Now()
	if start := a.Job.Status.StartTime; start != nil {
		began = start.Time // what an attempt before has left is this job's too
	}
	outcome, rendering := r.converge(ctx, a, c, out)
	switch {
	case r.revisions == nil:
		return outcome
	case outcome.Verdict == action.Succeeded:
		return r.keep(ctx, a, c.src, rendering, outcome, out)
	case outcome.Reason == v1.ReasonInvalidArguments, outcome.Reason == v1.ReasonCommandUnavailable:
		return outcome // nothing was started
	}
	return r.undo(ctx, a, c.src, rendering, began, outcome, out)
}

// keep keeps the project's revision. A good deploy that could not be kept stays a good
// one, and its message says so.
func (r *Runner) keep(ctx context.Context, a action.Attempt, src source, rendering *rendering, outcome action.Outcome, out action.Sink) action.Outcome {
	err := rendering.unkept
	var revision *revisions.Revision
	if err == nil {
		revision, err = r.restorer().Keep(context.WithoutCancel(ctx), a, a.ID, rendering.deployed(src))
	}
	if err != nil {
		said := "The project is up, but was not kept as a revision to roll back to: " + err.Error()
		out.Line(action.System, said)
		outcome.Message = strings.TrimSpace(outcome.Message + "\n" + said)
		return outcome
	}
	if revision == nil {
		return withResult(outcome, map[string]any{"project": rendering.Name})
	}
	return withResult(outcome, map[string]any{"project": revision.Project, "revision": revision.Number})
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
	t := rollback.Target{Revision: last, Since: began, Wait: outcome.Verdict == action.Failed}
	if len(d.Services) > 0 {
		t.Services = d.Services
		if rendering != nil {
			t.Services = rendering.covered
		}
	}
	if rendering != nil {
		for _, service := range rendering.covered {
			if _, ok := last.Service(service); !ok {
				t.Remove = append(t.Remove, service)
			}
		}
	}
	limit := rollbackTime
	if !t.Wait {
		limit = stopRollbackTime
	}
	if rendering != nil {
		limit += rendering.stopTime() // what was asked to stop is waited for
	}
	return r.bringBack(ctx, a, t, limit, outcome, out)
}

// bringBack restores the target within a limit of its own. When the attempt is asked to
// stop meanwhile it has its grace to come to an end: half a rollback is the one state
// that nobody asked for.
func (r *Runner) bringBack(ctx context.Context, a action.Attempt, t rollback.Target, limit time.Duration, outcome action.Outcome, out action.Sink) action.Outcome {
	rev := t.Revision
	out.Line(action.System, fmt.Sprintf("the deploy did not succeed; bringing back revision %d of %s", rev.Number, rev.Project))
	bounded, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), limit, fmt.Errorf("the limit of a rollback is %s", limit))
	defer cancel()
	if ctx.Err() == nil {
		release := context.AfterFunc(ctx, func() { time.AfterFunc(a.Grace, cancel) })
		defer release()
	}
	restored, removed, err := r.restorer().Restore(bounded, rollbackAttempt(a), t, out)
	if err != nil {
		return rollbackFailed(outcome, fmt.Sprintf("Revision %d could not be brought back: %v", rev.Number, err))
	}
	if len(restored) == 0 && len(removed) == 0 {
		outcome.Message += fmt.Sprintf("\nThe project still runs as revision %d has it; nothing had to be brought back.", rev.Number)
		return withResult(outcome, map[string]any{"revision": rev.Number})
	}
	outcome.Message += "\n" + r.told(rev, restored, removed, a.Job.Namespace)
	if outcome.Verdict == action.Failed {
		outcome.Reason = v1.ReasonRolledBack
	}
	return withResult(outcome, map[string]any{"revision": rev.Number, "rolledBackTo": rev.Number})
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
