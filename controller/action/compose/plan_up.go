package compose

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/compose/engine"
	"jobwright.dev/controller/action/compose/revisions"
)

// planned is what a plan knows of one service.
type planned struct {
	name       string
	image      string // its name
	imageID    string // of the image that has this name now; empty: the engine has none
	built      bool
	hash       string
	replicas   int
	containers []engine.Container
	was, now   map[string]any // in the last revision; in the file
}

// planUp is what up would do.
func (r *Runner) planUp(ctx context.Context, a action.Attempt, src source, rendered *rendering) (*v1.Plan, error) {
	d := a.Job.Spec.Deploy
	containers, err := r.project(a, rendered.Name).Containers(ctx)
	if err != nil {
		return nil, err
	}
	hashes, err := r.hashes(ctx, a, src)
	if err != nil {
		return nil, err
	}
	ahead, err := r.dryRun(ctx, a, src, rendered)
	if err != nil {
		return nil, err
	}
	running := engine.ByService(containers)
	last := r.lastOwn(a.Job.Namespace, rendered.Name)
	plan := &v1.Plan{}
	if ahead != nil && ahead.refused != "" {
		plan.Problems = append(plan.Problems, "docker compose says: "+ahead.refused)
	}
	if plan.Changes, err = r.planAllOwned(ctx, a, rendered, ahead); err != nil {
		return nil, err
	}
	for _, name := range rendered.covered {
		now := revisions.Child(revisions.Services(rendered.document), name)
		p := planned{
			name: name, now: now, hash: hashes[name], replicas: rendered.replicas(d, name), containers: running[name],
			image: rendered.image(name), built: rendered.Services[name].built(),
		}
		p.imageID, _ = r.docker.ImageID(ctx, a.ID, p.image) // an error is an image that is not there
		if last != nil {
			p.was = revisions.Child(revisions.Services(last.Document), name)
		}
		change := p.change(d)
		if ahead != nil {
			change = ahead.correct(change)
		}
		if p.imageID == "" && !p.built && p.neverPulled(d) {
			plan.Problems = append(plan.Problems, fmt.Sprintf("service %s: image %s is not here, and its pull_policy is never", name, p.image))
		}
		plan.Changes = append(plan.Changes, change)
	}
	plan.Changes = append(plan.Changes, planFiles(src.folder(), rendered, last)...)
	if len(d.Services) > 0 {
		return plan, nil
	}
	orphans, err := r.orphans(ctx, a, src, running)
	if err != nil {
		return nil, err
	}
	for _, name := range orphans {
		change := v1.PlanChange{Verb: v1.PlanKeep, Kind: kindService, Name: name, Detail: "not in the compose file; --remove-orphans would remove it"}
		if flag(d, "--remove-orphans") {
			change.Verb, change.Detail = v1.PlanRemove, "not in the compose file"
		}
		plan.Changes = append(plan.Changes, change)
	}
	return plan, nil
}

// planAllOwned is what becomes of the project's networks and volumes.
func (r *Runner) planAllOwned(ctx context.Context, a action.Attempt, rendered *rendering, ahead *foresight) ([]v1.PlanChange, error) {
	var out []v1.PlanChange
	for _, section := range []struct{ key, kind string }{{"networks", kindNetwork}, {"volumes", kindVolume}} {
		there, err := r.project(a, rendered.Name).Owned(ctx, section.kind)
		if err != nil {
			return nil, err
		}
		for _, change := range planOwned(revisions.Child(rendered.document, section.key), section.kind, there) {
			if ahead != nil {
				change = ahead.correct(change)
			}
			out = append(out, change)
		}
	}
	return out, nil
}

// change is what becomes of a service.
func (p planned) change(d *v1.DeployAction) v1.PlanChange {
	out := v1.PlanChange{Verb: v1.PlanKeep, Kind: kindService, Name: p.name}
	var why []string
	missing := "pulled"
	if p.built {
		missing = "built"
	}
	switch {
	case p.built && flag(d, "--build"):
		why = append(why, "image "+p.image+" is built first")
	case p.imageID == "" && !p.built && p.neverPulled(d):
		why = append(why, "image "+p.image+" is not here")
	case flag(d, "--pull") && !p.neverPulled(d):
		why = append(why, "image "+p.image+" may be pulled first")
	case p.imageID == "":
		why = append(why, "image "+p.image+" is not here yet, it is "+missing+" first")
	}
	if len(p.containers) == 0 {
		if p.replicas == 0 {
			return out
		}
		out.Verb = v1.PlanCreate
		out.Detail = strings.Join(append([]string{containersOf(p.replicas) + " from image " + p.image}, why...), "; ")
		return out
	}
	recreate := p.differences()
	switch {
	case flag(d, "--force-recreate"):
		recreate = append(recreate, "--force-recreate")
	case flag(d, "--no-recreate"):
		recreate = nil
	}
	stopped := 0
	for _, c := range p.containers {
		if c.Status != "running" {
			stopped++
		}
	}
	switch {
	case len(recreate) > 0:
		out.Verb, why = v1.PlanRecreate, append(recreate, why...)
	case len(p.containers) != p.replicas:
		out.Verb, why = v1.PlanActionUpdate, append(why, fmt.Sprintf("%s now, %d wanted", containersOf(len(p.containers)), p.replicas))
	case stopped > 0:
		out.Verb, why = v1.PlanActionUpdate, append(why, containersOf(stopped)+" that does not run is started")
	}
	out.Detail = strings.Join(why, "; ")
	return out
}

// neverPulled reports whether compose is not to pull the service's image.
func (p planned) neverPulled(d *v1.DeployAction) bool {
	if policy, ok := flagValue(d.ExtraArgs, "--pull"); ok {
		return policy == "never"
	}
	return p.now["pull_policy"] == "never"
}

// differences are why compose would make a service's containers anew.
func (p planned) differences() []string {
	var out []string
	for _, c := range p.containers {
		if c.ConfigHash == p.hash {
			continue
		}
		what := "its configuration has changed"
		if c.Image != p.image && !strings.HasPrefix(c.Image, "sha256:") {
			what = fmt.Sprintf("image %s instead of %s", p.image, c.Image)
		}
		if keys := changedKeys(p.was, p.now); p.was != nil && len(keys) > 0 {
			what += ": " + strings.Join(keys, ", ")
		}
		out = append(out, what)
		break
	}
	for _, c := range p.containers {
		if p.imageID != "" && c.ImageID != p.imageID {
			out = append(out, fmt.Sprintf("image %s is %s now, it runs from %s", p.image, engine.ShortID(p.imageID), engine.ShortID(c.ImageID)))
			break
		}
	}
	return out
}

// lastOwn is the last revision that the workspace may see; nil: there is none, or it
// cannot be read, which makes a plan say less.
func (r *Runner) lastOwn(workspace, project string) *revisions.Revision {
	if r.revisions == nil {
		return nil
	}
	last, err := r.revisions.Last(project)
	if err != nil || !r.restorer().Belongs(last, workspace) {
		return nil
	}
	return last
}

// orphans are the services that have containers and are not in the file, whatever
// profiles are enabled.
func (r *Runner) orphans(ctx context.Context, a action.Attempt, src source, running map[string][]engine.Container) ([]string, error) {
	if len(running) == 0 {
		return nil, nil
	}
	spec := r.spec(a, src, append(base(a.Job.Spec.Deploy, src), "--profile=*", "config", "--services"))
	var known []string
	if err := r.docker.Output(ctx, spec, engine.ReadLines(&known)); err != nil {
		return nil, err
	}
	names := slices.Sorted(maps.Keys(running))
	return slices.DeleteFunc(names, func(name string) bool { return slices.Contains(known, name) }), nil
}

// planOwned is what becomes of networks or volumes. External ones are not compose's.
func planOwned(definitions map[string]any, kind string, there []string) []v1.PlanChange {
	var out []v1.PlanChange
	for _, key := range slices.Sorted(maps.Keys(definitions)) {
		definition := revisions.Child(definitions, key)
		name, _ := definition["name"].(string)
		if external, _ := definition["external"].(bool); external || name == "" {
			continue
		}
		change := v1.PlanChange{Verb: v1.PlanCreate, Kind: kind, Name: name}
		if slices.Contains(there, name) {
			change.Verb = v1.PlanKeep
		}
		out = append(out, change)
	}
	return out
}

// scaleFlag is what --scale says of a service.
func scaleFlag(args []string, service string) (int, bool) {
	for i, arg := range args {
		value, ok := strings.CutPrefix(arg, "--scale=")
		if arg == "--scale" && i+1 < len(args) {
			value, ok = args[i+1], true
		}
		if name, n, _ := strings.Cut(value, "="); ok && name == service {
			if n, err := strconv.Atoi(n); err == nil {
				return n, true
			}
		}
	}
	return 0, false
}

// flagValue is the value of the last flag that has one of those names.
func flagValue(args []string, names ...string) (value string, ok bool) {
	for i, arg := range args {
		name, inline, has := strings.Cut(arg, "=")
		switch {
		case !slices.Contains(names, name):
		case has:
			value, ok = inline, true
		case i+1 < len(args):
			value, ok = args[i+1], true
		}
	}
	return value, ok
}
