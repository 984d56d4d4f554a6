package compose

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/compose/engine"
	"jobwright.dev/controller/action/compose/rollback"
)

// The kinds of things that a plan names.
const (
	kindService = "service"
	kindNetwork = "network"
	kindVolume  = "volume"
	kindImage   = "image"
	kindFile    = "file"
)

// Plan tells what a job would do. It compares what compose reads in the file with what
// the engine has, as compose itself does: by the hash of a service's configuration and by
// its image.
func (r *Runner) Plan(ctx context.Context, job *v1.Job) (*v1.Plan, error) {
	a := action.Attempt{ID: "plan-" + rand.Text(), Job: job}
	project, _ := r.projectOf(ctx, a)
	hide := r.redactorFor(job, project)
	ctx = engine.Hiding(ctx, hide)
	plan, err := r.plan(ctx, a)
	if err != nil {
		return nil, errors.New(hide.String(err.Error()))
	}
	for i := range plan.Problems {
		plan.Problems[i] = hide.String(plan.Problems[i])
	}
	for i := range plan.Changes {
		plan.Changes[i].Detail = hide.String(plan.Changes[i].Detail)
	}
	plan.Valid = len(plan.Problems) == 0
	return plan, nil
}

func problem(err error) *v1.Plan { return &v1.Plan{Problems: []string{err.Error()}} }

func (r *Runner) plan(ctx context.Context, a action.Attempt) (*v1.Plan, error) {
	d := a.Job.Spec.Deploy
	if d == nil {
		return problem(errors.New("spec.deploy: Required value")), nil
	}
	project, rendered := r.projectOf(ctx, a)
	if err := r.mayTouch(project, a.Job); err != nil {
		return problem(err), nil
	}
	if d.Verb == v1.DeployRollback {
		return r.planRollback(ctx, a)
	}
	src, err := r.sourceOf(a.Job)
	if err != nil {
		return problem(err), nil
	}
	if _, err := commandLine(d, src); err != nil {
		return problem(err), nil
	}
	if err := r.checkSecrets(a.Job); err != nil {
		return problem(err), nil
	}
	if rendered == nil {
		rendered, err = r.render(ctx, a, src)
	}
	if said := (*engine.RefusedError)(nil); errors.As(err, &said) {
		return problem(fmt.Errorf("spec.deploy.composePath: Invalid value: %q: docker compose says: %s", d.ComposePath, said.Said)), nil
	}
	if err != nil {
		return nil, err
	}
	switch d.Verb {
	case v1.DeployUp:
		return r.planUp(ctx, a, src, rendered)
	case v1.DeployDown:
		return r.planDown(ctx, a, src, rendered)
	case v1.DeployRestart, v1.DeployStop, v1.DeployStart:
		return r.planStates(ctx, a, rendered)
	case v1.DeployBuild, v1.DeployPull:
		return planImages(d.Verb, rendered), nil
	default:
		return &v1.Plan{}, nil // it changes nothing
	}
}

// planStates is what restart, stop and start would do.
func (r *Runner) planStates(ctx context.Context, a action.Attempt, rendered *rendering) (*v1.Plan, error) {
	d := a.Job.Spec.Deploy
	containers, err := r.project(a, rendered.Name).Containers(ctx)
	if err != nil {
		return nil, err
	}
	running := engine.ByService(containers)
	plan := &v1.Plan{}
	for _, service := range slices.Sorted(maps.Keys(running)) {
		if len(d.Services) > 0 && !slices.Contains(d.Services, service) {
			continue
		}
		change := v1.PlanChange{Verb: v1.PlanActionUpdate, Kind: kindService, Name: service, Detail: string(d.Verb) + " " + containersOf(len(running[service]))}
		up := slices.ContainsFunc(running[service], func(c engine.Container) bool { return c.Status == "running" })
		if d.Verb == v1.DeployStop && !up || d.Verb == v1.DeployStart && !slices.ContainsFunc(running[service], func(c engine.Container) bool { return c.Status != "running" }) {
			change.Verb, change.Detail = v1.PlanKeep, ""
		}
		plan.Changes = append(plan.Changes, change)
	}
	return plan, nil
}

// planImages is what build and pull would do.
func planImages(verb v1.DeployVerb, rendered *rendering) *v1.Plan {
	plan := &v1.Plan{}
	for _, name := range rendered.covered {
		if (verb == v1.DeployBuild) == rendered.Services[name].built() {
			plan.Changes = append(plan.Changes, v1.PlanChange{Verb: v1.PlanActionUpdate, Kind: kindImage, Name: rendered.image(name), Detail: fmt.Sprintf("%s for service %s", verb, name)})
		}
	}
	return plan
}

// planRollback is what bringing a revision back would do.
func (r *Runner) planRollback(ctx context.Context, a action.Attempt) (*v1.Plan, error) {
	if r.revisions == nil {
		return problem(errors.New("spec.deploy.verb: Invalid value: \"rollback\": this server keeps no revisions")), nil
	}
	wanted, newest, err := r.revisionFor(a.Job)
	if err != nil {
		return problem(err), nil
	}
	if _, err := r.restorer().Spec(a, wanted); err != nil {
		return problem(fmt.Errorf("spec.deploy.revision: Invalid value: %d: %w", wanted.Number, err)), nil
	}
	containers, err := r.project(a, wanted.Project).Containers(ctx)
	if err != nil {
		return nil, err
	}
	running := engine.ByService(containers)
	t := rollback.Target{Revision: wanted}
	if len(a.Job.Spec.Deploy.Services) > 0 {
		t.Services = a.Job.Spec.Deploy.Services
	}
	different, err := r.restorer().Different(ctx, a, t, running)
	if err != nil {
		return nil, err
	}
	plan := &v1.Plan{}
	for _, service := range wanted.Services {
		change := v1.PlanChange{Verb: v1.PlanKeep, Kind: kindService, Name: service.Name}
		if slices.Contains(different, service.Name) {
			change.Verb = v1.PlanRecreate
			change.Detail = fmt.Sprintf("as in revision %d, from image %s (%s)", wanted.Number, service.Image, engine.ShortID(service.ImageID))
			if len(running[service.Name]) == 0 {
				change.Verb = v1.PlanCreate
			}
		}
		plan.Changes = append(plan.Changes, change)
	}
	for _, service := range newest.Services {
		if _, ok := wanted.Service(service.Name); !ok && t.Services == nil && len(running[service.Name]) > 0 {
			plan.Changes = append(plan.Changes, v1.PlanChange{Verb: v1.PlanRemove, Kind: kindService, Name: service.Name, Detail: fmt.Sprintf("revision %d does not have it", wanted.Number)})
		}
	}
	return plan, nil
}

// flag reports whether the job gives one of a flag's names.
func flag(d *v1.DeployAction, names ...string) bool {
	return slices.ContainsFunc(d.ExtraArgs, func(arg string) bool {
		name, _, _ := strings.Cut(arg, "=")
		return slices.Contains(names, name)
	})
}

func containersOf(n int) string {
	if n == 1 {
		return "1 container"
	}
	return fmt.Sprintf("%d containers", n)
}

// changedKeys are the keys of a service that differ between what a revision has and what
// the file says now, as far as a revision tells.
func changedKeys(was, now map[string]any) []string {
	ours := []string{"image", "pull_policy", "build", "profiles", "scale", "deploy", "depends_on"} // pin and prune change them
	var out []string
	for _, key := range slices.Sorted(maps.Keys(now)) {
		if !slices.Contains(ours, key) && !reflect.DeepEqual(was[key], now[key]) {
			out = append(out, key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(was)) {
		if _, ok := now[key]; !ok && !slices.Contains(ours, key) {
			out = append(out, key)
		}
	}
	slices.Sort(out)
	return out
}
