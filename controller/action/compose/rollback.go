package compose

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/compose/revisions"
	"jobwright.dev/controller/action/process"
)

const (
	// rollbackTime bounds a rollback: its images are there, and its containers were healthy
	// before. Five minutes are ten times what compose gives a container to start and stop.
	rollbackTime = 5 * time.Minute
	// stopRollbackTime bounds the rollback of a deploy that was asked to stop. Somebody
	// waits for it, and health is not waited for.
	stopRollbackTime = 30 * time.Second
)

// target is what a rollback is to bring about.
type target struct {
	revision *revisions.Revision
	// services limits it; nil: all of the revision.
	services []string
	// remove are the services that shall have no containers made after since.
	remove []string
	since  time.Time
	// wait tells that the services must be healthy again.
	wait bool
}

// restore makes the project what the target says, and touches no container that is as it
// says already. It returns the services that were brought back and those that were
// removed; none, when nothing had to be done.
func (r *Runner) restore(ctx context.Context, a action.Attempt, t target, out action.Sink) (restored, removed []string, err error) {
	rev := t.revision
	containers, err := r.stand(ctx, a, rev.Project)
	if err != nil {
		return nil, nil, err
	}
	restored, err = r.different(ctx, a, t, byService(containers))
	if err != nil {
		return nil, nil, err
	}
	removed, err = r.removeServices(ctx, a, t, containers, out)
	if err != nil || len(restored) == 0 {
		return restored, removed, err
	}
	if err := r.needImages(ctx, a, rev, restored, out); err != nil {
		return restored, removed, err
	}
	return restored, removed, r.bringUp(ctx, a, t, restored, out)
}

// different are the services of the target that do not stand as its revision has them.
func (r *Runner) different(ctx context.Context, a action.Attempt, t target, running map[string][]engineContainer) ([]string, error) {
	var out []string
	var hashes map[string]string
	for _, want := range t.revision.Services {
		if t.services != nil && !slices.Contains(t.services, want.Name) {
			continue
		}
		if asRevised(running[want.Name], want) {
			continue
		}
		// A service that a rollback has made has the hash of the revision's own file.
		if hashes == nil {
			var err error
			if hashes, err = r.revisionHashes(ctx, a, t.revision); err != nil {
				return nil, err
			}
		}
		if !asRevised(running[want.Name], want, hashes[want.Name]) {
			out = append(out, want.Name)
		}
	}
	return out, nil
}

// revisionBase selects a revision's file. All that it says stands in it, so that no .env
// of the project is read.
func (r *Runner) revisionBase(rev *revisions.Revision) []string {
	return []string{
		"compose", "--ansi=never", "--progress=json", "--file=" + r.revisions.Path(rev.Project, rev.Number),
		"--project-name=" + rev.Project, "--project-directory=" + rev.Folder, "--env-file=/dev/null",
	}
}

// revisionSpec runs compose over a revision, with its secrets as they are now.
func (r *Runner) revisionSpec(a action.Attempt, rev *revisions.Revision, args ...string) (process.Spec, error) {
	spec := process.Spec{Path: r.docker, Args: append(r.revisionBase(rev), args...), Dir: "/", Worker: r.worker, Attempt: a.ID}
	for _, name := range slices.Sorted(maps.Keys(rev.Env)) {
		spec.Env = append(spec.Env, name+"="+rev.Env[name])
	}
	for _, secret := range rev.Secrets {
		value, err := r.secrets.Lookup(rev.Workspace, secret)
		if err != nil && !r.belongs(rev, a.Job.Namespace) {
			return spec, errors.New("a secret that it refers to cannot be read; the server's operator can tell which")
		}
		if err != nil {
			return spec, err
		}
		spec.Env = append(spec.Env, revisions.Variable(secret)+"="+value)
	}
	return spec, nil
}

func (r *Runner) revisionHashes(ctx context.Context, a action.Attempt, rev *revisions.Revision) (map[string]string, error) {
	spec, err := r.revisionSpec(a, rev, "config", "--hash=*")
	if err != nil {
		return nil, err
	}
	hashes := map[string]string{}
	err = r.capture(ctx, spec, func(stdout io.Reader) error {
		scanner := bufio.NewScanner(stdout)
		for scanner.Scan() {
			if service, hash, ok := strings.Cut(strings.TrimSpace(scanner.Text()), " "); ok {
				hashes[service] = hash
			}
		}
		return scanner.Err()
	})
	return hashes, err
}

// removeServices removes the containers that are not to be there.
func (r *Runner) removeServices(ctx context.Context, a action.Attempt, t target, containers []engineContainer, out action.Sink) ([]string, error) {
	var ids, names []string
	since := t.since
	if !since.IsZero() && slices.ContainsFunc(containers, func(c engineContainer) bool { return slices.Contains(t.remove, c.service()) }) {
		ahead, err := r.engineAhead(ctx, a)
		if err != nil {
			return nil, err
		}
		since = since.Add(ahead)
	}
	for _, c := range containers {
		if !slices.Contains(t.remove, c.service()) || c.Created.Before(since) {
			continue
		}
		ids = append(ids, c.ID)
		if !slices.Contains(names, c.service()) {
			names = append(names, c.service())
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	out.Line(action.System, "removing what the revision does not have: "+strings.Join(names, ", "))
	if err := r.inquire(ctx, a, ignoreOutput, append([]string{"container", "stop"}, ids...)...); err != nil {
		return nil, err
	}
	return names, r.inquire(ctx, a, ignoreOutput, append([]string{"container", "rm", "--force"}, ids...)...)
}

// engineAhead is by how much the engine's clock is ahead of ours.
func (r *Runner) engineAhead(ctx context.Context, a action.Attempt) (time.Duration, error) {
	lines, err := r.words(ctx, a, "info", "--format={{.SystemTime}}")
	if err != nil {
		return 0, err
	}
	at, err := time.Parse(time.RFC3339Nano, strings.Join(lines, ""))
	if err != nil {
		return 0, fmt.Errorf("the engine's time: %w", err)
	}
	return time.Until(at), nil
}

// needImages sees to it that the engine has the images of services, by pulling what it
// has lost and a registry still has.
func (r *Runner) needImages(ctx context.Context, a action.Attempt, rev *revisions.Revision, restored []string, out action.Sink) error {
	for _, name := range restored {
		service, _ := rev.Service(name)
		if r.inquire(ctx, a, ignoreOutput, "image", "inspect", service.ImageID) == nil {
			continue
		}
		gone := fmt.Errorf("image %s of service %s (%s) is not in the engine any more", shortID(service.ImageID), name, service.Image)
		if service.Digest == "" {
			return fmt.Errorf("%w, and it is in no registry", gone)
		}
		out.Line(action.System, gone.Error()+"; pulling "+service.Digest)
		if err := r.inquire(ctx, a, ignoreOutput, "image", "pull", "--quiet", service.Digest); err != nil {
			return fmt.Errorf("%w: %w", gone, err)
		}
		if r.inquire(ctx, a, ignoreOutput, "image", "inspect", service.ImageID) != nil {
			return fmt.Errorf("%w, and %s is another one", gone, service.Digest)
		}
	}
	return nil
}

// bringUp has compose make services as the revision has them.
func (r *Runner) bringUp(ctx context.Context, a action.Attempt, t target, restored []string, out action.Sink) error {
	spec, err := r.revisionSpec(a, t.revision, append([]string{"up", "--detach", "--no-build", "--no-deps", "--"}, restored...)...)
	if err != nil {
		return err
	}
	p, err := process.Start(spec)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = p.Stop(context.WithoutCancel(ctx), a.Grace) })
	tail := r.read(p, v1.DeployRollback, out, func(_ *event, pct int, step string) { out.Progress(pct, step) })
	code := p.Wait()
	stop()
	if err := p.Kill(ctx); err != nil {
		out.Line(action.System, err.Error())
	}
	if ctx.Err() != nil {
		return fmt.Errorf("it took longer than it may: %w", context.Cause(ctx))
	}
	if code != 0 {
		return errors.New(ended("docker compose up", code) + lastWords(tail))
	}
	if !t.wait {
		return nil
	}
	return r.awaitRestored(ctx, a, t, restored)
}
