package rollback

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/compose/engine"
	"jobwright.dev/controller/action/compose/health"
	"jobwright.dev/controller/action/compose/repair"
	"jobwright.dev/controller/action/compose/revisions"
	"jobwright.dev/controller/action/process"
	"jobwright.dev/controller/action/secrets"
)

// Restorer keeps and restores revisions.
type Restorer struct {
	Docker    engine.Docker
	Revisions *revisions.Store
	// Secrets are what the documents of revisions refer to; nil: there are none.
	Secrets *secrets.Set
	// Since tells when a workspace was made: older revisions were those of another one of
	// its name. nil: there was never another.
	Since func(workspace string) (time.Time, error)
}

// Target is what Restore is to bring about.
type Target struct {
	Revision *revisions.Revision
	// Services limits it; nil: all of the revision.
	Services []string
	// Remove are the services that shall have no containers made after Since.
	Remove []string
	Since  time.Time
	// Wait tells that the services must count as up again.
	Wait bool
}

// Belongs reports whether a revision is a workspace's own: not that of another, nor of one
// that had its name and was deleted.
func (r Restorer) Belongs(rev *revisions.Revision, workspace string) bool {
	if rev.Workspace != workspace {
		return false
	}
	if r.Since == nil {
		return true
	}
	created, err := r.Since(workspace)
	return err == nil && !rev.Time.Time.Before(created)
}

// tries is how often a rollback compares and acts: twice, because the engine may be lost
// once in between.
const tries = 2

// Restore makes the project what the target says, and touches no container that already is.
// It returns the services that were brought back and those that were removed; none, when
// nothing had to be done. What has failed before ctx ends is tried once more: an engine that
// was lost may be back, and what it has left is repaired first.
func (r Restorer) Restore(ctx context.Context, a action.Attempt, t Target, out action.Sink) (restored, removed []string, err error) {
	for try := 1; ; try++ {
		again, gone, err := r.restore(ctx, a, t, out)
		restored, removed = merge(restored, again), merge(removed, gone)
		if err == nil || try == tries || ctx.Err() != nil {
			return restored, removed, err
		}
		out.Line(action.System, "the rollback is tried once more: "+err.Error())
	}
}

// merge is a sorted union.
func merge(a, b []string) []string {
	all := append(slices.Clone(a), b...)
	slices.Sort(all)
	return slices.Compact(all)
}

// restore is one try.
func (r Restorer) restore(ctx context.Context, a action.Attempt, t Target, out action.Sink) (restored, removed []string, err error) {
	project := r.project(a, t.Revision.Project)
	containers, err := r.ready(ctx, project, out)
	if err != nil {
		return nil, nil, err
	}
	restored, err = r.Different(ctx, a, t, engine.ByService(containers))
	if err != nil {
		return nil, nil, err
	}
	removed, err = removeServices(ctx, project, t, containers, out)
	if err != nil || len(restored) == 0 {
		return restored, removed, err
	}
	if err := r.needImages(ctx, a, t.Revision, restored, out); err != nil {
		return restored, removed, err
	}
	return restored, removed, r.bringUp(ctx, a, t, project, containers, restored, out)
}

// ready waits for the engine, repairs what a docker compose before has left, and returns the
// project's containers.
func (r Restorer) ready(ctx context.Context, project *engine.Project, out action.Sink) ([]engine.Container, error) {
	if _, err := repair.AwaitEngine(ctx, project); err != nil {
		return nil, err
	}
	if err := repair.Interrupted(ctx, r.Revisions, project, out); err != nil {
		return nil, err
	}
	if err := project.SetClock(ctx); err != nil {
		return nil, err
	}
	return project.Containers(ctx)
}

func (r Restorer) project(a action.Attempt, name string) *engine.Project {
	return &engine.Project{Docker: r.Docker, Attempt: a.ID, Name: name}
}

// Different are the services of the target that do not stand as its revision has them.
func (r Restorer) Different(ctx context.Context, a action.Attempt, t Target, running map[string][]engine.Container) ([]string, error) {
	var out []string
	var hashes map[string]string
	copied := r.copiesFor(t.Revision)
	for _, want := range t.Revision.Services {
		if t.Services != nil && !slices.Contains(t.Services, want.Name) {
			continue
		}
		if !copied.mounted(want.Name, running[want.Name]) {
			out = append(out, want.Name)
			continue
		}
		if asRevised(running[want.Name], want) {
			continue
		}
		// A service that a rollback has made has the hash of the revision's own file.
		if hashes == nil {
			var err error
			if hashes, err = r.hashes(ctx, a, t.Revision); err != nil {
				return nil, err
			}
		}
		if !asRevised(running[want.Name], want, hashes[want.Name]) {
			out = append(out, want.Name)
		}
	}
	return out, nil
}

// asRevised reports whether a service's containers are those of a revision: as many, of its
// image, of one of the configurations that mean it, and settled.
func asRevised(containers []engine.Container, want v1.RevisionService, hashes ...string) bool {
	if len(containers) != want.Replicas {
		return false
	}
	return !slices.ContainsFunc(containers, func(c engine.Container) bool {
		stopped := want.State == v1.RevisionRunning && c.Status == "exited" // exit code 0 or not
		return c.ImageID != want.ImageID || !slices.Contains(append(hashes, want.ConfigHash), c.ConfigHash) || stopped || !health.Settled(c)
	})
}

// removeServices removes the containers that are not to be there.
func removeServices(ctx context.Context, project *engine.Project, t Target, containers []engine.Container, out action.Sink) ([]string, error) {
	such := func(c engine.Container) bool { return slices.Contains(t.Remove, c.Service) }
	since := project.Engine(t.Since)
	var ids, names []string
	for _, c := range containers {
		if !such(c) || !t.Since.IsZero() && c.Created.Before(since) {
			continue
		}
		ids = append(ids, c.ID)
		if !slices.Contains(names, c.Service) {
			names = append(names, c.Service)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	out.Line(action.System, "removing what the revision does not have: "+strings.Join(names, ", "))
	if err := project.Do(ctx, append([]string{"container", "stop", "--"}, ids...)...); err != nil {
		return nil, err
	}
	return names, project.Do(ctx, append([]string{"container", "rm", "--force", "--"}, ids...)...)
}

// needImages sees to it that the engine has the images of services, by pulling what it has
// lost and a registry still has.
func (r Restorer) needImages(ctx context.Context, a action.Attempt, rev *revisions.Revision, restored []string, out action.Sink) error {
	here := func(id string) bool { return r.Docker.Do(ctx, a.ID, "image", "inspect", "--", id) == nil }
	for _, name := range restored {
		service, _ := rev.Service(name)
		if here(service.ImageID) {
			continue
		}
		gone := fmt.Errorf("image %s of service %s (%s) is not in the engine any more", engine.ShortID(service.ImageID), name, service.Image)
		if service.Digest == "" {
			return fmt.Errorf("%w, and it is in no registry", gone)
		}
		out.Line(action.System, gone.Error()+"; pulling "+service.Digest)
		if err := r.Docker.Do(ctx, a.ID, "image", "pull", "--quiet", "--", service.Digest); err != nil {
			return fmt.Errorf("%w: %w", gone, err)
		}
		if !here(service.ImageID) {
			return fmt.Errorf("%w, and %s is another one", gone, service.Digest)
		}
	}
	return nil
}

// bringUp has compose make services as the revision has them. When it is cut off, what it
// leaves is repaired.
func (r Restorer) bringUp(ctx context.Context, a action.Attempt, t Target, project *engine.Project, before []engine.Container, restored []string, out action.Sink) error {
	args := []string{"up", "--detach", "--no-build", "--no-deps"}
	copied := r.copiesFor(t.Revision)
	if slices.ContainsFunc(restored, func(name string) bool { return !copied.mounted(name, engine.ByService(before)[name]) }) {
		args = append(args, "--force-recreate") // compose does not compare the files of configs and secrets
	}
	spec, err := r.Spec(a, t.Revision, append(append(args, "--"), restored...)...)
	if err != nil {
		return err
	}
	for _, lost := range copied.lost {
		out.Line(action.System, "not brought back, as the revision does not hold it: "+lost)
	}
	change, err := repair.Begin(r.Revisions, project, string(v1.DeployRollback), before)
	if err != nil {
		return err
	}
	p, err := process.Start(spec)
	if err != nil {
		return errors.Join(err, change.End())
	}
	stop := context.AfterFunc(ctx, func() { _ = p.Stop(context.WithoutCancel(ctx), a.Grace) })
	var working sync.Map // containers that compose is at, by name
	tail := r.Docker.Follow(ctx, p, string(v1.DeployRollback), out, func(e *engine.Event, pct int, step string) {
		if e != nil {
			working.Store(strings.TrimPrefix(e.ID, "Container "), e.Stopping())
		}
		out.Progress(pct, step)
	})
	code := p.Wait()
	stop()
	if err := p.Kill(ctx); err != nil {
		out.Line(action.System, err.Error())
	}
	if code == 0 {
		if err := change.End(); err != nil {
			out.Line(action.System, err.Error())
		}
		if !t.Wait {
			return nil
		}
		return r.await(ctx, a, t, restored)
	}
	left := change.Repair(ctx, func(name string) bool { stopping, _ := working.Load(name); return stopping == true }, out)
	if ctx.Err() != nil {
		err = fmt.Errorf("it took longer than it may: %w", context.Cause(ctx))
	} else {
		err = errors.New(engine.Ended("docker compose up", code) + engine.LastWords(tail))
	}
	if left != "" {
		err = fmt.Errorf("%w. %s", err, strings.TrimSuffix(left, "."))
	}
	return err
}
