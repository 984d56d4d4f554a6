package compose

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/compose/engine"
)

// foresight is what docker compose's own dry run says it would do.
type foresight struct {
	services map[string]v1.PlanVerb // by service, as far as it names their containers
	refused  string                 // why it would fail; empty: it would not
}

// dryRun has docker compose say what it would do. nil: this compose has no dry run.
func (r *Runner) dryRun(ctx context.Context, a action.Attempt, src source, rendered *rendering) (*foresight, error) {
	args, err := commandLine(a.Job.Spec.Deploy, src)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	var events []engine.Event
	spec := r.spec(a, src, slices.Insert(args, 1, "--dry-run"))
	err = r.docker.Stream(ctx, spec, func(line string) {
		if e, ok := engine.ParseEvent(line); ok {
			mu.Lock()
			events = append(events, e)
			mu.Unlock()
		}
	}, engine.Discard)
	said := (*engine.RefusedError)(nil)
	switch {
	case errors.As(err, &said) && strings.Contains(said.Said, "unknown flag: --dry-run"):
		return nil, nil
	case err != nil && said == nil:
		return nil, err
	}
	out := foresee(events, rendered)
	if said != nil {
		out.refused = said.Said
	}
	return out, nil
}

// foresee reads the events of a dry run.
func foresee(events []engine.Event, rendered *rendering) *foresight {
	out := &foresight{services: map[string]v1.PlanVerb{}}
	for _, e := range events {
		name, container := strings.CutPrefix(strings.TrimSpace(e.ID), "Container ")
		if !container {
			continue
		}
		service := rendered.byContainer(name)
		if service == "" {
			continue
		}
		verb, known := map[string]v1.PlanVerb{
			"Creating": v1.PlanCreate, "Recreate": v1.PlanRecreate, "Removing": v1.PlanRemove, "Starting": v1.PlanActionUpdate, "Running": v1.PlanKeep,
		}[e.Text]
		if known && weight(verb) > weight(out.services[service]) {
			out.services[service] = verb
		}
	}
	return out
}

// weight orders what is said of several containers of one service.
func weight(verb v1.PlanVerb) int {
	return slices.Index([]v1.PlanVerb{"", v1.PlanKeep, v1.PlanActionUpdate, v1.PlanRemove, v1.PlanCreate, v1.PlanRecreate}, verb)
}

// correct brings what a plan says of a service in line with what docker compose says. One
// of the two knows why, the other what.
func (f *foresight) correct(change v1.PlanChange) v1.PlanChange {
	said, ok := f.services[change.Name]
	if !ok || change.Kind != kindService || said == change.Verb {
		return change
	}
	touches := func(verb v1.PlanVerb) bool { return verb != v1.PlanKeep }
	switch {
	case said == v1.PlanRecreate, !touches(change.Verb) && touches(said):
		change.Verb = said
		change.Detail = strings.TrimPrefix(change.Detail+"; by docker compose's dry run", "; ")
	case !touches(said):
		change.Verb, change.Detail = v1.PlanKeep, ""
	}
	return change
}
