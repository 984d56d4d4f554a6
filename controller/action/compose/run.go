package compose

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/compose/revisions"
	"jobwright.dev/controller/action/process"
)

// Run implements action.Runner. No secret of the server leaves it.
func (r *Runner) Run(ctx context.Context, a action.Attempt, out action.Sink) action.Outcome {
	d := a.Job.Spec.Deploy
	if d == nil {
		return action.Fail(v1.ReasonInvalidArguments, "spec.deploy: Required value")
	}
	hide := r.redactor()
	out = hiding{Sink: out, hide: hide}
	if err := r.checkSecrets(a.Job); err != nil {
		return action.Fail(v1.ReasonInvalidArguments, hide.String(err.Error()))
	}
	end, ok := r.turns.take(ctx, r.turnOf(ctx, a), out)
	if !ok {
		return action.Outcome{Verdict: action.Stopped, Message: "docker compose was not started; another run over the project had not ended.", Repeatable: true}
	}
	defer end()
	var outcome action.Outcome
	switch d.Verb {
	case v1.DeployUp:
		outcome = r.up(ctx, a, out)
	case v1.DeployRollback:
		outcome = r.rollback(ctx, a, out)
	default:
		outcome = r.compose(ctx, a, out)
	}
	return hideOutcome(hide, outcome)
}

// Recover implements action.Runner. What it finds as asked is kept as a revision, as if
// the attempt had come to its end.
func (r *Runner) Recover(ctx context.Context, a action.Attempt) (action.Outcome, error) {
	hide := r.redactor()
	d := a.Job.Spec.Deploy
	if _, err := process.Reap(ctx, r.worker, setAside(a).ID); err != nil {
		return action.Outcome{}, fmt.Errorf("end the rollback of attempt %s: %w", a.ID, err)
	}
	if d != nil && d.Verb == v1.DeployRollback {
		if _, err := process.Reap(ctx, r.worker, a.ID); err != nil {
			return action.Outcome{}, fmt.Errorf("end docker compose of attempt %s: %w", a.ID, err)
		}
		return action.Outcome{Verdict: action.Lost, Repeatable: true}, nil
	}
	outcome, err := r.recover(ctx, a)
	if err != nil {
		return outcome, errors.New(hide.String(err.Error()))
	}
	if d != nil && d.Verb == v1.DeployUp && outcome.Verdict == action.Succeeded && r.revisions != nil {
		if file, err := find(r.roots, d); err == nil {
			outcome = r.kept(ctx, a, file, r.render(ctx, a, file), outcome, quiet{})
		}
	}
	return hideOutcome(hide, outcome), nil
}

// quiet is a sink for what nobody can be told.
type quiet struct{}

func (quiet) Line(action.Stream, string) {}
func (quiet) Progress(int, string)       {}
func (quiet) Result(v1.JSON)             {}

// up deploys, keeps what was found good, and brings the last good revision back when the
// job says so.
func (r *Runner) up(ctx context.Context, a action.Attempt, out action.Sink) action.Outcome {
	began := time.Now()
	file, err := find(r.roots, a.Job.Spec.Deploy)
	if err != nil || r.revisions == nil {
		return r.compose(ctx, a, out)
	}
	if start := a.Job.Status.StartTime; start != nil {
		began = start.Time // what an attempt before has left is this job's too
	}
	rendering := r.render(context.WithoutCancel(ctx), a, file)
	outcome := r.compose(ctx, a, out)
	switch {
	case outcome.Verdict == action.Succeeded:
		return r.kept(ctx, a, file, rendering, outcome, out)
	case outcome.Reason == v1.ReasonInvalidArguments, outcome.Reason == v1.ReasonCommandUnavailable:
		_, _ = rendering() // nothing was started
		return outcome
	}
	rendered, err := rendering()
	if err != nil {
		rendered = nil // nothing that compose cannot read has changed anything
	}
	return r.undo(ctx, a, file, rendered, began, outcome, out)
}

// kept keeps the project's revision. That a good deploy could not be kept does not make
// it a bad one, but is said.
func (r *Runner) kept(ctx context.Context, a action.Attempt, file string, rendering func() (*rendering, error), outcome action.Outcome, out action.Sink) action.Outcome {
	rendered, err := rendering()
	var revision *revisions.Revision
	if err == nil {
		revision, err = r.keep(context.WithoutCancel(ctx), setAside(a), file, rendered)
	}
	if err != nil {
		said := "The project is up, but was not kept as a revision to roll back to: " + err.Error()
		out.Line(action.System, said)
		outcome.Message = strings.TrimSpace(outcome.Message + "\n" + said)
		return outcome
	}
	if revision == nil {
		return withResult(outcome, map[string]any{"project": rendered.project})
	}
	return withResult(outcome, map[string]any{"project": revision.Project, "revision": revision.Number})
}

// undo says what a deploy that did not succeed has left, and brings the last good
// revision back where the job asks for that.
func (r *Runner) undo(ctx context.Context, a action.Attempt, file string, rendered *rendering, began time.Time, outcome action.Outcome, out action.Sink) action.Outcome {
	d := a.Job.Spec.Deploy
	project := d.ProjectName
	switch {
	case rendered != nil:
		project = rendered.project
	case project == "":
		project = r.projects.of(file)
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
	case !wanted && err == nil && r.belongs(last, a.Job.Namespace) && outcome.Verdict == action.Failed:
		outcome.Message += fmt.Sprintf("\nThe last good revision is %d: jobwright rollback %s --to %d", last.Number, project, last.Number)
		return outcome
	case !wanted:
		return outcome
	case err != nil:
		return rollbackFailed(outcome, "The last good revision could not be read: "+err.Error())
	}
	t := target{revision: last, since: began, wait: outcome.Verdict == action.Failed}
	limit := rollbackTime
	if !t.wait {
		limit = stopRollbackTime
	}
	if len(d.Services) > 0 {
		t.services = d.Services
		if rendered != nil {
			t.services = rendered.covered
		}
	}
	if rendered != nil {
		for _, service := range rendered.covered {
			if _, ok := last.Service(service); !ok {
				t.remove = append(t.remove, service)
			}
		}
	}
	return r.bringBack(ctx, a, t, limit, outcome, out)
}

// bringBack restores the target within a limit of its own. When the attempt is asked to
// stop meanwhile it has its grace to come to an end: half a rollback is the one state
// that nobody asked for.
func (r *Runner) bringBack(ctx context.Context, a action.Attempt, t target, limit time.Duration, outcome action.Outcome, out action.Sink) action.Outcome {
	rev := t.revision
	out.Line(action.System, fmt.Sprintf("the deploy did not succeed; bringing back revision %d of %s", rev.Number, rev.Project))
	bounded, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), limit, fmt.Errorf("the limit of a rollback is %s", limit))
	defer cancel()
	if ctx.Err() == nil {
		release := context.AfterFunc(ctx, func() { time.AfterFunc(a.Grace, cancel) })
		defer release()
	}
	restored, removed, err := r.restore(bounded, setAside(a), t, out)
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
	case !r.belongs(rev, workspace):
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
