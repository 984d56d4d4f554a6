package compose

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/compose/engine"
)

// planDown is what down would do: what docker compose's dry run says, or what its rules say
// where it has none.
func (r *Runner) planDown(ctx context.Context, a action.Attempt, src source, rendered *rendering) (*v1.Plan, error) {
	d := a.Job.Spec.Deploy
	containers, err := r.project(a, rendered.Name).Containers(ctx)
	if err != nil {
		return nil, err
	}
	running := engine.ByService(containers)
	left, err := r.leftByDown(ctx, a, src, rendered, running)
	if err != nil {
		return nil, err
	}
	plan := &v1.Plan{}
	var wrong []string
	for _, service := range slices.Sorted(maps.Keys(running)) {
		if why, stays := left[service]; stays {
			if why == noProfile {
				wrong = append(wrong, counted(service, running[service]))
			}
			plan.Changes = append(plan.Changes, v1.PlanChange{Verb: v1.PlanKeep, Kind: kindService, Name: service, Detail: why})
			continue
		}
		plan.Changes = append(plan.Changes, v1.PlanChange{Verb: v1.PlanRemove, Kind: kindService, Name: service, Detail: containersOf(len(running[service]))})
	}
	if len(wrong) > 0 {
		plan.Problems = append(plan.Problems, "docker compose down would end with exit code 0, and not be done: "+stillThere(wrong))
	}
	if len(d.Services) > 0 {
		return plan, nil
	}
	for _, kind := range []string{kindNetwork, kindVolume} {
		there, err := r.project(a, rendered.Name).Owned(ctx, kind)
		if err != nil {
			return nil, err
		}
		for _, name := range there {
			change := v1.PlanChange{Verb: v1.PlanRemove, Kind: kind, Name: name}
			switch {
			case kind == kindNetwork && len(left) > 0:
				change.Verb, change.Detail = v1.PlanKeep, "services that stay may use it"
			case kind == kindVolume && !flag(d, "--volumes", "-v"):
				change.Verb = v1.PlanKeep
			case kind == kindVolume:
				change.Detail = "with all that is in it"
			}
			plan.Changes = append(plan.Changes, change)
		}
	}
	return plan, nil
}

// noProfile is why down leaves a service that was to go.
const noProfile = "its profile is not enabled"

// stillThere says what a down leaves that was to go.
func stillThere(services []string) string {
	return fmt.Sprintf("still there: %s. A service behind a profile goes when spec.deploy.profiles names it.", strings.Join(services, ", "))
}

// counted is a service with how many containers it has.
func counted(service string, containers []engine.Container) string {
	return fmt.Sprintf("%s (%s)", service, containersOf(len(containers)))
}

// leftByDown are the services that have containers and that down leaves, with the reason.
func (r *Runner) leftByDown(ctx context.Context, a action.Attempt, src source, rendered *rendering, running map[string][]engine.Container) (map[string]string, error) {
	d := a.Job.Spec.Deploy
	orphans, err := r.orphans(ctx, a, src, running)
	if err != nil {
		return nil, err
	}
	left := map[string]string{}
	for service := range running {
		switch {
		case len(d.Services) > 0 && !slices.Contains(d.Services, service):
			left[service] = "not named in services"
		case len(d.Services) > 0 || slices.Contains(rendered.covered, service):
		case !slices.Contains(orphans, service):
			left[service] = noProfile
		case !flag(d, "--remove-orphans"):
			left[service] = "not in the compose file; --remove-orphans would remove it"
		}
	}
	return left, nil
}

// judgeDown lists the containers after a down that ended with exit code 0. A container that was
// to go and is still there makes it a failure; the message names orphans that were to stay.
func (r *Runner) judgeDown(ctx context.Context, a action.Attempt, c command, project string, o action.Outcome) action.Outcome {
	d := a.Job.Spec.Deploy
	containers, err := r.project(a, project).Containers(ctx)
	if err != nil {
		return action.Fail(v1.ReasonEngineUnavailable, fmt.Sprintf("%s ended with exit code 0, and whether anything is left is not known: the docker engine does not answer: %v.", c.name, err))
	}
	running := engine.ByService(containers)
	if len(d.Services) > 0 {
		maps.DeleteFunc(running, func(service string, _ []engine.Container) bool { return !slices.Contains(d.Services, service) })
	}
	if len(running) == 0 {
		return o
	}
	var orphans []string
	if len(c.src.files) > 0 {
		orphans, err = r.orphans(ctx, a, c.src, running)
	}
	if said := (*engine.RefusedError)(nil); err != nil && !errors.As(err, &said) {
		return action.Fail(v1.ReasonEngineUnavailable, fmt.Sprintf("%s ended with exit code 0; what is left could not be told: %v.", c.name, err))
	}
	var wrong, fine []string
	for _, service := range slices.Sorted(maps.Keys(running)) {
		text := counted(service, running[service])
		if slices.Contains(orphans, service) && !flag(d, "--remove-orphans") {
			fine = append(fine, text)
		} else {
			wrong = append(wrong, text)
		}
	}
	if len(fine) > 0 {
		o.Message = strings.TrimSpace(o.Message + " Left, as the compose file does not have them: " + strings.Join(fine, ", ") + "; --remove-orphans removes them.")
	}
	if len(wrong) == 0 {
		return o
	}
	o.Verdict, o.Reason = action.Failed, v1.ReasonContainerFailed
	o.Message = strings.TrimSpace(fmt.Sprintf("%s ended with exit code 0, and is not done: %s %s", c.name, stillThere(wrong), o.Message))
	return o
}
