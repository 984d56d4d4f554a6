package mcp_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp"
	"jobwright.dev/controller/job"
	"jobwright.dev/store"
	"jobwright.dev/store/file"
	logfiles "jobwright.dev/store/logs/file"
)

// inMemory has sessions talk to a server of their own in this process, so that a
// bubble's time is the server's time too.
func inMemory(t *testing.T, server func() *sdk.Server) func(*mcp.Options) {
	return func(o *mcp.Options) {
		mcp.WithPipe(o, func() (io.ReadCloser, io.WriteCloser) {
			ours, theirs := net.Pipe()
			go func() {
				// Its end is the session's.
				_ = server().Run(t.Context(), &sdk.IOTransport{Reader: theirs, Writer: theirs})
			}()
			return ours, ours
		})
	}
}

// slowServer has tools that take long.
func slowServer() *sdk.Server {
	server := sdk.NewServer(&sdk.Implementation{Name: "slow", Version: "1"}, nil)
	// steps tells of its progress every 50 seconds.
	steps := func(ctx context.Context, r *sdk.CallToolRequest, n int) error {
		for i := range n {
			pause := time.NewTimer(50 * time.Second)
			select {
			case <-pause.C:
			case <-ctx.Done():
				pause.Stop()
				return ctx.Err()
			}
			// Every third one goes back, as a server that counts anew for each part.
			if err := r.Session.NotifyProgress(ctx, &sdk.ProgressNotificationParams{
				ProgressToken: r.Params.GetProgressToken(), Progress: float64(i - i%3*5), Total: float64(n), Message: fmt.Sprint("part ", i),
			}); err != nil {
				return err
			}
		}
		return nil
	}
	for name, handler := range map[string]func(context.Context, *sdk.CallToolRequest) error{
		"ten-minutes": func(ctx context.Context, r *sdk.CallToolRequest) error { return steps(ctx, r, 12) },
		"for-ever":    func(ctx context.Context, r *sdk.CallToolRequest) error { return steps(ctx, r, 1_000_000) },
		"silent":      func(ctx context.Context, _ *sdk.CallToolRequest) error { <-ctx.Done(); return ctx.Err() },
	} {
		server.AddTool(&sdk.Tool{Name: name, InputSchema: json.RawMessage(`{"type":"object"}`)},
			func(ctx context.Context, r *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
				return &sdk.CallToolResult{}, handler(ctx, r)
			})
	}
	return server
}

// TestTimeouts calls tools that take long, in the time of a bubble, through the real
// controller and store: progress and output put off the idle timeout, for ten minutes
// with a limit of one; silence does not; the cap on the attempt holds in spite of them.
func TestTimeouts(t *testing.T) {
	minute, most := int64(60), int64(600)
	for tool, want := range map[string]struct {
		spec   v1.JobSpec
		phase  v1.JobPhase
		reason string
		says   string
		after  time.Duration
	}{
		"ten-minutes": {v1.JobSpec{IdleTimeoutSeconds: &minute}, v1.JobSucceeded, v1.ReasonCompleted, "", 10 * time.Minute},
		"silent":      {v1.JobSpec{IdleTimeoutSeconds: &minute, AttemptTimeoutSeconds: &most}, v1.JobFailed, v1.ReasonIdleTimeout, "neither output nor progress for 1m0s; spec.idleTimeoutSeconds allows 60 s", time.Minute},
		"for-ever":    {v1.JobSpec{IdleTimeoutSeconds: &minute, AttemptTimeoutSeconds: &most}, v1.JobFailed, v1.ReasonAttemptTimeout, "ran for 10m0s; spec.attemptTimeoutSeconds allows 600 s", 10 * time.Minute},
	} {
		t.Run(tool, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				job := carryOut(t, tool, want.spec)
				if job.Status.Phase != want.phase || job.Status.Reason != want.reason || !strings.Contains(job.Status.Message, want.says) {
					t.Errorf("%s %s %q, want %s %s %q", job.Status.Phase, job.Status.Reason, job.Status.Message, want.phase, want.reason, want.says)
				}
				if took := time.Since(began); took < want.after || took > want.after+time.Minute {
					t.Errorf("it took %s, want %s", took, want.after)
				}
			})
		})
	}
}

// carryOut has a controller run one build job to its end. Its progress must not fall.
func carryOut(t *testing.T, tool string, spec v1.JobSpec) *v1.Job {
	t.Helper()
	r := newRunner(t, map[string]mcp.Server{"slow": {Type: "stdio", Command: "in this process"}}, inMemory(t, slowServer))
	defer r.Close()
	dir := t.TempDir()
	objects, err := file.Open(dir, file.Options{MinFree: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer objects.Close()
	archive, err := logfiles.Open(dir+"/logs", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	c, err := job.New(job.Options{
		Store: objects, Logs: archive, Worker: "w", MaxConcurrent: 1, Log: logr.Discard(),
		Actions: action.Set{r.Type()},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	spec.Type, spec.Build = v1.JobTypeBuild, &v1.BuildAction{Action: tool}
	if _, err := objects.Create(ctx, &v1.Job{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindJob},
		ObjectMeta: metav1.ObjectMeta{Name: tool, Namespace: "acme"},
		Spec:       spec, Status: v1.JobStatus{Phase: v1.JobQueued, Reason: v1.ReasonQueued},
	}); err != nil {
		t.Fatal(err)
	}
	pct, steps := int32(0), map[string]bool{}
	look := time.NewTicker(5 * time.Second)
	defer look.Stop()
	for {
		record, err := objects.Get(ctx, store.Key{Kind: v1.KindJob, Namespace: "acme", Name: tool})
		if err != nil {
			t.Fatal(err)
		}
		job, err := record.Job()
		if err != nil {
			t.Fatal(err)
		}
		if job.Status.Pct < pct {
			t.Errorf("progress fell from %d to %d", pct, job.Status.Pct)
		}
		pct = job.Status.Pct
		if steps[job.Status.Step] = true; job.Status.Phase.Terminal() {
			if tool != "silent" && len(steps) < 10 {
				t.Errorf("few steps were to be seen: %v", steps)
			}
			return job
		}
		<-look.C
	}
}
