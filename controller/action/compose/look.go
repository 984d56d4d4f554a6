package compose

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"jobwright.dev/controller/action"
)

// The labels by which compose knows its containers
// (https://github.com/docker/compose, pkg/api/labels.go).
const (
	projectLabel = "com.docker.compose.project"
	serviceLabel = "com.docker.compose.service"
	oneoffLabel  = "com.docker.compose.oneoff"
)

const (
	// maxEngineAnswer bounds what is read of the engine's answer: some 10 KiB for each
	// container, of which nobody deploys a thousand in one project.
	maxEngineAnswer = 64 << 20
	// maxCheck is how much of a health check's output is told.
	maxCheck = 300
)

// published is where a container's port can be reached.
type published struct {
	address netip.Addr
	port    uint16
}

// lookout asks the docker engine about the containers of one project.
type lookout struct {
	r       *Runner
	a       action.Attempt
	project string
	// skew is what the engine's clock is ahead of ours.
	skew time.Duration
	// restarts are those that a container had when the deploy began, by its ID.
	restarts map[string]int
}

// now is the engine's time.
func (e *lookout) now() time.Time { return time.Now().Add(e.skew) }

// setClock asks for the engine's time. Containers are judged by how long they run, and
// the engine may be another machine.
func (e *lookout) setClock(ctx context.Context) error {
	return e.ask(ctx, []string{"info", "--format={{.SystemTime}}"}, func(r io.Reader) error {
		text, err := io.ReadAll(io.LimitReader(r, 1<<10))
		if err != nil {
			return err
		}
		at, err := time.Parse(time.RFC3339Nano, strings.TrimSpace(string(text)))
		if err != nil {
			return fmt.Errorf("docker info: %w", err)
		}
		e.skew = time.Until(at)
		return nil
	})
}

// look is what the project's containers are now.
func (e *lookout) look(ctx context.Context) ([]observed, error) {
	// A container that goes between the list and the look at it is looked for again.
	for tries := 3; ; tries-- {
		var ids []string
		err := e.ask(ctx, []string{"ps", "--all", "--no-trunc", "--quiet", "--filter=label=" + projectLabel + "=" + e.project}, func(r io.Reader) error {
			scanner := bufio.NewScanner(io.LimitReader(r, maxEngineAnswer))
			for scanner.Scan() {
				ids = append(ids, scanner.Text())
			}
			return scanner.Err()
		})
		if err != nil || len(ids) == 0 {
			return nil, err
		}
		var seen []observed
		err = e.ask(ctx, append([]string{"container", "inspect", "--format={{json .}}", "--"}, ids...), func(r io.Reader) error {
			seen, err = e.parse(io.LimitReader(r, maxEngineAnswer))
			return err
		})
		if err == nil || tries == 0 || ctx.Err() != nil {
			return seen, err
		}
	}
}

// inspected is what docker inspect says of a container, as far as it matters.
type inspected struct {
	ID    string `json:"Id"`
	Name  string
	State struct {
		Status    string
		OOMKilled bool
		Error     string
		ExitCode  int
		StartedAt time.Time
		Health    *struct {
			Status string
			Log    []struct{ Output string }
		}
	}
	RestartCount int
	HostConfig   struct{ RestartPolicy struct{ Name string } }
	Config       struct {
		Image  string
		Labels map[string]string
	}
	NetworkSettings struct {
		Ports map[string][]struct{ HostIP, HostPort string }
	}
}

// parse reads one container a line. Containers of `docker compose run` are none of the
// deploy.
func (e *lookout) parse(r io.Reader) ([]observed, error) {
	var out []observed
	for decoder := json.NewDecoder(r); ; {
		var c inspected
		if err := decoder.Decode(&c); err == io.EOF {
			return out, nil
		} else if err != nil {
			return nil, fmt.Errorf("docker container inspect: %w", err)
		}
		if c.Config.Labels[oneoffLabel] == "True" {
			continue
		}
		o := observed{
			ID: c.ID, Name: strings.TrimPrefix(c.Name, "/"), Service: c.Config.Labels[serviceLabel], Image: c.Config.Image,
			Status: c.State.Status, Error: c.State.Error, ExitCode: c.State.ExitCode, OOMKilled: c.State.OOMKilled,
			Policy: c.HostConfig.RestartPolicy.Name, StartedAt: c.State.StartedAt, Restarts: c.RestartCount,
		}
		if h := c.State.Health; h != nil && h.Status != "none" {
			o.Health = h.Status
			if len(h.Log) > 0 {
				o.Check = clip(strings.Join(strings.Fields(h.Log[len(h.Log)-1].Output), " "), maxCheck)
			}
		}
		// The engine counts anew when a container is started by hand.
		if before := e.restarts[c.ID]; o.Restarts >= before {
			o.Restarts -= before
		}
		for _, bindings := range c.NetworkSettings.Ports {
			for _, b := range bindings {
				port, err := strconv.ParseUint(b.HostPort, 10, 16)
				address, _ := netip.ParseAddr(b.HostIP) // none: every address
				if err == nil {
					o.Ports = append(o.Ports, published{address, uint16(port)})
				}
			}
		}
		out = append(out, o)
	}
}

// ask runs docker for its output, beside the docker compose of the attempt.
func (e *lookout) ask(ctx context.Context, args []string, read func(io.Reader) error) error {
	return e.r.inquire(ctx, e.a, read, args...)
}

// do runs docker for what it does.
func (e *lookout) do(ctx context.Context, args ...string) error {
	return e.ask(ctx, args, ignoreOutput)
}

// beside is an identity for a process that runs beside an attempt's docker compose.
func beside(attempt string) string { return attempt + "+" + rand.Text() }

// clip cuts a text to at most n bytes, at a rune's edge.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
