package compose

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/compose/engine"
	"jobwright.dev/controller/action/compose/revisions"
	"jobwright.dev/controller/action/compose/rollback"
)

// ErrNoProject means that a workspace has no project of that name.
var ErrNoProject = errors.New("no such project")

// ErrProjectRuns means that a project that is to be forgotten has containers.
var ErrProjectRuns = errors.New("the project has containers")

// Projects are those of a workspace, sorted by name, with what runs of them.
func (r *Runner) Projects(ctx context.Context, workspace string) ([]v1.Project, error) {
	names, err := r.ownProjects(workspace)
	if err != nil {
		return nil, err
	}
	a := action.Attempt{ID: "projects-" + rand.Text()}
	out := []v1.Project{}
	for _, name := range names {
		p, err := r.describe(ctx, a, workspace, name)
		if err != nil {
			return nil, fmt.Errorf("list the compose projects: the docker engine does not answer: %w", err)
		}
		out = append(out, p)
	}
	return out, nil
}

// ownProjects are the names of a workspace's projects, sorted.
func (r *Runner) ownProjects(workspace string) ([]string, error) {
	if r.revisions == nil {
		return nil, nil
	}
	all, err := r.revisions.Known()
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(name string) bool {
		owner, err := r.revisions.Owner(name)
		return err != nil || owner.Workspace != workspace || r.gone(owner)
	}), nil
}

// describe is one project as it stands.
func (r *Runner) describe(ctx context.Context, a action.Attempt, workspace, name string) (v1.Project, error) {
	p := v1.Project{Name: name, State: v1.ProjectDown, Services: []v1.ProjectService{}}
	containers, err := r.project(a, name).Containers(ctx)
	if err != nil {
		return p, err
	}
	running := engine.ByService(containers)
	for _, service := range slices.Sorted(maps.Keys(running)) {
		s := v1.ProjectService{Name: service, Containers: len(running[service])}
		for _, c := range running[service] {
			if c.Status == "running" {
				s.Running++
			}
		}
		p.Services = append(p.Services, s)
	}
	if len(containers) > 0 {
		p.State = v1.ProjectUp
		if slices.ContainsFunc(containers, func(c engine.Container) bool {
			return c.Status != "running" && (c.Status != "exited" || c.ExitCode != 0)
		}) {
			p.State = v1.ProjectMixed
		}
	}
	history, err := r.revisions.History(workspace, name)
	if err != nil {
		return p, err
	}
	if p.Revisions = len(history); p.Revisions > 0 {
		p.Newest, p.Deployed = history[0].Number, &history[0].Time
	}
	p.Images, p.ImageBytes, err = r.heldImages(ctx, a, name)
	return p, err
}

// heldImages are how many images are held for a project's revisions, and their size.
func (r *Runner) heldImages(ctx context.Context, a action.Attempt, project string) (n int, size int64, err error) {
	names, err := r.heldNames(ctx, a, project)
	if err != nil || len(names) == 0 {
		return 0, 0, err
	}
	sizes, err := r.docker.Lines(ctx, a.ID, append([]string{"image", "inspect", "--format={{.Size}}", "--"}, names...)...)
	for _, text := range sizes {
		bytes, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return 0, 0, fmt.Errorf("docker image inspect: the size of an image: %w", err)
		}
		size += bytes
	}
	return len(names), size, err
}

// heldNames are the tags that hold images for a project's revisions.
func (r *Runner) heldNames(ctx context.Context, a action.Attempt, project string) ([]string, error) {
	return r.docker.Lines(ctx, a.ID, "images", "--format={{.Repository}}:{{.Tag}}", "--filter=reference="+rollback.HeldName(project, "")+"*")
}

// Forget removes what the server keeps of a project: its revisions, the files and images that
// they hold, and whose it is. Errors: ErrNoProject, and ErrProjectRuns while there are
// containers.
func (r *Runner) Forget(ctx context.Context, workspace, project string) error {
	names, err := r.ownProjects(workspace)
	if err != nil {
		return err
	}
	if !slices.Contains(names, project) {
		return fmt.Errorf("%w: workspace %s has no project %q", ErrNoProject, workspace, project)
	}
	end, _, ok := r.turns.take(ctx, "compose:"+project, quiet{})
	if !ok {
		return fmt.Errorf("forget project %s: a run of docker compose over it has not ended: %w", project, ctx.Err())
	}
	defer end()
	a := action.Attempt{ID: "forget-" + rand.Text()}
	containers, err := r.project(a, project).Containers(ctx)
	if err != nil {
		return fmt.Errorf("forget project %s: the docker engine does not answer: %w", project, err)
	}
	if len(containers) > 0 {
		return fmt.Errorf("%w: %s has %s; take it down first: jobwright run deploy down --project-name %s", ErrProjectRuns, project, containersOf(len(containers)), project)
	}
	held, err := r.heldNames(ctx, a, project)
	if err == nil && len(held) > 0 {
		err = r.docker.Do(ctx, a.ID, append([]string{"image", "rm", "--"}, held...)...)
	}
	if err != nil {
		return fmt.Errorf("forget project %s: let go of its images: %w", project, err)
	}
	if err := r.revisions.Forget(project); err != nil && !errors.Is(err, revisions.ErrNotFound) {
		return err
	}
	return nil
}
