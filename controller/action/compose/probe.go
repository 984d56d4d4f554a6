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

// reachTime bounds how long the engine may take to tell its version.
const reachTime = 5 * time.Second

// hashLabel is where compose keeps the hash of the configuration that a container was
// made from (https://github.com/docker/compose, pkg/api/labels.go).
const hashLabel = "com.docker.compose.config-hash"

// probe reports whether the project already is as the deploy asks. It says so only where
// that can be proven: for up, when every asked service has a container made from the
// present configuration and all of them run; for down and stop, when nothing of
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
		m, err := r.model(ctx, a, file) // the hash of a service leaves out how many there are
		if err != nil {
			return nil, false, err
		}
		replicas := map[string]int{}
		for name, service := range m.Services {
			replicas[name] = service.replicas()
		}
		return containers, upToDate(hashes, replicas, containers), nil
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

// upToDate reports whether every service has all its containers, each of the present
// configuration, running and healthy. A container that has ended proves nothing, even
// with exit code 0: it may have been stopped before the deploy was asked for.
func upToDate(hashes map[string]string, replicas map[string]int, containers []container) bool {
	for _, c := range containers {
		if c.State != "running" || c.label(hashLabel) != hashes[c.Service] {
			return false
		}
	}
	for service := range hashes {
		made := 0
		for _, c := range containers {
			if c.Service == service {
				made++
			}
		}
		if made != replicas[service] {
			return false
		}
	}
	return len(hashes) > 0 && settled(containers)
}

// reachable reports whether the docker engine answers.
func (r *Runner) reachable(ctx context.Context, a action.Attempt) error {
	return r.query(ctx, a, "/", []string{"version", "--format={{.Server.Version}}"}, ignoreOutput)
}
