package apicall_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/apicall"
	"jobwright.dev/controller/action/outbound"
	"jobwright.dev/controller/job"
	"jobwright.dev/store"
	"jobwright.dev/store/file"
	logfiles "jobwright.dev/store/logs/file"
)

// TestRetryAfterIsHonoured lets the real controller call a server that asks it to wait.
func TestRetryAfterIsHonoured(t *testing.T) {
	var calls atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1) == 1 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}))
	defer server.Close()
	objects, err := file.Open(t.TempDir(), file.Options{MinFree: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer objects.Close()
	archive, err := logfiles.Open(t.TempDir(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	c, err := job.New(job.Options{
		Store: objects, Logs: archive, Worker: "w", MaxConcurrent: 1, Log: logr.Discard(),
		Actions: action.Set{apicall.New(apicall.Options{Network: outbound.New(outbound.Options{AllowPrivate: true})}).Type()},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	records, err := objects.Create(ctx, &v1.Job{
		TypeMeta: metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindJob}, ObjectMeta: metav1.ObjectMeta{Name: "call", Namespace: "acme"},
		Spec: v1.JobSpec{
			Type: v1.JobTypeAPICall, APICall: &v1.APICallAction{URL: server.URL},
			FailurePolicy: &v1.FailurePolicy{Rules: []v1.FailureRule{{Action: v1.FailurePolicyRetryAfter, HTTPStatus: []int32{429}}}},
		},
		Status: v1.JobStatus{Phase: v1.JobQueued, Reason: v1.ReasonQueued},
	})
	if err != nil {
		t.Fatal(err)
	}
	watch, err := objects.Watch(ctx, store.WatchOptions{Kind: v1.KindJob, Since: records[0].ResourceVersion() - 1})
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Close()
	var began []time.Time
	for job := new(v1.Job); !job.Status.Phase.Terminal(); {
		events, err := watch.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, event := range events {
			if job, err = event.Record.Job(); err != nil {
				t.Fatal(err)
			}
			if a := job.Status.CurrentAttempt; a != nil && (len(began) == 0 || began[len(began)-1] != a.StartTime.Time) {
				began = append(began, a.StartTime.Time)
			}
			if job.Status.Phase.Terminal() && (job.Status.Phase != v1.JobSucceeded || job.Status.Failures != 0) {
				t.Errorf("%+v", job.Status)
			}
		}
	}
	if len(began) != 2 || began[1].Sub(began[0]) < time.Second {
		t.Errorf("attempts began at %v; the second one may not come before a second has passed", began)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
