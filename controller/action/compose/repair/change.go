package repair

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/compose/engine"
	"jobwright.dev/controller/action/compose/revisions"
)

// repairTime bounds the repair beyond the time that containers may take to stop: some calls to
// the engine, and an engine that comes back.
const repairTime = 90 * time.Second

// Change is a project that docker compose is about to change.
type Change struct {
	project *engine.Project
	store   *revisions.Store // nil: nothing is written down
	record  revisions.UnderWay
}

// Begin writes down what stands before a change; it is on disk when Begin returns. The
// project's clock must be set. store nil: nothing is written down, and only the attempt
// itself can repair.
func Begin(store *revisions.Store, project *engine.Project, verb string, before []engine.Container) (*Change, error) {
	c := &Change{project: project, store: store, record: revisions.UnderWay{
		Project: project.Name, Attempt: project.Attempt, Began: project.Now(), Verb: verb, Before: before,
	}}
	if store == nil {
		return c, nil
	}
	return c, store.Begin(c.record)
}

// End removes the record: nothing is left in between.
func (c *Change) End() error {
	if c.store == nil {
		return nil
	}
	return c.store.End(c.record.Project)
}

// Repair repairs what the change's docker compose has left when it was cut off. It may outlive
// ctx's end, within a limit of its own. stopping tells which containers, by name, docker
// compose was at stopping. The text says, for a message, what could not be done; empty:
// nothing is left in between.
func (c *Change) Repair(ctx context.Context, stopping func(name string) bool, out action.Sink) string {
	limit := repairTime + DrainTime(c.record.Before)
	bounded, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), limit, fmt.Errorf("the limit of the repair is %s", limit))
	defer cancel()
	problems, err := run(bounded, c.project, c.record, stopping, out)
	if err != nil {
		return fmt.Sprintf("What docker compose has left could not be repaired, because the docker engine does not answer (%v); the next deploy of the project does it.", err)
	}
	if err := c.End(); err != nil {
		problems = append(problems, err.Error())
	}
	if len(problems) > 0 {
		return "What docker compose has left could not be repaired in full: " + strings.Join(problems, "; ") + "."
	}
	return ""
}

// Interrupted repairs what an earlier attempt over the project has left: its server died, or
// the engine was away when it was to be repaired. An error means that the engine does not
// answer.
func Interrupted(ctx context.Context, store *revisions.Store, project *engine.Project, out action.Sink) error {
	if store == nil {
		return nil
	}
	record, err := store.Interrupted(project.Name)
	if errors.Is(err, revisions.ErrNotFound) {
		return nil
	}
	if err != nil {
		out.Line(action.System, err.Error()) // docker compose makes the project as asked in any case
		return store.End(project.Name)
	}
	return finish(ctx, store, project, record, out)
}

// Attempt repairs what an attempt has left whose server has died.
func Attempt(ctx context.Context, store *revisions.Store, docker engine.Docker, attempt string, out action.Sink) error {
	if store == nil {
		return nil
	}
	record, err := store.InterruptedBy(attempt)
	if errors.Is(err, revisions.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return finish(ctx, store, &engine.Project{Docker: docker, Attempt: attempt, Name: record.Project}, record, out)
}

func finish(ctx context.Context, store *revisions.Store, project *engine.Project, record revisions.UnderWay, out action.Sink) error {
	bounded, cancel := context.WithTimeout(ctx, repairTime+DrainTime(record.Before))
	defer cancel()
	problems, err := run(bounded, project, record, unknown, out)
	if err != nil {
		return fmt.Errorf("repair what attempt %s has left of project %s: %w", record.Attempt, record.Project, err)
	}
	for _, problem := range problems {
		out.Line(action.System, fmt.Sprintf("what attempt %s has left could not be repaired in full: %s", record.Attempt, problem))
	}
	return store.End(record.Project)
}

// unknown is what a dead server knew of what docker compose was at stopping.
func unknown(string) bool { return false }
