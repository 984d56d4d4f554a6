package mcp_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp"
)

// everythingOverHTTP starts server-everything with streamable HTTP.
func everythingOverHTTP(t *testing.T) mcp.Server {
	t.Helper()
	script := everything(t)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	listener.Close() // it takes no listener, and does not tell which port it got
	cmd := exec.CommandContext(t.Context(), "node", script, "streamableHttp")
	cmd.Env = append(os.Environ(), fmt.Sprint("PORT=", port))
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() }) // killed with the test's context
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		if strings.Contains(lines.Text(), "listening") {
			return mcp.Server{Type: "http", URL: fmt.Sprintf("http://127.0.0.1:%d/mcp", port)}
		}
	}
	t.Fatal("server-everything did not start")
	return mcp.Server{}
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
	t.Run("over stdio", func(t *testing.T) {
		t.Parallel()
		r, rec := newRunner(t, map[string]mcp.Server{"everything": {Type: "stdio", Command: "node", Args: []string{everything(t)}}}), newRecorder()
		reported(t, r.Run(t.Context(), query("a-1"), rec), rec)
	})
	t.Run("over HTTP, taken over", func(t *testing.T) {
		t.Parallel()
		servers, dir := map[string]mcp.Server{"everything": everythingOverHTTP(t)}, t.TempDir()
		ctx, cancel := context.WithCancel(t.Context())
		first, ended := newRecorder(), make(chan struct{})
		go func() {
			defer close(ended)
			newRunner(t, servers, remembersIn(dir)).Run(ctx, query("a-1"), first)
		}()
		defer func() { cancel(); <-ended }()
		for step := range first.steps {
			if step == "Analyzing content..." {
				break
			}
		}
		r, rec := newRunner(t, servers, remembersIn(dir)), newRecorder()
		if out, err := r.Recover(t.Context(), query("a-1")); err != nil || out.Verdict != action.Lost || !out.Repeatable || !strings.Contains(out.Message, "goes on with it") {
			t.Fatalf("Recover = %+v, %v", out, err)
		}
		reported(t, r.Run(t.Context(), query("a-2"), rec), rec)
	})
	t.Run("canceled over HTTP", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		rec := newRecorder()
		go func() {
			for step := range rec.steps {
				if step == "Gathering sources..." {
					cancel()
				}
			}
		}()
		out := newRunner(t, map[string]mcp.Server{"everything": everythingOverHTTP(t)}).Run(ctx, query("a-1"), rec)
		close(rec.steps)
		if out.Verdict != action.Stopped || !strings.Contains(out.Message, "has confirmed that task") {
			t.Errorf("outcome %+v", out)
		}
	})
}
