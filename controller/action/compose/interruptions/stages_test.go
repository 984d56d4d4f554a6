package interruptions

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	v1 "jobwright.dev/api/v1"
)

// stage is where a deploy is when it is interrupted. arm prepares the second version
// and returns what tells that the stage is reached, and what lets it go on.
type stage struct {
	arm func(c *cell) (reached func() bool, release func())
	// first is the command of the version before; empty: serve.
	first string
	// limits are those that the deploy has when its own limit is the interruption, with the
	// command that never comes to an end; nil: the stage has no limit of its own.
	limits *v1.DeployLimits
	// bad tells that the second version cannot work.
	bad bool
}

var (
	createPath = regexp.MustCompile(`/containers/create$`)
	stopPath   = regexp.MustCompile(`/containers/[^/]+/stop$`)
)

// stages are the rows of the matrix.
var stages = map[string]stage{
	"pull": {limits: &v1.DeployLimits{PullSeconds: new(int32(2))}, arm: func(c *cell) (func() bool, func()) {
		r := newRegistry(c.t, c.engine.listen, c.built.layer)
		c.images = append(c.images, r.ref())
		c.second("serve", "image: '"+r.ref()+"'", "")
		return closed(r.reached), sync.OnceFunc(func() { close(r.release) })
	}},
	"build": {limits: &v1.DeployLimits{BuildSeconds: new(int32(2))}, arm: func(c *cell) (func() bool, func()) {
		c.write("Dockerfile", fmt.Sprintf("FROM %s\nLABEL jobwright.test=%s\nRUN [\"/app\", \"sleep\", \"5\"]\n", image, c.project))
		c.images = append(c.images, c.project+":built")
		c.second("serve", "image: '"+c.project+":built', build: .", "")
		return func() bool { return len(c.builders()) > 0 }, func() {}
	}},
	"create": {arm: func(c *cell) (func() bool, func()) {
		tr := c.gate.trap(&trap{method: http.MethodPost, path: createPath, body: `"com.docker.compose.service":"more"`})
		c.write("compose.yml", c.service("web", "serve", "1", own1, "")+c.service("more", "serve", "2", own1, ""))
		return closed(tr.reached), sync.OnceFunc(func() { close(tr.release) })
	}},
	// The old container drains meanwhile.
	"recreate": {first: "drain, '4'", arm: func(c *cell) (func() bool, func()) {
		tr := c.gate.trap(&trap{method: http.MethodPost, path: stopPath, forward: true})
		c.second("serve", own1, "")
		return closed(tr.reached), func() {}
	}},
	"health wait": {limits: &v1.DeployLimits{HealthSeconds: new(int32(3))}, arm: func(c *cell) (func() bool, func()) {
		if c.cause.limit {
			c.health.Services = map[string]v1.ServiceHealth{"web": {Expect: v1.ExpectCompleted}}
			c.second("serve", own1, "")
		} else {
			c.second("ready, '4'", own1, ", healthcheck: {test: [CMD, /app, check], interval: 1s, timeout: 1s, retries: 3, start_period: 30s}")
		}
		return c.at("compose:health"), func() {}
	}},
	"probe": {limits: &v1.DeployLimits{HealthSeconds: new(int32(3))}, arm: func(c *cell) (func() bool, func()) {
		released := make(chan struct{})
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if !closed(released)() {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		}))
		c.t.Cleanup(server.Close)
		c.health.Probe = &v1.HTTPProbe{URL: server.URL}
		c.second("serve", own1, "")
		return c.at("compose:probe"), sync.OnceFunc(func() { close(released) })
	}},
	"rollback": {bad: true, arm: func(c *cell) (func() bool, func()) {
		tr := c.gate.trap(&trap{method: http.MethodPost, path: createPath, body: `"VERSION=1"`})
		c.second("fail", own1, "")
		return closed(tr.reached), sync.OnceFunc(func() { close(tr.release) })
	}},
}

// own1 is the image that needs no pull.
var own1 = "image: '" + image + "', pull_policy: never"

// closed reports whether a channel is closed.
func closed(c <-chan struct{}) func() bool {
	return func() bool {
		select {
		case <-c:
			return true
		default:
			return false
		}
	}
}

// at reports whether the second deploy is at a step.
func (c *cell) at(step string) func() bool {
	return func() bool { return strings.HasPrefix(c.server.job("second").Status.Step, step) }
}

// service is one service of a compose file.
func (c *cell) service(name, command, version, image, more string) string {
	return fmt.Sprintf("  %s: {%s, command: [%s], environment: {VERSION: '%s'}, network_mode: none, stop_grace_period: 30s%s}\n", name, image, command, version, more)
}

// second writes the second version of the project.
func (c *cell) second(command, image, more string) {
	c.write("compose.yml", c.service("web", command, "2", image, more))
}

// write writes a file of the project; compose.yml gets its beginning.
func (c *cell) write(name, text string) {
	c.t.Helper()
	if name == "compose.yml" {
		text = "name: " + c.project + "\nservices:\n" + text
	}
	if err := os.WriteFile(filepath.Join(c.dir, "root", name), []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// builders are the containers that a build runs in.
func (c *cell) builders() []string {
	var out []string
	for line := range strings.Lines(c.engine.docker("ps", "--all", "--filter=label=jobwright.test="+c.project, `--format={{.ID}} {{.Label "com.docker.compose.project"}}`)) {
		if fields := strings.Fields(line); len(fields) == 1 { // what was built runs in the project
			out = append(out, fields[0])
		}
	}
	return out
}

func cleanImages(t *testing.T, e *engine, names []string) {
	t.Helper()
	for _, name := range names {
		if e.docker("images", "--quiet", name) != "" {
			e.docker("image", "rm", "--force", name)
		}
	}
}
