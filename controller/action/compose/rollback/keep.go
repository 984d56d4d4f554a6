package rollback

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/compose/engine"
	"jobwright.dev/controller/action/compose/revisions"
)

// keepTime bounds how long it may take to write down what was found good: some questions
// to an engine that has just answered.
const keepTime = 30 * time.Second

// Deployed is what a deploy has brought about.
type Deployed struct {
	// Project is the project's name, Folder that of its compose file.
	Project, Folder string
	// Containers are all of the project, as they were judged good.
	Containers []engine.Container
	// Document is the compose file as rendered, with references for secrets.
	Document map[string]any
	// Covered are the services that the deploy was about.
	Covered []string
	// Secrets are those that the document's variables may refer to, Env the plain
	// variables that its secrets and configs name.
	Secrets []string
	Env     map[string]string
	// Files are the files beside the compose file that services read or mount.
	Files []revisions.File
	// Private are the values that no reader of the revision gets.
	Private []string
}

// Keep writes a project down as it stands now, after a deploy of it was found good, and
// returns its revision: the last one when it is the same, nil when nothing runs. attempt is
// the ID to write down.
func (r Restorer) Keep(ctx context.Context, a action.Attempt, attempt string, d Deployed) (*revisions.Revision, error) {
	ctx, cancel := context.WithTimeout(ctx, keepTime)
	defer cancel()
	containers := d.Containers
	last, err := r.Revisions.Last(d.Project)
	if err != nil {
		last = nil // what is not there, or damaged, has nothing to carry along
	}
	digests, err := r.digestsOf(ctx, a, containers, last)
	if err != nil {
		return nil, err
	}
	revision := &revisions.Revision{Workspace: a.Job.Namespace, Folder: d.Folder, Env: d.Env, Private: d.Private, Files: d.Files}
	revision.Project = d.Project
	revision.Document, revision.Services = revisions.Revise(d.Document, containers, digests)
	if len(revision.Services) == 0 {
		return nil, nil // nothing runs, so there is nothing to bring back
	}
	secrets := d.Secrets
	if last != nil && r.Belongs(last, revision.Workspace) {
		revisions.Carry(revision, last, d.Covered, containers)
		secrets = append(secrets, last.Secrets...)
	}
	revision.Secrets = revisions.ReferredSecrets(revision.Document, secrets)
	return r.Add(ctx, a, attempt, revision)
}

// KeepRestored keeps a project after a rollback as a revision of its own, so that the last
// good one is again what runs. services limits the rollback; none: all of wanted.
func (r Restorer) KeepRestored(ctx context.Context, a action.Attempt, wanted, newest *revisions.Revision, limited []string) (*revisions.Revision, error) {
	if wanted.Number == newest.Number {
		return newest, nil
	}
	ctx, cancel := context.WithTimeout(ctx, keepTime)
	defer cancel()
	containers, err := r.project(a, wanted.Project).Containers(ctx)
	if err != nil {
		return nil, err
	}
	running := engine.ByService(containers)
	revision := &revisions.Revision{Workspace: wanted.Workspace, Folder: wanted.Folder, Env: wanted.Env, Private: wanted.Private, Files: wanted.Files, Document: wanted.Document}
	revision.Project, revision.RollbackOf = wanted.Project, wanted.Number
	covered := []string{}
	for _, service := range wanted.Services {
		if len(limited) > 0 && !slices.Contains(limited, service.Name) {
			delete(revisions.Services(revision.Document), service.Name)
			continue
		}
		covered = append(covered, service.Name)
		if own := running[service.Name]; len(own) > 0 {
			service.ConfigHash = own[0].ConfigHash
		}
		revision.Services = append(revision.Services, service)
	}
	revisions.Carry(revision, newest, covered, containers)
	revisions.Prune(revision.Document)
	revision.Secrets = revisions.ReferredSecrets(revision.Document, append(slices.Clone(wanted.Secrets), newest.Secrets...))
	return r.Add(ctx, a, a.ID, revision)
}

// digestsOf are the names in their registries of the images that containers run, by ID.
// The engine is asked only about those that the last revision does not tell.
func (r Restorer) digestsOf(ctx context.Context, a action.Attempt, containers []engine.Container, last *revisions.Revision) (map[string]string, error) {
	known := map[string]string{}
	if last != nil {
		for _, s := range last.Services {
			known[s.ImageID] = s.Digest
		}
	}
	var ids []string
	for _, c := range containers {
		if _, ok := known[c.ImageID]; !ok && !slices.Contains(ids, c.ImageID) {
			ids = append(ids, c.ImageID)
		}
	}
	if len(ids) == 0 {
		return known, nil
	}
	asked, err := r.Docker.Digests(ctx, a.ID, ids)
	maps.Copy(known, asked)
	return known, err
}

// Add keeps a revision and its images, unless the last one is the same.
func (r Restorer) Add(ctx context.Context, a action.Attempt, attempt string, revision *revisions.Revision) (*revisions.Revision, error) {
	if last, err := r.Revisions.Last(revision.Project); err == nil && last.Same(revision) {
		return last, nil
	}
	revision.Time, revision.Job, revision.Attempt = metav1.Now(), a.Job.Name, attempt
	for _, id := range imageIDs(revision) {
		if err := r.Docker.Do(ctx, a.ID, "image", "tag", id, HeldName(revision.Project, id)); err != nil {
			return nil, fmt.Errorf("hold image %s: %w", engine.ShortID(id), err)
		}
	}
	for i, f := range revision.Files {
		if err := r.Revisions.KeepFile(revision.Project, f); err != nil && !r.Revisions.HasFile(revision.Project, f) {
			revision.Files[i].Unkept = err.Error()
		}
	}
	dropped, err := r.Revisions.Add(revision)
	if err != nil {
		return nil, err
	}
	r.release(ctx, a, revision.Project, dropped)
	return revision, nil
}
