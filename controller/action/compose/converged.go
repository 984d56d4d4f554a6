package compose

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// container is what `docker compose ps --all --format=json` says of one container.
type container struct {
	Name     string `json:"Name"`
	Service  string `json:"Service"`
	State    string `json:"State"`
	Health   string `json:"Health"`
	ExitCode int    `json:"ExitCode"`
	Labels   string `json:"Labels,omitempty"`
}

// label is the value of one of the container's labels, which compose prints as one
// text; empty: it has none of that name.
func (c container) label(name string) string {
	for pair := range strings.SplitSeq(c.Labels, ",") {
		if value, ok := strings.CutPrefix(pair, name+"="); ok {
			return value
		}
	}
	return ""
}

// parseContainers reads one JSON object a line.
func parseContainers(r io.Reader) ([]container, error) {
	var out []container
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, 4<<20)
	for scanner.Scan() {
		line := strings.TrimSpace(scanner.Text())
		if line == "" {
			continue
		}
		var c container
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			return nil, fmt.Errorf("docker compose ps: %w", err)
		}
		out = append(out, c)
	}
	return out, scanner.Err()
}

// settled reports whether every container is as an `up` wants it: running and, where it
// has a health check, healthy; or ended with exit code 0, as one-shot containers do.
func settled(containers []container) bool {
	for _, c := range containers {
		running := c.State == "running" && (c.Health == "" || c.Health == "healthy")
		ended := c.State == "exited" && c.ExitCode == 0
		if !running && !ended {
			return false
		}
	}
	return len(containers) > 0
}

// unsettled says what is wrong with the containers that are not as wanted.
func unsettled(containers []container) string {
	var out []string
	for _, c := range containers {
		if settled([]container{c}) {
			continue
		}
		state := c.State
		if c.Health != "" {
			state += ", " + c.Health
		}
		if c.State == "exited" || c.State == "restarting" {
			state += fmt.Sprintf(", exit code %d", c.ExitCode)
		}
		out = append(out, fmt.Sprintf("%s (%s)", c.Name, state))
	}
	return strings.Join(out, ", ")
}
