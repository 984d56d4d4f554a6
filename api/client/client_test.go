package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"jobwright.dev/api/client"
	"jobwright.dev/api/server"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
	"jobwright.dev/store/file"
	"jobwright.dev/store/logs"
	logfiles "jobwright.dev/store/logs/file"
)

// fixture is a client of the real API over a real store, with something in between
// that a test may put there.
type fixture struct {
	*client.Client
	store   *file.Store
	archive *logfiles.Archive
	between func(http.ResponseWriter, *http.Request, http.Handler)
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	dir := t.TempDir()
	f := &fixture{between: func(w http.ResponseWriter, r *http.Request, next http.Handler) { next.ServeHTTP(w, r) }}
	var err error
	if f.store, err = file.Open(dir, file.Options{MinFree: -1}); err != nil {
		t.Fatal(err)
	}
	if f.archive, err = logfiles.Open(filepath.Join(dir, "logs"), 0); err != nil {
		t.Fatal(err)
	}
	api, err := server.New(server.Options{Store: f.store, Logs: f.archive, Log: logr.Discard()})
	if err != nil {
		t.Fatal(err)
	}
	listening := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f.between(w, r, api) }))
	t.Cleanup(func() {
		listening.CloseClientConnections()
		listening.Close()
		f.archive.Close()
		if err := f.store.Close(); err != nil {
			t.Error(err)
		}
	})
	ws := &v1.Workspace{TypeMeta: metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindWorkspace}, ObjectMeta: metav1.ObjectMeta{Name: "acme"}}
	if _, err := f.store.Create(t.Context(), ws); err != nil {
		t.Fatal(err)
	}
	if f.Client, err = client.New(client.Config{Server: listening.URL}); err != nil {
		t.Fatal(err)
	}
	return f
}

func job(name string, change ...func(*v1.Job)) *v1.Job {
	j := &v1.Job{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1.APIVersion, Kind: v1.KindJob},
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "acme"}, Spec: v1.JobSpec{Type: v1.JobTypeAPICall},
	}
	for _, c := range change {
		c(j)
	}
	return j
}

func key(name string) client.Key {
	kind, _ := v1.KindByName(v1.KindJob)
	return client.Key{Kind: kind, Namespace: "acme", Name: name}
}

func (f *fixture) create(t *testing.T, name string) *v1.Job {
	t.Helper()
	obj, err := f.Create(t.Context(), job(name))
	if err != nil {
		t.Fatal(err)
	}
	return obj.(*v1.Job)
}

func TestApplyCreatesChangesAndLeavesAlone(t *testing.T) {
	f := newFixture(t)
	higher := func(j *v1.Job) { j.Spec.Priority = 5 }
	for i, step := range []struct {
		job  *v1.Job
		want client.Applied
	}{
		{job("a"), client.Created},
		{job("a"), client.Unchanged},
		{job("a", higher), client.Configured},
		{job("a", higher, func(j *v1.Job) { j.Labels = map[string]string{"team": "web"} }), client.Configured},
		{job("a", higher), client.Unchanged}, // what the manifest does not name stays
	} {
		got, obj, err := f.Apply(t.Context(), step.job)
		if err != nil || got != step.want {
			t.Errorf("step %d: %s, %v, want %s", i, got, err, step.want)
		}
		if i == 4 && obj.GetLabels()["team"] != "web" {
			t.Errorf("the label is gone: %v", obj.GetLabels())
		}
	}
}

func TestApplyStartsOverWhenTheObjectChangesMeanwhile(t *testing.T) {
	f := newFixture(t)
	f.create(t, "a")
	var conflicts atomic.Int32
	f.between = func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodPut && conflicts.Add(1) <= 3 {
			record, err := f.store.Get(r.Context(), store.Key{Kind: v1.KindJob, Namespace: "acme", Name: "a"})
			if err == nil {
				var j *v1.Job
				if j, err = record.Job(); err == nil {
					j.Annotations = map[string]string{"round": fmt.Sprint(conflicts.Load())}
					_, err = f.store.Update(r.Context(), j)
				}
			}
			if err != nil {
				t.Error(err)
			}
		}
		next.ServeHTTP(w, r)
	}
	if got, obj, err := f.Apply(t.Context(), job("a", func(j *v1.Job) { j.Spec.Priority = 5 })); err != nil || got != client.Configured || obj.GetAnnotations()["round"] != "3" {
		t.Errorf("%s, %v, %v", got, obj, err)
	}
	if n := conflicts.Load(); n != 4 {
		t.Errorf("%d updates, want 4", n)
	}
}

func TestARefusalCarriesItsStatusAndItsCauses(t *testing.T) {
	f := newFixture(t)
	_, err := f.Create(t.Context(), job("a", func(j *v1.Job) { j.Spec.Priority = 5000; j.Spec.Type = "bake" }))
	var status *client.StatusError
	if !errors.As(err, &status) || status.Status.Code != http.StatusUnprocessableEntity || len(status.Status.Details.Causes) != 2 {
		t.Errorf("error = %v", err)
	}
	if _, err := f.Get(t.Context(), key("none")); !client.IsNotFound(err) {
		t.Errorf("error = %v", err)
	}
	stale := f.create(t, "b")
	if _, err := f.Cancel(t.Context(), key("b")); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Update(t.Context(), stale); !client.IsConflict(err) {
		t.Errorf("error = %v", err)
	}
}

func TestAnAnswerThatIsNoStatusIsStillAnError(t *testing.T) {
	f := newFixture(t)
	for body, want := range map[string]string{"": "no further word", "<html>bad gateway</html>": "bad gateway"} {
		f.between = func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			w.WriteHeader(http.StatusBadGateway)
			fmt.Fprint(w, body)
		}
		if _, err := f.Get(t.Context(), key("a")); err == nil || !strings.Contains(err.Error(), "502") || !strings.Contains(err.Error(), want) {
			t.Errorf("error = %v", err)
		}
	}
}

func TestACreateIsNotSentTwice(t *testing.T) {
	f := newFixture(t)
	var sent atomic.Int32
	f.between = func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		sent.Add(1)
		next.ServeHTTP(httptest.NewRecorder(), r) // it happened, and the answer is lost
		panic(http.ErrAbortHandler)
	}
	_, err := f.Create(t.Context(), job("a"))
	var away *client.UnreachableError
	if !errors.As(err, &away) || !strings.Contains(err.Error(), "is it running (jobwright serve)") {
		t.Errorf("error = %v", err)
	}
	if n := sent.Load(); n != 1 {
		t.Errorf("sent %d times", n)
	}
}

// TestAWatchGoesOnAfterTheConnectionWasLost breaks the connection after each event: the
// reader sees every change once, in order.
func TestAWatchGoesOnAfterTheConnectionWasLost(t *testing.T) {
	f := newFixture(t)
	var connections atomic.Int32
	f.between = func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.URL.Query().Get("watch") == "" {
			next.ServeHTTP(w, r)
			return
		}
		connections.Add(1)
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		next.ServeHTTP(&breaking{ResponseWriter: w, cut: cancel}, r.WithContext(ctx))
		panic(http.ErrAbortHandler)
	}
	kind, _ := v1.KindByName(v1.KindJob)
	var seen []string
	f.create(t, "job-0")
	for event, err := range f.Watch(t.Context(), kind, client.WatchOptions{Namespace: "acme"}) {
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, event.Type+" "+event.Object.GetName())
		if len(seen) == 4 {
			break
		}
		f.create(t, fmt.Sprint("job-", len(seen)))
	}
	if got, want := fmt.Sprint(seen), "[ADDED job-0 ADDED job-1 ADDED job-2 ADDED job-3]"; got != want {
		t.Errorf("seen %s, want %s", got, want)
	}
	if n := connections.Load(); n < 3 {
		t.Errorf("%d connections; the test broke nothing", n)
	}
}

// breaking ends a stream after its first line.
type breaking struct {
	http.ResponseWriter
	cut func()
}

func (b *breaking) Write(p []byte) (int, error) {
	n, err := b.ResponseWriter.Write(p)
	b.ResponseWriter.(http.Flusher).Flush()
	b.cut()
	return n, err
}

func (b *breaking) Flush() {}

// TestAWatchBeginsAnewWhenTheServerHasForgotten answers 410 Gone once: what there is
// comes again.
func TestAWatchBeginsAnewWhenTheServerHasForgotten(t *testing.T) {
	f := newFixture(t)
	f.create(t, "a")
	kind, _ := v1.KindByName(v1.KindJob)
	for event, err := range f.Watch(t.Context(), kind, client.WatchOptions{Namespace: "acme", ResourceVersion: "999999"}) {
		if err != nil {
			t.Fatal(err)
		}
		if event.Type != "ADDED" || event.Object.GetName() != "a" {
			t.Errorf("event = %+v", event)
		}
		break
	}
}

func TestAWatchEndsWithItsContext(t *testing.T) {
	f := newFixture(t)
	ctx, cancel := context.WithCancel(t.Context())
	f.create(t, "a")
	kind, _ := v1.KindByName(v1.KindJob)
	last := error(nil)
	for _, err := range f.Watch(ctx, kind, client.WatchOptions{Namespace: "acme"}) {
		cancel()
		last = err
	}
	if last == nil {
		t.Error("the watch ended without saying why")
	}
	cancel()
}

func TestWaitSeesTheEndAndTheDeletion(t *testing.T) {
	f := newFixture(t)
	f.create(t, "a")
	canceled := func(obj v1.Object) (bool, error) {
		if obj == nil {
			return false, nil
		}
		return obj.(*v1.Job).Spec.Cancel, nil
	}
	if _, err := f.Cancel(t.Context(), key("a")); err != nil {
		t.Fatal(err)
	}
	if obj, err := f.Wait(t.Context(), key("a"), canceled); err != nil || obj == nil {
		t.Errorf("Wait = %v, %v", obj, err)
	}
	never := func(obj v1.Object) (bool, error) {
		if obj != nil {
			return false, f.Delete(t.Context(), key("a"))
		}
		return false, nil
	}
	if _, err := f.Wait(t.Context(), key("a"), never); err == nil || !strings.Contains(err.Error(), "was deleted") {
		t.Errorf("error = %v", err)
	}
	if _, err := f.Wait(t.Context(), key("a"), canceled); !client.IsNotFound(err) {
		t.Errorf("error = %v", err)
	}
}

// TestAFollowedLogGoesOnWithoutGaps has each of the first four answers end before its
// time: whoever follows a log asks again until the server says that it is the end.
func TestAFollowedLogGoesOnWithoutGaps(t *testing.T) {
	for name, cut := range map[string]func(w http.ResponseWriter, first string, all int){
		"the connection is lost after each line": func(w http.ResponseWriter, first string, all int) {
			w.Header().Set("Content-Length", fmt.Sprint(all+1)) // more is promised than comes
			fmt.Fprintln(w, first)
			panic(http.ErrAbortHandler)
		},
		"the answer ends after each line as if that were all": func(w http.ResponseWriter, first string, _ int) {
			if !strings.Contains(first, `"end"`) {
				fmt.Fprintln(w, first)
			}
		},
		"the store of the server is away": func(w http.ResponseWriter, _ string, _ int) {
			w.WriteHeader(http.StatusServiceUnavailable)
		},
	} {
		t.Run(name, func(t *testing.T) { followWith(t, cut) })
	}
}

// followWith follows a log of which the first four answers are cut.
func followWith(t *testing.T, cut func(w http.ResponseWriter, first string, all int)) {
	f := newFixture(t)
	j := f.create(t, "a")
	writer, err := f.archive.Writer(logs.Ref{Workspace: "acme", Job: "a", UID: j.UID})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		writer.Line(time.Now(), "stdout", fmt.Sprint("line ", i))
	}
	if err := writer.Close(time.Now()); err != nil {
		t.Fatal(err)
	}
	at := metav1.NowMicro()
	j.Status.Phase, j.Status.Reason, j.Status.CompletionTime, j.Status.Pct = v1.JobSucceeded, v1.ReasonCompleted, &at, 100
	for _, condition := range []string{v1.ConditionComplete, v1.ConditionFinished} {
		j.Status.SetCondition(condition, metav1.ConditionTrue, v1.ReasonCompleted, "", 1, metav1.Now())
	}
	if _, err := f.store.UpdateStatus(t.Context(), j, store.Durable); err != nil {
		t.Fatal(err)
	}
	var cuts atomic.Int32
	f.between = func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if cuts.Add(1) > 4 {
			next.ServeHTTP(w, r)
			return
		}
		answer := httptest.NewRecorder()
		next.ServeHTTP(answer, r)
		first, _, _ := strings.Cut(answer.Body.String(), "\n")
		cut(w, first, answer.Body.Len())
	}
	var got []string
	for line, err := range f.Logs(t.Context(), key("a"), client.LogOptions{Follow: true, TailLines: -1}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, line.Text)
	}
	if want := "[line 0 line 1 line 2 line 3]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestActionsOnOneJob(t *testing.T) {
	f := newFixture(t)
	f.create(t, "a")
	if _, err := f.Retry(t.Context(), key("a")); !client.IsConflict(err) {
		t.Errorf("retry of a queued job: %v", err)
	}
	obj, err := f.ForceFinish(t.Context(), key("a"), v1.ForceFinish{Phase: v1.JobFailed, Message: "gone"})
	if err != nil || obj.(*v1.Job).Spec.ForceFinish.Message != "gone" {
		t.Errorf("force-finish: %v, %v", obj, err)
	}
	obj, err = f.Patch(t.Context(), key("a"), map[string]any{"spec": map[string]any{"priority": 7}})
	if err != nil || obj.(*v1.Job).Spec.Priority != 7 {
		t.Errorf("patch: %v, %v", obj, err)
	}
	if _, err := f.Explain(t.Context(), key("a")); err == nil {
		t.Error("a server without a controller explains nothing")
	}
}

func TestAddressesAreChecked(t *testing.T) {
	for _, address := range []string{"", "127.0.0.1:8080", "ftp://x", "http://"} {
		if _, err := client.New(client.Config{Server: address}); err == nil {
			t.Errorf("%q was taken", address)
		}
	}
}
