package compose

import (
	"context"
	"errors"
	"regexp"
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
	networks map[string]v1.PlanVerb // by name
	volumes  []string               // those whose definition is not the one that they were made from
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
	var lines []string
	spec := r.spec(a, src, slices.Insert(args, 1, "--dry-run"))
	err = r.docker.Stream(ctx, spec, func(line string) {
		if e, ok := engine.ParseEvent(line); ok {
			mu.Lock()
			events = append(events, e)
			mu.Unlock()
		}
	}, engine.ReadLines(&lines))
	said := (*engine.RefusedError)(nil)
	switch {
	case errors.As(err, &said) && strings.Contains(said.Said, "unknown flag: --dry-run"):
		return nil, nil
	case err != nil && said == nil:
		return nil, err
	}
	out := foresee(events, rendered)
	for _, line := range lines {
		for _, m := range otherVolume.FindAllStringSubmatch(line, -1) {
			out.volumes = append(out.volumes, m[1])
		}
	}
	if said != nil {
		out.refused = said.Said
	}
	return out, nil
}

// otherVolume is docker compose's question about a volume, to which nobody answers yes.
var otherVolume = regexp.MustCompile(`Volume "([^"]+)" exists but doesn't match configuration`)

// foresee reads the events of a dry run.
func foresee(events []engine.Event, rendered *rendering) *foresight {
	out := &foresight{services: map[string]v1.PlanVerb{}, networks: map[string]v1.PlanVerb{}}
	for _, e := range events {
		if name, ok := strings.CutPrefix(strings.TrimSpace(e.ID), "Network "); ok && e.Text == "Removing" {
			out.networks[name] = v1.PlanRecreate
		}
		name, container := strings.CutPrefix(strings.TrimSpace(e.ID), "Container ")
		if !container {
			continue
		}
		service := rendered.byContainer(name)
		if service == "" {
			continue
		}
		verb, known := map[string]v1.PlanVerb{
			"Creating": v1.PlanCreate, "Recreate": v1.PlanRecreate, "Removing": v1.PlanRemove, "Starting": v1.PlanActionUpdate, "Stopping": v1.PlanActionUpdate, "Running": v1.PlanKeep,
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
	switch {
	case change.Kind == kindNetwork && f.networks[change.Name] == v1.PlanRecreate:
		change.Verb, change.Detail = v1.PlanRecreate, "its definition has changed"
		return change
	case change.Kind == kindVolume && slices.Contains(f.volumes, change.Name):
		change.Detail = "its definition has changed; docker compose leaves the volume as it was made"
		return change
	}
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
