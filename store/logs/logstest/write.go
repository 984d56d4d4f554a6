package logstest

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"jobwright.dev/store"
	"jobwright.dev/store/logs"
)

func testAttempts(t *testing.T, engine Engine) {
	dir := t.TempDir()
	s := engine.Open(t, dir, 0)
	write(t, s, ref, "first attempt")
	seen := rest(t, reader(t, s, ref))
	closeStore(t, s)
	s = open(t, engine, dir, 0)
	write(t, s, ref, "second attempt")
	if diff := cmp.Diff([]string{"first attempt", "second attempt"}, texts(rest(t, reader(t, s, ref)))); diff != "" {
		t.Error(diff)
	}
	r := reader(t, s, ref)
	if err := r.From(t.Context(), seen[0].Offset); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"second attempt"}, texts(rest(t, r))); diff != "" {
		t.Errorf("from an offset of before: %s", diff)
	}
}

func testBound(t *testing.T, engine Engine) {
	const bound = 4 << 10
	s := open(t, engine, t.TempDir(), bound)
	line := strings.Repeat("x", 99)
	write(t, s, ref, slices.Repeat([]string{line}, 100)...)
	got := rest(t, reader(t, s, ref))
	last := got[len(got)-1]
	if len(got) < 10 || len(got) > bound/len(line)+1 {
		t.Errorf("%d entries of %d bytes were kept of a log of at most %d bytes", len(got), len(line), bound)
	}
	if last.Stream != logs.System || !strings.Contains(last.Text, "dropped") {
		t.Errorf("the last entry is %+v, which does not say that output was dropped", last)
	}
}

func testEach(t *testing.T, engine Engine) {
	dir := t.TempDir()
	s := engine.Open(t, dir, 0)
	other, elsewhere := ref, ref
	other.UID = "0192f5f0-7d3c-7abc-8def-ffffffffffff"
	elsewhere.Workspace, elsewhere.Job = "rival", "a.b-"
	all := []logs.Ref{ref, other, elsewhere}
	for _, r := range all {
		write(t, s, r, "one")
	}
	closeStore(t, s)
	s = open(t, engine, dir, 0)
	wrong := errors.New("enough")
	if err := s.Each(t.Context(), func(logs.Ref) error { return wrong }); !errors.Is(err, wrong) {
		t.Errorf("the visitor's error comes back as %v", err)
	}
	var visited []logs.Ref
	if err := s.Each(t.Context(), func(r logs.Ref) error {
		visited = append(visited, r)
		return s.Remove(t.Context(), r)
	}); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(visited, func(a, b logs.Ref) int {
		return strings.Compare(a.Workspace+string(a.UID), b.Workspace+string(b.UID))
	})
	if !slices.Equal(visited, all) {
		t.Errorf("visited %v, want %v", visited, all)
	}
	if err := s.Each(t.Context(), func(r logs.Ref) error {
		t.Errorf("%v is visited after it was removed", r)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	write(t, s, ref, "again") // in a workspace that had no log left
	if got := texts(rest(t, reader(t, s, ref))); len(got) != 1 {
		t.Errorf("after all were removed: %q", got)
	}
}

func testRemove(t *testing.T, engine Engine) {
	s := open(t, engine, t.TempDir(), 0)
	write(t, s, ref, "one")
	for range 2 {
		if err := s.Remove(t.Context(), ref); err != nil {
			t.Fatal(err)
		}
	}
	r := reader(t, s, ref)
	if got := rest(t, r); len(got) > 0 {
		t.Errorf("after Remove: %v", texts(got))
	}
	write(t, s, ref, "two")
	if diff := cmp.Diff([]string{"two"}, follow(t, r, 1)); diff != "" {
		t.Error(diff)
	}
}

func testInvalid(t *testing.T, engine Engine) {
	s := open(t, engine, t.TempDir(), 0)
	for _, bad := range []logs.Ref{
		{Workspace: "..", Job: "x", UID: "u"},
		{Workspace: "", Job: "x", UID: "u"},
		{Workspace: "a", Job: "../../x", UID: "u"},
		{Workspace: "a/b", Job: "x", UID: "u"},
		{Workspace: "a", Job: "x", UID: "../u"},
	} {
		if _, err := s.Writer(bad); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("Writer(%+v): %v, want ErrInvalid", bad, err)
		}
		if _, err := reader(t, s, bad).Read(t.Context()); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("Read(%+v): %v, want ErrInvalid", bad, err)
		}
		if err := s.Remove(t.Context(), bad); !errors.Is(err, store.ErrInvalid) {
			t.Errorf("Remove(%+v): %v, want ErrInvalid", bad, err)
		}
	}
	if err := reader(t, s, ref).From(t.Context(), -1); !errors.Is(err, store.ErrInvalid) {
		t.Errorf("a negative offset: %v, want ErrInvalid", err)
	}
	if err := reader(t, s, ref).Tail(t.Context(), -1); !errors.Is(err, store.ErrInvalid) {
		t.Errorf("a negative tail: %v, want ErrInvalid", err)
	}
}

func testClock(t *testing.T, engine Engine) {
	s := open(t, engine, t.TempDir(), 0)
	w, err := s.Writer(ref)
	if err != nil {
		t.Fatal(err)
	}
	for i, after := range []time.Duration{time.Hour, 0, 2 * time.Hour, -time.Hour} {
		w.Line(now.Add(after), stdout, fmt.Sprint(i))
	}
	if err := w.Close(now); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"0", "1", "2", "3"}, texts(rest(t, reader(t, s, ref)))); diff != "" {
		t.Error(diff)
	}
}

func testNames(t *testing.T, engine Engine) {
	s := open(t, engine, t.TempDir(), 0)
	others := []logs.Ref{ref, {Workspace: "other", Job: ref.Job, UID: ref.UID}, {Workspace: ref.Workspace, Job: ref.Job, UID: "0192f5f0-7d3c-7abc-8def-0123456789ac"}}
	for i, r := range others {
		write(t, s, r, fmt.Sprint(i))
	}
	for i, r := range others {
		if diff := cmp.Diff([]string{fmt.Sprint(i)}, texts(rest(t, reader(t, s, r)))); diff != "" {
			t.Errorf("%+v: %s", r, diff)
		}
	}
}

func testClosed(t *testing.T, engine Engine) {
	s := open(t, engine, t.TempDir(), 0)
	w, err := s.Writer(ref)
	if err != nil {
		t.Fatal(err)
	}
	w.Line(now, stdout, "before")
	for range 2 {
		if err := w.Close(now); err != nil {
			t.Fatal(err)
		}
	}
	w.Line(now, stdout, "after")
	r := reader(t, s, ref)
	if diff := cmp.Diff([]string{"before"}, texts(rest(t, r))); diff != "" {
		t.Error(diff)
	}
	if _, ok := s.(io.Closer); !ok {
		return
	}
	ended := make(chan error, 1)
	go func() {
		_, err := r.Next(t.Context())
		ended <- err
	}()
	closeStore(t, s)
	if err := <-ended; !errors.Is(err, store.ErrClosed) {
		t.Errorf("a follower of a closed engine: %v, want ErrClosed", err)
	}
	if _, err := s.Writer(ref); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Writer of a closed engine: %v, want ErrClosed", err)
	}
	if _, err := s.Open(ref).Read(t.Context()); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Read of a closed engine: %v, want ErrClosed", err)
	}
	if err := s.Remove(t.Context(), ref); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Remove of a closed engine: %v, want ErrClosed", err)
	}
}
