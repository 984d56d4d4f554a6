// Package eventstest is the suite that every engine of events must pass: the contract of package
// events as tests.
package eventstest

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"jobwright.dev/store/events"
)

// Engine is an engine under test.
type Engine struct {
	// Open opens the engine over dir, a folder that belongs to the test and keeps what an
	// earlier Open of the same test has stored. perJob is how many of a job's events, the
	// newest, are listed; 0: the engine's default, at least 100. An engine that is an
	// io.Closer is closed by the suite, sometimes twice.
	Open func(t *testing.T, dir string, perJob int) events.Store
}

// Run runs the suite.
func Run(t *testing.T, engine Engine) {
	for name, test := range map[string]func(*testing.T, Engine){
		"what is appended is read":                           testText,
		"what a list selects":                                testList,
		"pages put together are the list":                    testPages,
		"what can be no event is refused":                    testInvalid,
		"a follower sees each event once and in order":       testFollow,
		"many append, list and follow at once":               testConcurrency,
		"events stay in order when the clock is set back":    testClock,
		"numbers go on after a restart, and so do followers": testRestart,
	} {
		t.Run(name, func(t *testing.T) { test(t, engine) })
	}
}

var now = time.Date(2026, 11, 23, 9, 39, 49, 123456000, time.UTC)

func open(t *testing.T, engine Engine, dir string, perJob int) events.Store {
	t.Helper()
	s := engine.Open(t, dir, perJob)
	t.Cleanup(func() { closeStore(t, s) })
	return s
}

func closeStore(t *testing.T, s events.Store) {
	t.Helper()
	if closer, ok := s.(io.Closer); ok {
		if err := closer.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
}

// event is event number i of a job, some seconds after the one before.
func event(job, reason string, i int) events.Event {
	return events.Event{
		Time: now.Add(time.Duration(i) * time.Second), Workspace: "acme", Job: job, UID: types.UID("uid-" + job), Reason: reason,
		Message: "because",
	}
}

func appendAll(t *testing.T, s events.Store, list ...events.Event) {
	t.Helper()
	for _, e := range list {
		if err := s.Append(e); err != nil {
			t.Fatal(err)
		}
	}
}

// fill appends n events of as many jobs, however slow the engine.
func fill(t *testing.T, s events.Store, n int) {
	t.Helper()
	for i := range n {
		e := event(fmt.Sprintf("job-%d", i), "Queued", i)
		e.Message = strings.Repeat("x", 900)
		for errors.Is(s.Append(e), events.ErrFull) {
			list(t, s, events.Filter{Limit: 1}) // waits until there is room
		}
	}
}

func list(t *testing.T, s events.Store, f events.Filter) events.Page {
	t.Helper()
	page, err := s.List(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// words are "job/reason×count" of events.
func words(list []events.Event) (words []string) {
	for _, e := range list {
		word := e.Job + "/" + e.Reason
		if e.Count != 1 {
			word += fmt.Sprintf("×%d", e.Count)
		}
		words = append(words, word)
	}
	return words
}
