package engine

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// inspectTries is how often a list of containers is read again, because one of them went
// between the list and its inspection.
const inspectTries = 3

// Project lists and changes the containers of one compose project.
type Project struct {
	Docker Docker
	// Attempt is the identity that the queries carry, each with an addition of its own.
	Attempt string
	Name    string

	skew     time.Duration
	baseline map[string]int
}

// SetClock reads the engine's time. Containers are judged by how long they run, and the
// engine may be another machine.
func (p *Project) SetClock(ctx context.Context) error {
	return p.Docker.Ask(ctx, p.Attempt, func(r io.Reader) error {
		text, err := io.ReadAll(io.LimitReader(r, 1<<10))
		if err != nil {
			return err
		}
		at, err := time.Parse(time.RFC3339Nano, strings.TrimSpace(string(text)))
		if err != nil {
			return fmt.Errorf("docker info: the engine's time: %w", err)
		}
		p.skew = time.Until(at)
		return nil
	}, "info", "--format={{.SystemTime}}")
}

// Now is the engine's time, after SetClock.
func (p *Project) Now() time.Time { return p.Engine(time.Now()) }

// Engine is a time of this host by the engine's clock, after SetClock.
func (p *Project) Engine(t time.Time) time.Time { return t.Add(p.skew) }

// Baseline makes Restarts of those containers count from now on.
func (p *Project) Baseline(containers []Container) {
	p.baseline = map[string]int{}
	for _, c := range containers {
		p.baseline[c.ID] += c.Restarts
	}
}

// Containers are the project's, whatever their state, sorted by name. Containers of docker
// compose run are left out.
func (p *Project) Containers(ctx context.Context) ([]Container, error) {
	for try := 1; ; try++ {
		ids, err := p.Docker.Lines(ctx, p.Attempt, "ps", "--all", "--no-trunc", "--quiet", "--filter=label="+projectLabel+"="+p.Name)
		if err != nil || len(ids) == 0 {
			return nil, err
		}
		var out []Container
		err = p.Docker.Ask(ctx, p.Attempt, func(r io.Reader) (err error) {
			out, err = parseContainers(r)
			return err
		}, append([]string{"container", "inspect", "--format={{json .}}", "--"}, ids...)...)
		if err == nil {
			return p.sinceBaseline(out), nil
		}
		if try > inspectTries || ctx.Err() != nil {
			return nil, err
		}
	}
}

func (p *Project) sinceBaseline(containers []Container) []Container {
	for i, c := range containers {
		// The engine counts anew when a container is started by hand.
		if before := p.baseline[c.ID]; c.Restarts >= before {
			containers[i].Restarts -= before
		}
	}
	slices.SortFunc(containers, func(a, b Container) int { return cmp.Compare(a.Name, b.Name) })
	return containers
}

// Do runs docker with args for what it does.
func (p *Project) Do(ctx context.Context, args ...string) error {
	return p.Docker.Do(ctx, p.Attempt, args...)
}

// Owned are the names of the project's networks or volumes; kind is network or volume.
func (p *Project) Owned(ctx context.Context, kind string) ([]string, error) {
	names, err := p.Docker.Lines(ctx, p.Attempt, kind, "ls", "--filter=label="+projectLabel+"="+p.Name, "--format={{.Name}}")
	slices.Sort(names)
	return names, err
}
