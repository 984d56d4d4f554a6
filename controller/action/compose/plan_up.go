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
	containers []engineContainer
	was, now   map[string]any // in the last revision; in the file
}

// planUp is what up would do.
func (r *Runner) planUp(ctx context.Context, a action.Attempt, file string, rendered *rendering) (*v1.Plan, error) {
	d := a.Job.Spec.Deploy
	containers, err := r.stand(ctx, a, rendered.project)
	if err != nil {
		return nil, err
	}
	hashes, err := r.hashes(ctx, a, file)
	if err != nil {
		return nil, err
	}
	running := byService(containers)
	last := r.lastOwn(a.Job.Namespace, rendered.project)
	plan := &v1.Plan{}
	for _, section := range []struct{ key, kind string }{{"networks", kindNetwork}, {"volumes", kindVolume}} {
		there, err := r.owned(ctx, a, section.kind, rendered.project)
		if err != nil {
			return nil, err
		}
		plan.Changes = append(plan.Changes, planOwned(child(rendered.document, section.key), section.kind, there)...)
	}
	for _, name := range rendered.covered {
		now := child(services(rendered.document), name)
		p := planned{name: name, now: now, hash: hashes[name], replicas: replicasOf(now), containers: running[name]}
		if n, ok := scaleFlag(d.ExtraArgs, name); ok {
			p.replicas = n
		}
		p.image, _ = now["image"].(string)
		_, p.built = now["build"]
		if p.image == "" {
			p.image = rendered.project + "-" + name
		}
		if ids, err := r.words(ctx, a, "image", "inspect", "--format={{.Id}}", p.image); err == nil && len(ids) == 1 {
			p.imageID = ids[0]
		}
		if last != nil {
			p.was = child(services(last.Document), name)
		}
		plan.Changes = append(plan.Changes, p.change(d))
	}
	if len(d.Services) > 0 {
		return plan, nil
	}
	orphans, err := r.orphans(ctx, a, file, running)
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
	case flag(d, "--pull"):
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
		if c.State.Status != "running" {
			stopped++
		}
	}
	switch {
	case len(recreate) > 0:
		out.Verb, why = v1.PlanRecreate, append(recreate, why...)
	case len(p.containers) != p.replicas:
		out.Verb, why = v1.PlanChangeIt, append(why, fmt.Sprintf("%s now, %d wanted", containersOf(len(p.containers)), p.replicas))
	case stopped > 0:
		out.Verb, why = v1.PlanChangeIt, append(why, containersOf(stopped)+" that does not run is started")
	}
	out.Detail = strings.Join(why, "; ")
	return out
}

// differences are why compose would make a service's containers anew.
func (p planned) differences() []string {
	var out []string
	for _, c := range p.containers {
		if c.hash() == p.hash {
			continue
		}
		what := "its configuration has changed"
		if c.Config.Image != p.image && !strings.HasPrefix(c.Config.Image, "sha256:") {
			what = fmt.Sprintf("image %s instead of %s", p.image, c.Config.Image)
		}
		if keys := changedKeys(p.was, p.now); p.was != nil && len(keys) > 0 {
			what += ": " + strings.Join(keys, ", ")
		}
		out = append(out, what)
		break
	}
	for _, c := range p.containers {
		if p.imageID != "" && c.Image != p.imageID {
			out = append(out, fmt.Sprintf("image %s is %s now, it runs from %s", p.image, shortID(p.imageID), shortID(c.Image)))
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
	if err != nil || !r.belongs(last, workspace) {
		return nil
	}
	return last
}

// orphans are the services that have containers and are not in the file, whatever
// profiles are enabled.
func (r *Runner) orphans(ctx context.Context, a action.Attempt, file string, running map[string][]engineContainer) ([]string, error) {
	if len(running) == 0 {
		return nil, nil
	}
	spec := r.spec(a, file, append(base(a.Job.Spec.Deploy, file), "--profile=*", "config", "--services"))
	var known []string
	if err := r.capture(ctx, spec, readLines(&known)); err != nil {
		return nil, err
	}
	names := slices.Sorted(maps.Keys(running))
	return slices.DeleteFunc(names, func(name string) bool { return slices.Contains(known, name) }), nil
}

// planOwned is what becomes of networks or volumes. External ones are not compose's.
func planOwned(definitions map[string]any, kind string, there []string) []v1.PlanChange {
	var out []v1.PlanChange
	for _, key := range slices.Sorted(maps.Keys(definitions)) {
		definition := child(definitions, key)
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

// replicasOf is how many containers a service is to have.
func replicasOf(service map[string]any) int {
	if n, ok := child(service, "deploy")["replicas"].(float64); ok {
		return int(n)
	}
	if n, ok := service["scale"].(float64); ok {
		return int(n)
	}
	return 1
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
