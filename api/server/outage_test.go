package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"jobwright.dev/api/server"
	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
	"jobwright.dev/store/logs"
)

// remote is a store in another process: calls fail as planned, streams break off.
type remote struct {
	store.Store
	mu    sync.Mutex
	fails error // what every call fails with; nil: none does
	times int   // how many calls still do
}

func (r *remote) fail(err error, times int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fails, r.times = err, times
}

func (r *remote) pass() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.times == 0 {
		return nil
	}
	r.times--
	return r.fails
}

func (r *remote) List(ctx context.Context, opts store.ListOptions) (store.Page, error) {
	if err := r.pass(); err != nil {
		return store.Page{}, err
	}
	return r.Store.List(ctx, opts)
}

func (r *remote) Create(ctx context.Context, objs ...v1.Object) ([]store.Record, error) {
	if err := r.pass(); err != nil {
		return nil, err
	}
	return r.Store.Create(ctx, objs...)
}

func (r *remote) Watch(ctx context.Context, opts store.WatchOptions) (store.Watch, error) {
	if err := r.pass(); err != nil {
		return nil, err
	}
	watch, err := r.Store.Watch(ctx, opts)
	return &brokenWatch{watch, r}, err
}

type brokenWatch struct {
	store.Watch
	r *remote
}

func (w *brokenWatch) Next(ctx context.Context) ([]store.Event, error) {
	if err := w.r.pass(); err != nil {
		return nil, err
	}
	return w.Watch.Next(ctx)
}

// overRemote is the fixture with a store in between that can fail.
func (f *fixture) overRemote(t *testing.T) (*fixture, *remote) {
	t.Helper()
	between := &remote{Store: f.store}
	api, err := server.New(server.Options{Store: between, Logs: f.archive, Log: logr.Discard()})
	if err != nil {
		t.Fatal(err)
	}
	listening := httptest.NewServer(api)
	t.Cleanup(listening.Close)
	other := *f
	other.url = listening.URL
	return &other, between
}

func TestAStoreThatIsAwayIsNoInternalError(t *testing.T) {
	for name, test := range map[string]struct {
		err        error
		code       int
		reason     string
		seed       string
		retryAfter string
	}{
		"it cannot be reached":   {store.ErrUnavailable, 503, "ServiceUnavailable", "unavailable", "5"},
		"its answer was lost":    {store.ErrUnknown, 504, "Timeout", "unknown_outcome", ""},
		"it was closed":          {store.ErrClosed, 503, "ServiceUnavailable", "unavailable", "5"},
		"it takes no more write": {store.ErrReadOnly, 503, "ServiceUnavailable", "unavailable", ""},
	} {
		t.Run(name, func(t *testing.T) {
			f, between := newFixture(t).overRemote(t)
			between.fail(errors.Join(test.err, errors.New("dial tcp 10.1.2.3:5432")), 2)
			response, body := f.do(t, request{"POST", base, manifest("one", deploy), nil})
			if response.StatusCode != test.code || !strings.Contains(body, `"reason":"`+test.reason+`"`) || response.Header.Get("Retry-After") != test.retryAfter {
				t.Errorf("%s, Retry-After %q: %s", response.Status, response.Header.Get("Retry-After"), body)
			}
			response, body = f.do(t, request{"POST", "/api/jobs", `{"type":"api_call","payload":{}}`, map[string]string{"Cookie": "active_workspace=acme", "Content-Type": "application/json"}})
			if response.StatusCode != test.code || !strings.Contains(body, `"error":"`+test.seed+`"`) || response.Header.Get("Retry-After") != test.retryAfter {
				t.Errorf("seed: %s, Retry-After %q: %s", response.Status, response.Header.Get("Retry-After"), body)
			}
			if remote := errors.Is(test.err, store.ErrUnavailable) || errors.Is(test.err, store.ErrUnknown); remote && strings.Contains(body, "10.1.2.3") {
				t.Errorf("the client sees where the store is: %s", body)
			}
		})
	}
}

// follow begins to follow the log of acme/one.
func (f *fixture) follow(t *testing.T, accept string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, f.url+base+"/one/log?follow=true", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", accept)
	response, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	return response
}

func TestAFollowedLogOutlivesAnOutageAndSaysWhyItEnds(t *testing.T) {
	for name, test := range map[string]struct {
		end  func(*testing.T, *fixture, *v1.Job)
		last string
	}{
		"the job ends": {func(t *testing.T, f *fixture, j *v1.Job) {
			uid := j.UID
			finished(j)
			j.Status.Attempts, j.UID = 0, uid
			if _, err := f.store.UpdateStatus(t.Context(), j, store.Durable); err != nil {
				t.Fatal(err)
			}
		}, `{"end":"Finished"}`},
		"the job is deleted": {func(t *testing.T, f *fixture, j *v1.Job) {
			if _, err := f.store.Delete(t.Context(), store.KeyOf(j), store.Preconditions{}); err != nil {
				t.Fatal(err)
			}
		}, `{"end":"Deleted"}`},
	} {
		t.Run(name, func(t *testing.T) {
			f, between := newFixture(t).overRemote(t)
			j := f.job(t, "acme", "one", nil)
			writer, err := f.archive.Writer(logs.Ref{Workspace: "acme", Job: "one", UID: j.UID})
			if err != nil {
				t.Fatal(err)
			}
			between.fail(store.ErrUnavailable, 5) // the list, then whatever is tried
			lines := bufio.NewScanner(f.follow(t, "application/x-ndjson").Body)
			writer.Line(time.UnixMilli(0), "stdout", "hello")
			if !lines.Scan() || !strings.Contains(lines.Text(), "hello") {
				t.Fatalf("line %q, %v", lines.Text(), lines.Err())
			}
			test.end(t, f, j)
			if !lines.Scan() || lines.Text() != test.last || lines.Scan() || lines.Err() != nil {
				t.Errorf("last line %q, %v; want %s", lines.Text(), lines.Err(), test.last)
			}
		})
	}
}

// TestALogStreamThatCannotTellTheEndBreaksOff: neither text nor JSON ends as if the job
// had.
func TestALogStreamThatCannotTellTheEndBreaksOff(t *testing.T) {
	for _, accept := range []string{"text/plain", "application/x-ndjson"} {
		t.Run(accept, func(t *testing.T) {
			f, between := newFixture(t).overRemote(t)
			f.job(t, "acme", "one", nil)
			between.fail(store.ErrClosed, 1)
			body, err := io.ReadAll(f.follow(t, accept).Body)
			if !errors.Is(err, io.ErrUnexpectedEOF) || len(body) > 0 {
				t.Errorf("body %q ends with %v", body, err)
			}
		})
	}
}

func TestAWatchIsTakenUpWhereTheStoreBrokeOff(t *testing.T) {
	f, between := newFixture(t).overRemote(t)
	f.job(t, "acme", "before", nil)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, f.url+base+"?watch=true", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	lines := json.NewDecoder(response.Body)
	next := func() (eventType, name string) {
		t.Helper()
		var line struct {
			Type   string
			Object struct{ Metadata struct{ Name string } }
		}
		if err := lines.Decode(&line); err != nil {
			t.Fatal(err)
		}
		return line.Type, line.Object.Metadata.Name
	}
	if eventType, name := next(); eventType != "ADDED" || name != "before" {
		t.Errorf("%s %s", eventType, name)
	}
	between.fail(store.ErrUnavailable, 3) // from the next Next on
	for _, name := range []string{"first", "second"} {
		f.job(t, "acme", name, nil)
		if eventType, got := next(); eventType != "ADDED" || got != name {
			t.Errorf("%s %s, want ADDED %s", eventType, got, name)
		}
	}
}

// forgetful is a store that knows no version any more: every watch expires at once. After
// some lists its only job has ended.
type forgetful struct {
	store.Store
	lists int
	asked []time.Time // when each list was
}

const running, ended = `{"status":{"phase":"Running"}}`, `{"status":{"phase":"Succeeded"}}`

func (f *forgetful) record(encoding string) store.Record {
	return store.NewRecord(store.Key{Kind: v1.KindJob, Namespace: "acme", Name: "one"}, uuid.UUID{1}, 1, []byte(encoding))
}

func (f *forgetful) Get(context.Context, store.Key) (store.Record, error) {
	return f.record(running), nil
}

func (f *forgetful) List(context.Context, store.ListOptions) (store.Page, error) {
	f.asked = append(f.asked, time.Now())
	if len(f.asked) == f.lists {
		return store.Page{Items: []store.Record{f.record(ended)}}, nil
	}
	return store.Page{Items: []store.Record{f.record(running)}}, nil
}

func (*forgetful) Watch(context.Context, store.WatchOptions) (store.Watch, error) {
	return nil, store.ErrExpired
}

// empty is a log without an entry.
type empty struct {
	logs.Store
	logs.Reader
}

func (e empty) Open(logs.Ref) logs.Reader { return e.Reader }

// nothing never has an entry.
type nothing struct{ logs.Reader }

func (nothing) From(context.Context, int64) error          { return nil }
func (nothing) Read(context.Context) ([]logs.Entry, error) { return nil, nil }
func (nothing) Close() error                               { return nil }

func (nothing) Next(ctx context.Context) ([]logs.Entry, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestAFollowedLogWhoseWatchesExpireAsksSeldomAndGoesOn: longer than an outage may last, at
// most every two seconds, and to the end of the job.
func TestAFollowedLogWhoseWatchesExpireAsksSeldomAndGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		jobs := &forgetful{lists: 60}
		api, err := server.New(server.Options{Store: jobs, Logs: empty{Reader: nothing{}}, Log: logr.Discard()})
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1"+base+"/one/log?follow=true", nil)
		r.Header.Set("Accept", "application/x-ndjson")
		answer := httptest.NewRecorder()
		api.ServeHTTP(answer, r)
		if answer.Code != http.StatusOK || answer.Body.String() != `{"end":"Finished"}`+"\n" {
			t.Errorf("%d %s", answer.Code, answer.Body)
		}
		var pauses []time.Duration
		for i, at := range jobs.asked[1:] {
			pauses = append(pauses, at.Sub(jobs.asked[i]))
		}
		want := []time.Duration{50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond, 800 * time.Millisecond, 1600 * time.Millisecond}
		want = append(want, slices.Repeat([]time.Duration{2 * time.Second}, 53)...)
		if diff := cmp.Diff(want, pauses); diff != "" {
			t.Error(diff)
		}
	})
}
