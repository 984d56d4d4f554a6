// Package logstest is the suite that every engine of logs must pass: the contract of package logs
// as tests.
package logstest

import (
	"io"
	"testing"
	"time"

	"jobwright.dev/store/logs"
)

// Engine is an engine under test.
type Engine struct {
	// Open opens the engine over dir, a folder that belongs to the test and keeps what an
	// earlier Open of the same test has stored. maxBytes bounds a log; 0: the engine's
	// default. An engine that is an io.Closer is closed by the suite.
	Open func(t *testing.T, dir string, maxBytes int64) logs.Store
}

// Run runs the suite.
func Run(t *testing.T, engine Engine) {
	for name, test := range map[string]func(*testing.T, Engine){
		"what is written is read":                          testText,
		"reading goes on from an offset":                   testOffsets,
		"a tail is the last entries there are":             testTail,
		"the last entries, bounded by their bytes":         testLast,
		"a follower sees each entry once and in order":     testFollow,
		"many write and many follow":                       testConcurrency,
		"attempts follow one another, over restarts too":   testAttempts,
		"a log is bounded and says so":                     testBound,
		"a log is removed, and its follower sees the next": testRemove,
		"each log is visited, and may be removed then":     testEach,
		"what can be no log is refused":                    testInvalid,
		"entries stay in order when the clock is set back": testClock,
		"the log of another job of that name is another":   testNames,
		"a writer and an engine that were closed say so":   testClosed,
	} {
		t.Run(name, func(t *testing.T) { test(t, engine) })
	}
}

// stdout is a stream as actions have it.
const stdout logs.Stream = "stdout"

var (
	ref = logs.Ref{Workspace: "acme", Job: "build-1", UID: "0192f5f0-7d3c-7abc-8def-0123456789ab"}
	now = time.Date(2026, 11, 23, 9, 39, 49, 123456000, time.UTC)
)

func open(t *testing.T, engine Engine, dir string, maxBytes int64) logs.Store {
	t.Helper()
	s := engine.Open(t, dir, maxBytes)
	t.Cleanup(func() { closeStore(t, s) })
	return s
}

func closeStore(t *testing.T, s logs.Store) {
	t.Helper()
	if closer, ok := s.(io.Closer); ok {
		if err := closer.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
}

// write is an attempt that prints lines.
func write(t *testing.T, s logs.Store, ref logs.Ref, lines ...string) {
	t.Helper()
	w, err := s.Writer(ref)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		w.Line(now, stdout, line)
	}
	if err := w.Close(now); err != nil {
		t.Fatal(err)
	}
}

func reader(t *testing.T, s logs.Store, ref logs.Ref) logs.Reader {
	t.Helper()
	r := s.Open(ref)
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// rest is everything that r has left.
func rest(t *testing.T, r logs.Reader) (all []logs.Entry) {
	t.Helper()
	for {
		entries, err := r.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) == 0 {
			return all
		}
		all = append(all, entries...)
	}
}

func texts(entries []logs.Entry) (texts []string) {
	for _, e := range entries {
		texts = append(texts, e.Text)
	}
	return texts
}
