// Package interruptions proves, on a real engine and with the real server, what a deploy
// leaves when it is interrupted: whatever interrupts it, at whatever stage it is.
//
// Each cell of the matrix deploys a good version, deploys a second one with rollback
// OnFailure, interrupts it at a stage, waits for the job's end, and looks:
//
//  1. no false success: Succeeded means that the second version runs, and was judged;
//  2. no service is down that had a good version, and the first version is back
//     whenever the job did not succeed;
//  3. no container is left over, no process, and no record of a deploy under way;
//  4. what was judged bad is not deployed once more.
package interruptions

import (
	"fmt"
	"hash/crc32"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	v1 "jobwright.dev/api/v1"
)

// quick are the cells of an ordinary test run: each cause that needs no engine of its own
// once. JOBWRIGHT_TEST_INTERRUPTIONS=all runs the whole matrix.
var quick = []string{
	"server killed at rollback", "SIGTERM at health wait", "engine's socket cut at recreate",
	"the stage's limit at pull", "the job's time at probe", "cancel at create",
}

// cell is one field of the matrix.
type cell struct {
	t       *testing.T
	stage   stage
	cause   cause
	built   built
	dir     string
	project string
	engine  *engine
	gate    *gate
	server  *server
	health  *v1.DeployHealth // of the second version
	images  []string         // to remove at the end
	release func()
	output  string // the second deploy's log
}

// TestInterruptedDeploys tries the matrix.
func TestInterruptedDeploys(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the product")
	}
	for _, why := range slices.Sorted(maps.Keys(causes)) {
		for _, where := range slices.Sorted(maps.Keys(stages)) {
			name := why + " at " + where
			if !whole() && !slices.Contains(quick, name) || causes[why].limit && stages[where].limits == nil {
				continue
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel() // they wait, mostly
				try(t, name, causes[why], stages[where])
			})
		}
	}
}

// whole reports whether the whole matrix is wanted.
func whole() bool { return os.Getenv("JOBWRIGHT_TEST_INTERRUPTIONS") == "all" }

func try(t *testing.T, name string, why cause, where stage) {
	b, err := build()
	if err != nil {
		t.Fatal(err)
	}
	c := &cell{
		t: t, stage: where, cause: why, built: b, dir: t.TempDir(),
		project: fmt.Sprintf("jwint-%d-%08x", os.Getpid(), crc32.ChecksumIEEE([]byte(name))),
		health:  &v1.DeployHealth{StableSeconds: new(int32(1))},
	}
	if err := os.Mkdir(filepath.Join(c.dir, "root"), 0o700); err != nil {
		t.Fatal(err)
	}
	if why.restarts {
		c.engine = own(t)
	} else {
		c.engine = shared(t)
		t.Cleanup(c.clean)
	}
	c.engine.need(b)
	c.gate = newGate(t, c.engine.socket)
	c.server = &server{t: t, program: b.dir, dir: c.dir, host: "unix://" + c.gate.socket}
	c.server.start()
	t.Cleanup(func() { c.server.end(syscall.SIGKILL) })

	command := "serve"
	if where.first != "" {
		command = where.first
	}
	c.write("compose.yml", c.service("web", command, "1", own1, ""))
	c.server.create("first", &v1.DeployAction{Verb: v1.DeployUp, Health: &v1.DeployHealth{StableSeconds: new(int32(1))}})
	if job := c.server.finished("first"); job.Status.Phase != v1.JobSucceeded {
		t.Fatalf("the first version: %s %s", job.Status.Reason, job.Status.Message)
	}
	before := c.standing()

	reached, release := where.arm(c)
	c.release = release
	deploy := &v1.DeployAction{Verb: v1.DeployUp, Rollback: v1.RollbackOnFailure, Health: c.health}
	if why.limit {
		deploy.Limits = where.limits
	}
	c.server.create("second", deploy)
	c.server.until("the stage is reached", func() bool {
		if job := c.server.job("second"); job.Status.Phase.Terminal() && !reached() {
			t.Fatalf("the deploy has ended before: %s %s\n%s", job.Status.Reason, job.Status.Message, c.server.output("second"))
		}
		return reached()
	})
	struck := c.gate.created(`"VERSION=2"`)
	why.strike(c)
	job := c.server.finished("second")
	release()
	c.judge(job, before)
	if again := c.gate.created(`"VERSION=2"`) - struck; where.bad && again > 0 {
		t.Errorf("what was judged bad was deployed %d times more", again)
	}
	t.Logf("cell: %s: %s %s after %d attempts", name, job.Status.Phase, job.Status.Reason, job.Status.Attempts)
	if t.Failed() || whole() {
		t.Logf("%s\n%s", job.Status.Message, c.output)
	}
}

// container is what stands, as far as the cells look.
type container struct{ id, name, status, version string }

// standing are the project's containers.
func (c *cell) standing() []container {
	c.t.Helper()
	ids := strings.Fields(c.engine.docker("ps", "--all", "--quiet", "--no-trunc", "--filter=label=com.docker.compose.project="+c.project))
	if len(ids) == 0 {
		return nil
	}
	var out []container
	for line := range strings.Lines(c.engine.docker(append([]string{"inspect", "--format={{.Id}} {{.Name}} {{.State.Status}} {{.Config.Env}}"}, ids...)...)) {
		fields := strings.Fields(line)
		found := container{id: fields[0], name: strings.TrimPrefix(fields[1], "/"), status: fields[2]}
		_, after, _ := strings.Cut(line, "VERSION=")
		found.version = after[:min(len(after), 1)]
		out = append(out, found)
	}
	slices.SortFunc(out, func(a, b container) int { return strings.Compare(a.name, b.name) })
	return out
}

// judge compares what stands at the job's end with what the job says.
func (c *cell) judge(job *v1.Job, before []container) {
	c.t.Helper()
	// What was asked to stop, and drains, ends within this time if nothing has seen to it.
	settle := time.NewTimer(time.Second)
	if c.stage.first != "" {
		settle.Reset(5 * time.Second)
	}
	<-settle.C
	now := c.standing()
	want := []container{{name: c.project + "-web-1", status: "running", version: "1"}}
	if job.Status.Phase == v1.JobSucceeded {
		if !c.cause.again && c.cause.limit || c.stage.bad {
			c.t.Errorf("the deploy succeeded and could not")
		}
		want = c.asked()
	}
	got := slices.Clone(now)
	for i := range got {
		got[i].id = ""
	}
	if !slices.Equal(got, want) {
		c.t.Errorf("%s/%s, and there is %+v, want %+v", job.Status.Phase, job.Status.Reason, got, want)
	}
	if touched := c.stage.first != "" || c.stage.bad; job.Status.Phase != v1.JobSucceeded && !touched && len(now) == 1 && len(before) == 1 && !c.replaces() && now[0].id != before[0].id {
		c.t.Errorf("the first version was made anew though nothing had replaced it")
	}
	c.output = c.server.output("second")
	c.nothingLeft()
}

// asked is what the second version is.
func (c *cell) asked() []container {
	out := []container{}
	text, err := os.ReadFile(filepath.Join(c.dir, "root", "compose.yml"))
	if err != nil {
		c.t.Fatal(err)
	}
	for _, service := range []string{"more", "web"} {
		_, own, ok := strings.Cut(string(text), "  "+service+": ")
		if !ok {
			continue
		}
		_, version, _ := strings.Cut(own, "VERSION: '")
		out = append(out, container{name: c.project + "-" + service + "-1", status: "running", version: version[:1]})
	}
	return out
}

// replaces reports whether the stage comes after the old container is gone.
func (c *cell) replaces() bool { return c.stage.limits != nil && c.stage.limits.HealthSeconds != nil }

// nothingLeft looks for records, processes and containers of builds.
func (c *cell) nothingLeft() {
	c.t.Helper()
	records, err := filepath.Glob(filepath.Join(c.dir, "data", "*", ".un*", "*.json"))
	if err != nil {
		c.t.Fatal(err)
	}
	if len(records) > 0 {
		text, _ := os.ReadFile(records[0]) // for the message alone
		c.t.Errorf("records are left: %v\n%s", records, text)
	}
	if left := c.builders(); len(left) > 0 {
		c.t.Errorf("containers of the build are left: %v", left)
	}
	c.server.end(syscall.SIGTERM)
	if left := c.server.left(); len(left) > 0 {
		c.t.Errorf("processes are left: %v", left)
	}
}

// clean removes what a cell has left in the machine's engine.
func (c *cell) clean() {
	if ids := strings.Fields(c.engine.docker("ps", "--all", "--quiet", "--filter=label=com.docker.compose.project="+c.project)); len(ids) > 0 {
		c.engine.docker(append([]string{"rm", "--force", "--volumes"}, ids...)...)
	}
	held := strings.Fields(c.engine.docker("images", "--format={{.Repository}}:{{.Tag}}", "--filter=reference=jobwright-kept:"+c.project+".*"))
	cleanImages(c.t, c.engine, append(held, c.images...))
}
