package compose

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/compose/revisions"
)

// keepTime bounds how long it may take to write down what was found good: some questions
// to an engine that has just answered.
const keepTime = 30 * time.Second

// aside makes the identity of what runs for a revision or a rollback: ending the compose
// of the attempt, which looks for everything of its identity, does not end that.
const aside = "+revision"

// setAside is the attempt for what runs beside or after its own compose.
func setAside(a action.Attempt) action.Attempt {
	a.ID += aside
	return a
}

// rendering is a compose file as compose reads it at the moment of the deploy.
type rendering struct {
	project  string
	document map[string]any
	covered  []string // the services that the deploy is about
	secrets  []string // those its variables refer to
	env      map[string]string
}

// render has compose render the file, with references in place of the job's secrets. It
// runs while compose deploys, from the same moment on; done waits for it.
func (r *Runner) render(ctx context.Context, a action.Attempt, file string) (done func() (*rendering, error)) {
	ctx, cancel := context.WithCancel(ctx)
	a = setAside(a)
	var result *rendering
	var err error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		result, err = r.rendered(ctx, a, file)
	}()
	return func() (*rendering, error) {
		// Compose has read the file by now, and this one would soon: it is not cut off.
		late := time.AfterFunc(keepTime, cancel)
		defer late.Stop()
		<-ended
		cancel()
		return result, err
	}
}

func (r *Runner) rendered(ctx context.Context, a action.Attempt, file string) (*rendering, error) {
	d := a.Job.Spec.Deploy
	marks, secrets := marksFor(d, rand.Text())
	spec := r.spec(a, file, append(append(base(d, file), "config", "--format=json", "--"), d.Services...))
	spec.Env = variables(d, func(secret string) (string, error) {
		for name, ref := range secrets {
			if ref == secret {
				return marks[name], nil
			}
		}
		return "", errors.New("not the job's")
	})
	out := &rendering{}
	err := r.capture(ctx, spec, func(stdout io.Reader) error {
		return json.NewDecoder(io.LimitReader(stdout, maxInspect)).Decode(&out.document)
	})
	if err != nil {
		return nil, fmt.Errorf("render the compose file: %w", err)
	}
	out.project, _ = out.document["name"].(string)
	if out.project == "" || services(out.document) == nil {
		return nil, errors.New("render the compose file: it names no project or has no services")
	}
	out.covered = slices.Sorted(maps.Keys(services(out.document)))
	if len(d.Services) > 0 && slices.Contains(d.ExtraArgs, "--no-deps") {
		out.covered = slices.DeleteFunc(out.covered, func(s string) bool { return !slices.Contains(d.Services, s) })
		maps.DeleteFunc(services(out.document), func(s string, _ any) bool { return !slices.Contains(out.covered, s) })
	}
	out.env = plainEnv(out.document, d)
	refer(out.document, marks, secrets)
	out.secrets = slices.Sorted(maps.Values(secrets))
	return out, nil
}

// keep writes the project down as it stands now, after a deploy of it was found good, and
// returns its revision: the last one when it is the same.
func (r *Runner) keep(ctx context.Context, a action.Attempt, file string, rendered *rendering) (*revisions.Revision, error) {
	ctx, cancel := context.WithTimeout(ctx, keepTime)
	defer cancel()
	containers, err := r.stand(ctx, a, rendered.project)
	if err != nil {
		return nil, err
	}
	last, err := r.revisions.Last(rendered.project)
	if err != nil {
		last = nil // what is not there, or damaged, has nothing to carry along
	}
	digests, err := r.digestsOf(ctx, a, containers, last)
	if err != nil {
		return nil, err
	}
	revision := &revisions.Revision{Workspace: a.Job.Namespace, Folder: filepath.Dir(file), Env: rendered.env}
	revision.Project = rendered.project
	revision.Document, revision.Services = revise(rendered.document, containers, digests)
	if len(revision.Services) == 0 {
		return nil, nil // nothing runs, so there is nothing to bring back
	}
	secrets := rendered.secrets
	if last != nil && r.belongs(last, revision.Workspace) {
		carry(revision, last, rendered.covered, containers)
		secrets = append(secrets, last.Secrets...)
	}
	revision.Secrets = referredSecrets(revision.Document, secrets)
	return r.add(ctx, a, revision)
}

// digestsOf are the names in their registries of the images that containers run, by ID.
// The engine is asked only about those that the last revision does not tell.
func (r *Runner) digestsOf(ctx context.Context, a action.Attempt, containers []engineContainer, last *revisions.Revision) (map[string]string, error) {
	known := map[string]string{}
	if last != nil {
		for _, s := range last.Services {
			known[s.ImageID] = s.Digest
		}
	}
	var ids []string
	for _, c := range containers {
		if _, ok := known[c.Image]; !ok && !slices.Contains(ids, c.Image) {
			ids = append(ids, c.Image)
		}
	}
	if len(ids) == 0 {
		return known, nil
	}
	asked, err := r.digests(ctx, a, ids)
	maps.Copy(known, asked)
	return known, err
}

// add keeps a revision and its images, unless the last one is the same.
func (r *Runner) add(ctx context.Context, a action.Attempt, revision *revisions.Revision) (*revisions.Revision, error) {
	if last, err := r.revisions.Last(revision.Project); err == nil && last.Same(revision) {
		return last, nil
	}
	revision.Time, revision.Job, revision.Attempt = metav1.Now(), a.Job.Name, strings.TrimSuffix(a.ID, aside)
	for _, id := range imageIDs(revision) {
		if err := r.inquire(ctx, a, ignoreOutput, "image", "tag", id, heldName(revision.Project, id)); err != nil {
			return nil, fmt.Errorf("hold image %s: %w", shortID(id), err)
		}
	}
	dropped, err := r.revisions.Add(revision)
	if err != nil {
		return nil, err
	}
	r.release(ctx, a, revision.Project, dropped)
	return revision, nil
}

// release lets go of images that no revision has any more. One that cannot be let go of
// stays: that costs room and nothing else.
func (r *Runner) release(ctx context.Context, a action.Attempt, project string, dropped []*revisions.Revision) {
	if len(dropped) == 0 {
		return
	}
	needed := map[string]bool{}
	numbers, err := r.revisions.Numbers(project)
	if err != nil {
		return
	}
	for _, n := range numbers {
		kept, err := r.revisions.Get(project, n)
		if err != nil {
			return // it may need any of them
		}
		for _, id := range imageIDs(kept) {
			needed[id] = true
		}
	}
	for _, gone := range dropped {
		for _, id := range imageIDs(gone) {
			if !needed[id] {
				needed[id] = true // once is enough
				_ = r.inquire(ctx, a, ignoreOutput, "image", "rm", heldName(project, id))
			}
		}
	}
}

func imageIDs(r *revisions.Revision) []string {
	var ids []string
	for _, s := range r.Services {
		ids = append(ids, s.ImageID)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// heldName is the tag that keeps an image of a revision from `docker image prune`, once
// its own name has moved on. A tag has at most 128 characters.
func heldName(project, id string) string {
	_, hex, _ := strings.Cut(id, ":")
	return "jobwright-kept:" + project[:min(len(project), 80)] + "." + hex[:min(len(hex), 40)]
}

func ignoreOutput(stdout io.Reader) error {
	_, err := io.Copy(io.Discard, stdout)
	return err
}

// belongs reports whether a revision is a workspace's own: not that of another, nor of one
// that had its name and was deleted.
func (r *Runner) belongs(rev *revisions.Revision, workspace string) bool {
	if rev.Workspace != workspace {
		return false
	}
	if r.since == nil {
		return true
	}
	created, err := r.since(workspace)
	return err == nil && !rev.Time.Time.Before(created)
}

// withResult adds to what an outcome reports as its result.
func withResult(o action.Outcome, add map[string]any) action.Outcome {
	result := map[string]any{}
	if o.Result != nil {
		if value, err := o.Result.Value(); err == nil {
			if known, ok := value.(map[string]any); ok {
				result = known
			}
		}
	}
	maps.Copy(result, add)
	if encoded, err := v1.NewJSON(result); err == nil {
		o.Result = &encoded
	}
	return o
}
