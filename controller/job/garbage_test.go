package job_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-logr/logr"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/controller/action"
	"jobwright.dev/controller/action/apicall"
	"jobwright.dev/controller/action/outbound"
	"jobwright.dev/store"
)

// left are the files that are kept of jobs, relative to the environment's folder.
func (e *environment) left() []string {
	e.t.Helper()
	var all []string
	for _, pattern := range []string{"logs/*/*", "api-calls/*"} {
		files, err := filepath.Glob(filepath.Join(e.dir, pattern))
		if err != nil {
			e.t.Fatal(err)
		}
		all = append(all, files...)
	}
	return all
}

// untilLeft waits until that many files are left.
func (e *environment) untilLeft(n int) {
	e.t.Helper()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	deadline := time.After(time.Minute)
	for {
		left := e.left()
		if len(left) == n {
			return
		}
		select {
		case <-look.C:
		case <-deadline:
			e.t.Fatalf("%d files are left, want %d: %q", len(left), n, left)
		}
	}
}

func says(_ context.Context, _ action.Attempt, out action.Sink) action.Outcome {
	out.Line(action.Stdout, "said")
	return action.Outcome{Verdict: action.Succeeded}
}

func TestADeletedJobLeavesNoLog(t *testing.T) {
	e := newEnvironment(t, says)
	e.start()
	e.create("one")
	e.create("two")
	e.until("one", terminal)
	e.until("two", terminal)
	e.untilLeft(2)
	e.delete("one")
	e.untilLeft(1)
	e.create("one") // another of that name
	e.until("one", terminal)
	e.untilLeft(2)
	e.delete("two")
	e.untilLeft(1)
}

// TestAJobThatIsDeletedWhileItRunsLeavesNoLog: its attempt prints its last lines after the
// job has gone.
func TestAJobThatIsDeletedWhileItRunsLeavesNoLog(t *testing.T) {
	ended := make(chan struct{})
	e := newEnvironment(t, func(ctx context.Context, _ action.Attempt, out action.Sink) action.Outcome {
		defer close(ended)
		<-ctx.Done()
		out.Line(action.Stdout, "the first and last line")
		return action.Outcome{Verdict: action.Stopped}
	})
	e.start()
	e.create("one")
	e.untilAtWork("one")
	e.delete("one")
	<-ended
	e.untilLeft(0)
}

// TestWhatWasDeletedWhileNoControllerRanIsCollectedAtTheStart: the logs of real files, and
// the operation that a real api_call remembers; what is kept of other jobs stays.
func TestWhatWasDeletedWhileNoControllerRanIsCollectedAtTheStart(t *testing.T) {
	asked := map[string]chan struct{}{"/poll-gone": make(chan struct{}, 1), "/poll-stays": make(chan struct{}, 1)}
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusAccepted)
		} else {
			select {
			case asked[r.URL.Path] <- struct{}{}:
			default:
			}
		}
		fmt.Fprint(w, `{"done":false}`)
	}))
	t.Cleanup(service.Close)
	e := newEnvironment(t, says)
	calls := func() {
		e.opts.Actions = append(e.opts.Actions[:1], apicall.New(apicall.Options{
			Network: outbound.New(outbound.Options{AllowPrivate: true}), StateDir: filepath.Join(e.dir, "api-calls"), Log: logr.Discard(),
		}).Type())
	}
	calls()
	interval := int32(1)
	polls := func(j *v1.Job) {
		j.Spec = v1.JobSpec{Type: v1.JobTypeAPICall, APICall: &v1.APICallAction{
			URL: service.URL, Method: http.MethodPost,
			Poll: &v1.APICallPoll{URL: service.URL + "/" + j.Name, IntervalSeconds: &interval, Done: []v1.BodyExpectation{{Path: "{.done}", Equals: &v1.JSON{Raw: []byte("true")}}}},
		}}
	}
	e.start()
	for _, name := range []string{"gone", "stays"} {
		e.create(name)
		e.until(name, terminal)
	}
	for _, name := range []string{"poll-gone", "poll-stays"} {
		e.create(name, polls)
		<-asked["/"+name] // and not the other one once more
	}
	e.stop() // both are interrupted, and go on polling at the next start
	e.open()
	if left := e.left(); len(left) != 6 {
		t.Fatalf("before: %q", left)
	}
	e.delete("gone")
	e.delete("poll-gone")
	calls()
	e.start()
	e.untilLeft(3)
	for _, name := range []string{"stays", "poll-stays"} {
		record, err := e.store.Get(t.Context(), key(name))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(e.dir, "logs", "acme", name+"-"+string(record.UID())+".log")); err != nil {
			t.Error(err)
		}
	}
	// While it runs and while it waits, deletion forgets the operation too.
	if _, err := e.store.Delete(t.Context(), key("poll-stays"), store.Preconditions{}); err != nil {
		t.Fatal(err)
	}
	e.untilLeft(1)
}
