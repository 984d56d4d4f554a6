package compose

import (
	"context"
	"fmt"
	"strings"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/compose/engine"
	"jobwright.dev/controller/action/compose/revisions"
)

// up deploys, keeps what was found good, and brings the last good revision back when the
// job says so:
//
//	read ─► begin ─► watch ─► compose ─► await ─► keep
//	  └───────┴─ the first one that has an outcome ─┴─► undo
func (r *Runner) up(ctx context.Context, a action.Attempt, c command, out action.Sink) action.Outcome {
	began := time.Now()
	if start := a.Job.Status.StartTime; start != nil {
		began = start.Time // what an attempt before has left is this job's too
	}
	d := newDeploy(r, a, c, out)
	outcome := d.run(ctx)
	switch {
	case r.revisions == nil:
		return outcome
	case outcome.Verdict == action.Succeeded:
		return r.keep(ctx, a, c.src, d.rendering, d.after, outcome, out)
	case outcome.Reason == v1.ReasonInvalidArguments, outcome.Reason == v1.ReasonCommandUnavailable:
		return outcome // nothing was started
	}
	return r.undo(ctx, a, c.src, d.rendering, began, outcome, out)
}

// keep saves the project's revision, with the containers that were judged good. A deploy whose
// revision cannot be saved still succeeds, and its message says so.
func (r *Runner) keep(ctx context.Context, a action.Attempt, src source, rendering *rendering, containers []engine.Container, outcome action.Outcome, out action.Sink) action.Outcome {
	err := rendering.unkept
	var revision *revisions.Revision
	if err == nil {
		revision, err = r.restorer().Keep(context.WithoutCancel(ctx), a, a.ID, rendering.deployed(src, containers))
	}
	if err != nil {
		said := "The project is up, but was not kept as a revision to roll back to: " + err.Error()
		out.Line(action.System, said)
		outcome.Message = strings.TrimSpace(outcome.Message + "\n" + said)
		return withResult(outcome, map[string]any{"project": rendering.Name})
	}
	if revision == nil {
		return withResult(outcome, map[string]any{"project": rendering.Name})
	}
	if list := unkept(src.folder(), revision); list != "" && revision.Attempt == a.ID {
		out.Line(action.System, fmt.Sprintf("revision %d does not hold: %s", revision.Number, list))
	}
	return withResult(outcome, map[string]any{"project": revision.Project, "revision": revision.Number})
}
