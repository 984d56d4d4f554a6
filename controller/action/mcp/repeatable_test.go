package mcp_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/mcp"
)

// annotatedServer has a tool for each way in which one can be marked, each of which
// waits until it is canceled, or for good when its name says so.
func annotatedServer(t *testing.T) *sdk.Server {
	t.Helper()
	server := sdk.NewServer(&sdk.Implementation{Name: "annotated", Version: "1"}, nil)
	for name, annotations := range map[string]*sdk.ToolAnnotations{
		"plain": nil, "idempotent": {IdempotentHint: true}, "reads": {ReadOnlyHint: true}, "deaf": {},
	} {
		server.AddTool(&sdk.Tool{Name: name, InputSchema: json.RawMessage(`{"type":"object"}`), Annotations: annotations},
			func(ctx context.Context, r *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
				_ = r.Session.NotifyProgress(ctx, &sdk.ProgressNotificationParams{ProgressToken: r.Params.GetProgressToken(), Progress: 1, Message: "waiting"})
				if name == "deaf" {
					<-t.Context().Done() // until the test ends
					return nil, t.Context().Err()
				}
				<-ctx.Done() // only a cancellation that arrives ends it
				return nil, ctx.Err()
			})
	}
	return server
}

func overHTTP(t *testing.T, handler http.Handler) *mcp.Runner {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	r, err := mcp.New(mcp.Options{Worker: "w", Config: &mcp.Config{Servers: map[string]mcp.Server{"remote": {Type: "http", URL: server.URL}}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func buildAttempt(tool string, grace time.Duration) action.Attempt {
	return action.Attempt{ID: "u-1", Grace: grace, Job: &v1.Job{Spec: v1.JobSpec{
		Type: v1.JobTypeBuild, Build: &v1.BuildAction{Server: "remote", Action: tool},
	}}}
}

func TestWhetherACallMayBeRepeatedIsForTheToolToSay(t *testing.T) {
	server := annotatedServer(t)
	r := overHTTP(t, sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return server }, nil))
	for tool, want := range map[string]bool{"plain": false, "idempotent": true, "reads": true, "unknown": false} {
		outcome, err := r.Recover(t.Context(), buildAttempt(tool, time.Second))
		if err != nil || outcome.Verdict != action.Lost || outcome.Repeatable != want {
			t.Errorf("Recover of %s = %+v, %v, want repeatable: %t", tool, outcome, err, want)
		}
		if tool == "unknown" {
			continue
		}
		out := newRecorder()
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			for step := range out.steps {
				if strings.Contains(step, "waiting") {
					cancel()
				}
			}
		}()
		outcome = r.Run(ctx, buildAttempt(tool, time.Second), out)
		cancel()
		close(out.steps)
		if outcome.Verdict != action.Stopped || outcome.Repeatable != want {
			t.Errorf("Run of %s, stopped = %+v, want repeatable: %t", tool, outcome, want)
		}
	}
	decided := buildAttempt("plain", time.Second)
	decided.Job.Spec.OnInterruption = v1.InterruptionFail
	if outcome, err := r.Recover(t.Context(), decided); err != nil || outcome.Message != "" {
		t.Errorf("the job decides, and the server was asked: %+v, %v", outcome, err)
	}
}

func TestAServerThatCannotBeAskedIsNoReasonToRepeat(t *testing.T) {
	r := overHTTP(t, http.NotFoundHandler())
	outcome, err := r.Recover(t.Context(), buildAttempt("plain", time.Second))
	if err != nil || outcome.Repeatable || !strings.Contains(outcome.Message, "could not be asked") {
		t.Errorf("Recover = %+v, %v", outcome, err)
	}
}

// TestAConfirmedEndOfASessionIsNoEndOfATool cancels a tool that does not listen, on a
// server that does.
func TestAConfirmedEndOfASessionIsNoEndOfATool(t *testing.T) {
	t.Parallel()
	server := annotatedServer(t)
	r := overHTTP(t, sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return server }, nil))
	for _, tool := range []string{"plain", "deaf"} {
		out := newRecorder()
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			for step := range out.steps {
				if strings.Contains(step, "waiting") {
					cancel()
				}
			}
		}()
		outcome := r.Run(ctx, buildAttempt(tool, time.Second), out)
		cancel()
		close(out.steps)
		confirmed := strings.Contains(outcome.Message, "does not tell")
		if outcome.Verdict != action.Stopped || !confirmed && !strings.Contains(outcome.Message, "may still be at work") {
			t.Errorf("%s: outcome = %+v claims more than is known", tool, outcome)
		}
	}
}

// TestAHungServerHoldsNoWorker cancels a call of a server that answers nothing any more,
// the end of the session included.
func TestAHungServerHoldsNoWorker(t *testing.T) {
	t.Parallel()
	server := annotatedServer(t)
	inner := sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return server }, nil)
	r := overHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if request.Method == http.MethodDelete {
			<-t.Context().Done() // until the test ends
			return
		}
		inner.ServeHTTP(w, request)
	}))
	out := newRecorder()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		for step := range out.steps {
			if strings.Contains(step, "waiting") {
				cancel()
			}
		}
	}()
	outcome := r.Run(ctx, buildAttempt("deaf", time.Millisecond), out)
	close(out.steps)
	if outcome.Verdict != action.Stopped || !strings.Contains(outcome.Message, "may still be at work") {
		t.Errorf("outcome = %+v", outcome)
	}
}
