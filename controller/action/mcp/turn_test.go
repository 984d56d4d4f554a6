package mcp_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/apicall"
	"jobwright.dev/controller/action/mcp"
	"jobwright.dev/controller/action/outbound"
	"jobwright.dev/controller/job"
	"jobwright.dev/store"
	"jobwright.dev/store/file"
	logfiles "jobwright.dev/store/logs/file"
)

// driven is a controller with two slots over a real store.
type driven struct {
	t       *testing.T
	objects *file.Store
	*job.Controller
}

func drive(t *testing.T, r *mcp.Runner) *driven {
	t.Helper()
	dir := t.TempDir()
	objects, err := file.Open(dir, file.Options{MinFree: -1})
	if err != nil {
		t.Fatal(err)
	}
	archive, err := logfiles.Open(dir+"/logs", 0)
	if err != nil {
		t.Fatal(err)
	}
	c, err := job.New(job.Options{
		Store: objects, Logs: archive, Worker: "w", MaxConcurrent: 2, CancelGrace: 50 * time.Millisecond, Log: logr.Discard(),
		Actions: action.Set{r.Type(), apicall.New(apicall.Options{Network: outbound.New(outbound.Options{AllowPrivate: true})}).Type()},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		archive.Close()
		if err := objects.Close(); err != nil {
			t.Error(err)
		}
	})
	return &driven{t, objects, c}
}

func (d *driven) create(workspace, name string, spec v1.JobSpec) {
	d.t.Helper()
	if _, err := d.objects.Create(d.t.Context(), &v1.Job{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindJob},
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: workspace},
		Spec:       spec, Status: v1.JobStatus{Phase: v1.JobQueued, Reason: v1.ReasonQueued},
	}); err != nil {
		d.t.Fatal(err)
	}
}

// until waits for a state of a job.
func (d *driven) until(workspace, name string, wanted func(*v1.Job) bool) *v1.Job {
	d.t.Helper()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		record, err := d.objects.Get(d.t.Context(), store.Key{Kind: v1.KindJob, Namespace: workspace, Name: name})
		if err != nil {
			d.t.Fatal(err)
		}
		j, err := record.Job()
		if err != nil {
			d.t.Fatal(err)
		}
		if wanted(j) {
			return j
		}
		<-look.C
	}
}

func connecting(j *v1.Job) bool { return strings.HasPrefix(j.Status.Step, "mcp:") }
func ended(j *v1.Job) bool      { return j.Status.Phase.Terminal() }

// TestAMuteServerHoldsUpNoOtherJob: builds of two workspaces wait for a server that says
// nothing, with both slots; an API call runs all the same.
func TestAMuteServerHoldsUpNoOtherJob(t *testing.T) {
	target := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(target.Close)
	r := newRunner(t, raw(t, "hangs-at-start"), func(o *mcp.Options) { mcp.WithYield(o, time.Millisecond) })
	d := drive(t, r)
	for _, workspace := range []string{"acme", "rival"} {
		d.create(workspace, "mute", v1.JobSpec{Type: v1.JobTypeBuild, Build: &v1.BuildAction{Action: "ok"}})
		d.until(workspace, "mute", connecting)
	}
	d.create("acme", "call", v1.JobSpec{Type: v1.JobTypeAPICall, APICall: &v1.APICallAction{URL: target.URL}})
	if got := d.until("acme", "call", ended); got.Status.Phase != v1.JobSucceeded {
		t.Errorf("%s %s", got.Status.Phase, got.Status.Message)
	}
	for _, workspace := range []string{"acme", "rival"} {
		if got := d.until(workspace, "mute", func(*v1.Job) bool { return true }); got.Status.Phase != v1.JobRunning {
			t.Errorf("%s: %s", workspace, got.Status.Phase)
		}
	}
}

// TestJobsWaitForASessionInTheQueue, where they hold no slot, and say what they wait for.
func TestJobsWaitForASessionInTheQueue(t *testing.T) {
	target := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(target.Close)
	d := drive(t, newRunner(t, raw(t, "")))
	hangs := v1.JobSpec{Type: v1.JobTypeBuild, Build: &v1.BuildAction{Action: "hangs"}}
	d.create("acme", "first", hangs)
	d.until("acme", "first", func(j *v1.Job) bool { return strings.HasPrefix(j.Status.Step, "working") })
	for i := range 5 {
		d.create("acme", fmt.Sprint("next-", i), hangs)
	}
	d.create("acme", "call", v1.JobSpec{Type: v1.JobTypeAPICall, APICall: &v1.APICallAction{URL: target.URL}})
	d.until("acme", "call", ended)
	waits := d.until("acme", "next-0", func(*v1.Job) bool { return true })
	why, err := d.Blockers(t.Context(), waits)
	if err != nil || len(why) == 0 || why[0].Message != "1 job with MCP server raw runs, 1 may: first." {
		t.Errorf("%+v, %v", why, err)
	}
	d.create("rival", "other", v1.JobSpec{Type: v1.JobTypeBuild, Build: &v1.BuildAction{Action: "ok"}})
	if got := d.until("rival", "other", ended); got.Status.Phase != v1.JobSucceeded {
		t.Errorf("another workspace's: %s %s", got.Status.Phase, got.Status.Message)
	}
}

func TestKeys(t *testing.T) {
	http := mcp.Server{Type: "http", URL: "http://127.0.0.1:1"}
	few, shared := http, self(t, "raw:")
	few.Sessions, shared.Shared = 2, true
	r := newRunner(t, map[string]mcp.Server{"program": self(t, "raw:"), "http": http, "few": few, "shared": shared})
	for name, tc := range map[string]struct {
		build *v1.BuildAction
		want  action.Key
	}{
		"a program has one session a workspace": {&v1.BuildAction{Server: "program"}, action.Key{Name: "mcp/program/acme/", Limit: 1, Subject: "MCP server program"}},
		"a server behind HTTP has several":      {&v1.BuildAction{Server: "http"}, action.Key{Name: "mcp/http/acme/", Limit: 4, Subject: "MCP server http"}},
		"as many as the operator says":          {&v1.BuildAction{Server: "few"}, action.Key{Name: "mcp/few/acme/", Limit: 2, Subject: "MCP server few"}},
		"a shared one is for all workspaces":    {&v1.BuildAction{Server: "shared"}, action.Key{Name: "mcp/shared//", Limit: 4, Subject: "MCP server shared"}},
		"a name is for one job after another":   {&v1.BuildAction{Server: "shared", Session: "login"}, action.Key{Name: "mcp/shared/acme/login", Limit: 1, InOrder: true, Subject: "session login of MCP server shared"}},
		"a server that is not there has none":   {&v1.BuildAction{Server: "none"}, action.Key{}},
		"one of several has to be named":        {&v1.BuildAction{}, action.Key{}},
		"no payload":                            {nil, action.Key{}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := r.Key(attemptIn("acme", tc.build).Job); got != tc.want {
				t.Errorf("%+v, want %+v", got, tc.want)
			}
		})
	}
}
