package compose

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
)

// probeTime bounds how long the engine is asked about a project: a hung engine must not
// keep a job from being tried again.
const probeTime = 30 * time.Second

// hashLabel is where compose keeps the hash of the configuration that a container was
// made from (https://github.com/docker/compose, pkg/api/labels.go).
const hashLabel = "com.docker.compose.config-hash"

// probe reports whether the project already is as the deploy asks. It says so only where
// that can be proven: for up, when every asked service has a container made from the
// present configuration and all of them have settled; for down and stop, when nothing of
// it is there or runs. Flags that ask for more than a state (--force-recreate, --build …)
// are never found fulfilled.
func (r *Runner) probe(ctx context.Context, a action.Attempt) ([]container, bool, error) {
	d := a.Job.Spec.Deploy
	if d.Verb != v1.DeployUp && d.Verb != v1.DeployDown && d.Verb != v1.DeployStop || asksForMore(d) {
		return nil, false, nil
	}
	file, err := find(r.roots, d)
	if err != nil {
		return nil, false, err
	}
	containers, err := r.containers(ctx, a, file)
	if err != nil {
		return nil, false, err
	}
	switch d.Verb {
	case v1.DeployDown:
		return containers, len(containers) == 0, nil
	case v1.DeployStop:
		runs := slices.ContainsFunc(containers, func(c container) bool { return c.State != "exited" && c.State != "created" })
		return containers, !runs, nil
	default:
		hashes, err := r.hashes(ctx, a, file)
		if err != nil {
			return nil, false, err
		}
		return containers, upToDate(hashes, containers), nil
	}
}

// asksForMore reports whether a flag asks for something to be done, and not only for a
// state.
func asksForMore(d *v1.DeployAction) bool {
	for i, arg := range d.ExtraArgs {
		name, _, _ := strings.Cut(arg, "=")
		switch name {
		case "-d", "--detach", "--wait", "--wait-timeout", "--timeout", "-t", "--quiet-pull":
		default:
			value := i > 0 && slices.Contains([]string{"--wait-timeout", "--timeout", "-t"}, d.ExtraArgs[i-1])
			if !value {
				return true
			}
		}
	}
	return false
}

// hashes are those of the configuration as it is in the file now, by service; only the
// asked services, where some are named.
func (r *Runner) hashes(ctx context.Context, a action.Attempt, file string) (map[string]string, error) {
	d := a.Job.Spec.Deploy
	asked := "*"
	if len(d.Services) > 0 {
		asked = strings.Join(d.Services, ",")
	}
	hashes := map[string]string{}
	err := r.query(ctx, a, file, append(base(d, file), "config", "--hash", asked), func(stdout io.Reader) error {
		scanner := bufio.NewScanner(stdout)
		for scanner.Scan() {
			service, hash, ok := strings.Cut(strings.TrimSpace(scanner.Text()), " ")
			if !ok {
				return fmt.Errorf("docker compose config --hash said %q", scanner.Text())
			}
			hashes[service] = hash
		}
		return scanner.Err()
	})
	return hashes, err
}

// upToDate reports whether every service has a container of its present configuration,
// and every container has settled.
func upToDate(hashes map[string]string, containers []container) bool {
	if len(hashes) == 0 || !settled(containers) {
		return false
	}
	for service, hash := range hashes {
		made := slices.ContainsFunc(containers, func(c container) bool { return c.Service == service && c.label(hashLabel) == hash })
		stale := slices.ContainsFunc(containers, func(c container) bool { return c.Service == service && c.label(hashLabel) != hash })
		if !made || stale {
			return false
		}
	}
	return true
}
