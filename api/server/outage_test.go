package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"

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
