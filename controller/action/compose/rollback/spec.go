package rollback

import (
	"bufio"
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"

	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/compose/revisions"
	"jobwright.dev/controller/action/process"
)

// Spec runs docker compose with args over a revision's file, with its secrets as they are
// now. All that the file says stands in it, so no .env of the project is read.
func (r Restorer) Spec(a action.Attempt, rev *revisions.Revision, args ...string) (process.Spec, error) {
	file, err := r.file(rev, r.copiesFor(rev))
	if err != nil {
		return process.Spec{}, err
	}
	base := []string{
		"compose", "--ansi=never", "--progress=json", "--file=" + file,
		"--project-name=" + rev.Project, "--project-directory=" + rev.Folder, "--env-file=/dev/null",
	}
	spec := process.Spec{Path: r.Docker.Program, Args: append(base, args...), Dir: "/", Worker: r.Docker.Worker, Attempt: a.ID}
	for _, name := range slices.Sorted(maps.Keys(rev.Env)) {
		spec.Env = append(spec.Env, name+"="+rev.Env[name])
	}
	for _, secret := range rev.Secrets {
		value, err := r.Secrets.Lookup(rev.Workspace, secret)
		if err != nil && !r.Belongs(rev, a.Job.Namespace) {
			return spec, errors.New("a secret that it refers to cannot be read; the server's operator can tell which")
		}
		if err != nil {
			return spec, err
		}
		spec.Env = append(spec.Env, revisions.Variable(secret)+"="+value)
	}
	return spec, nil
}

// hashes are compose's hashes of a revision's services.
func (r Restorer) hashes(ctx context.Context, a action.Attempt, rev *revisions.Revision) (map[string]string, error) {
	spec, err := r.Spec(a, rev, "config", "--hash=*")
	if err != nil {
		return nil, err
	}
	hashes := map[string]string{}
	err = r.Docker.Output(ctx, spec, func(stdout io.Reader) error {
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
