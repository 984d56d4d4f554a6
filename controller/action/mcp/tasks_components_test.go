package mcp_test

import (
	"bufio"
	"context"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"jobwright.dev/api/server/servertest"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp"
)

// everythingOverHTTP starts server-everything with streamable HTTP.
func everythingOverHTTP(t *testing.T) mcp.Server {
	t.Helper()
	return mcp.Server{Type: "http", URL: everythingAt(t, "streamableHttp") + "/mcp"}
}

// everythingAt starts server-everything with one of its transports, and returns its address.
func everythingAt(t *testing.T, transport string) string {
	t.Helper()
	script := everything(t)
	address := servertest.Address(t) // it takes no listener, and does not tell which port it got
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", script, transport)
	cmd.Env = append(os.Environ(), "PORT="+port)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() }) // killed with the test's context
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		if text := lines.Text(); strings.Contains(text, "listening") || strings.Contains(text, "running on port") {
			return "http://" + address
		}
	}
	t.Fatal("server-everything did not start")
	return ""
}

// TestTasksOfServerEverything calls its tool that must be called as a task, and takes a
// task over from a runner that is left alone.
func TestTasksOfServerEverything(t *testing.T) {
	t.Parallel()
	query := func(attempt string) action.Attempt {
		job := &v1.Job{Spec: v1.JobSpec{Type: v1.JobTypeBuild, Build: &v1.BuildAction{
			Action: "simulate-research-query", Arguments: map[string]v1.JSON{"topic": {Raw: []byte(`"journals"`)}},
		}}}
		job.UID = "u-1"
		return action.Attempt{ID: attempt, Grace: time.Second, Job: job}
	}
	reported := func(t *testing.T, out action.Outcome, rec *recorder) {
		t.Helper()
		if out.Verdict != action.Succeeded || !rec.has("content: # Research Report: journals") || !rec.has("server: Generating report...") {
			t.Errorf("outcome %+v, log %q", out, rec.lines)
		}
	}
	stdio := newRunner(t, map[string]mcp.Server{"everything": {Type: "stdio", Command: "node", Args: []string{everything(t)}}})
	servers, dir := map[string]mcp.Server{"everything": everythingOverHTTP(t)}, t.TempDir()
	first, second, third := newRunner(t, servers, remembersIn(dir)), newRunner(t, servers, remembersIn(dir)), newRunner(t, servers)
	// Most of the time is the tool's, so all of them run at once.
	var running sync.WaitGroup
	defer running.Wait()
	running.Go(func() { // over stdio
		rec := newRecorder()
		reported(t, stdio.Run(t.Context(), query("a-1"), rec), rec)
	})
	running.Go(func() { // over HTTP, and taken over
		ctx, cancel := context.WithCancel(t.Context())
		alone, ended := newRecorder(), make(chan struct{})
		go func() {
			defer close(ended)
			first.Run(ctx, query("a-1"), alone)
		}()
		defer func() { cancel(); <-ended }()
		alone.until("Analyzing content...")
		if out, err := second.Recover(t.Context(), query("a-1")); err != nil || out.Verdict != action.Lost || !out.Repeatable || !strings.Contains(out.Message, "goes on with it") {
			t.Errorf("Recover = %+v, %v", out, err)
		}
		rec := newRecorder()
		reported(t, second.Run(t.Context(), query("a-2"), rec), rec)
	})
	running.Go(func() { // over HTTP, and canceled
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		rec, ended := newRecorder(), make(chan action.Outcome, 1)
		go func() { ended <- third.Run(ctx, query("a-1"), rec) }()
		rec.until("Gathering sources...")
		cancel()
		if out := <-ended; out.Verdict != action.Stopped || !strings.Contains(out.Message, "has confirmed that task") {
			t.Errorf("outcome %+v", out)
		}
	})
}

// until waits for a step.
func (r *recorder) until(wanted string) {
	for step := range r.steps {
		if step == wanted {
			return
		}
	}
}
